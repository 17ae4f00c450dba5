// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IGrid} from "../interfaces/IGrid.sol";
import {IMeteringPoints, Point} from "../interfaces/IMeteringPoints.sol";
import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {PointWord, PointWordLibrary} from "../libraries/PointWord.sol";

/// See IMeteringPoints for what each function does.
contract MeteringPoints is IMeteringPoints, AccessManaged {
    /// The priority class stands in the two bits above the raises.
    uint8 private constant RAISES = 63;
    /// With all bits set a margin counts as dropped (MarginPages.DROPPED).
    uint8 private constant MOST_RAISES = RAISES - 1;
    uint8 private constant PRIORITIES = 4;

    IGrid public immutable grid;
    address public immutable orderBook;

    uint32 public count;
    uint64 public exposureWh;
    mapping(uint256 point => PointWord) private _points;
    /// Zones of 32 points per word, so that settlement reads a page instead of 32 points.
    mapping(uint256 page => uint256) private _zonePages;
    /// Keyed by point, handovers, owner and delegate: a new owner starts without delegates.
    mapping(bytes32 key => uint40 validUntil) private _delegates;
    /// The delegate that each point named last, two points per word, the even one low: 96 bits of its key and 32 bits of its validity, or
    /// what of it fits. Batches look here first, neighbours at one read; `_delegates` has the last word.
    mapping(uint256 page => uint256 pair) private _lastDelegates;

    constructor(address manager, IGrid grid_, address orderBook_) AccessManaged(manager) {
        grid = grid_;
        orderBook = orderBook_;
    }

    modifier onlyOwner(uint32 point) {
        if (_existing(point).owner() != msg.sender) revert NotOwner(point, msg.sender);
        _;
    }

    function register(
        address owner,
        uint8 zone,
        uint24 importLimitWh,
        uint24 exportLimitWh
    ) external restricted returns (uint32 point) {
        if (owner == address(0)) revert ZeroAddress();
        uint8 zones_ = grid.zoneCount();
        if (zone >= zones_) revert UnknownZone(zone, zones_);
        point = count++;
        uint24 highest = importLimitWh > exportLimitWh ? importLimitWh : exportLimitWh;
        exposureWh += uint64(exportLimitWh) + highest;
        _points[point] = PointWordLibrary.pack(owner, zone, importLimitWh, exportLimitWh, highest, 0, 0);
        _zonePages[point / 32] |= uint256(zone) << (248 - 8 * (point % 32));
        emit PointRegistered(point, owner, zone, importLimitWh, exportLimitWh);
    }

    function changeOwner(uint32 point, address owner) external onlyOwner(point) {
        if (owner == address(0)) revert ZeroAddress();
        PointWord word = _points[point];
        unchecked {
            _store(point, word, owner, word.tradeLimitWh(), word.raises(), word.handovers() + 1);
        }
        emit OwnerChanged(point, msg.sender, owner);
    }

    function setTradeLimit(uint32 point, uint24 tradeLimitWh) external onlyOwner(point) {
        PointWord word = _points[point];
        uint24 highest = word.importLimitWh() > word.exportLimitWh() ? word.importLimitWh() : word.exportLimitWh();
        if (tradeLimitWh > highest) revert TradeLimitTooHigh(tradeLimitWh, highest);
        uint8 raises = word.raises();
        if (tradeLimitWh > word.tradeLimitWh()) {
            if (raises & RAISES == MOST_RAISES) revert TooManyRaises(point);
            ++raises;
        } else if (tradeLimitWh < word.tradeLimitWh()) {
            _onlyWithoutOpenSlots(point);
        }
        _store(point, word, word.owner(), tradeLimitWh, raises, word.handovers());
        emit TradeLimitSet(point, tradeLimitWh);
    }

    function setPriority(uint32 point, uint8 priority) external restricted {
        if (priority >= PRIORITIES) revert UnknownPriority(priority);
        PointWord word = _existing(point);
        uint8 raises = (priority << 6) | (word.raises() & RAISES);
        _store(point, word, word.owner(), word.tradeLimitWh(), raises, word.handovers());
        emit PrioritySet(point, priority);
    }

    function setDelegate(uint32 point, address delegate, uint40 validUntil) external onlyOwner(point) {
        if (delegate == address(0)) revert ZeroAddress();
        bytes32 key = _delegateKey(point, _points[point], delegate);
        _delegates[key] = validUntil;
        uint256 shift = (point & 1) << 7;
        uint256 pair = _lastDelegates[point >> 1];
        uint256 tag = uint256(key) >> 160;
        // A revoked one that is not the last was forgotten here already.
        if (validUntil != 0 || uint128(pair >> shift) >> 32 == tag) {
            uint256 entry = (tag << 32) | (validUntil > type(uint32).max ? type(uint32).max : validUntil);
            _lastDelegates[point >> 1] = (pair & ~(uint256(type(uint128).max) << shift)) | (entry << shift);
        }
        emit DelegateSet(point, delegate, validUntil);
    }

    function pointOf(uint32 point) external view returns (Point memory) {
        PointWord word = _existing(point);
        return
            Point(
                word.owner(),
                word.zone(),
                word.importLimitWh(),
                word.exportLimitWh(),
                word.tradeLimitWh(),
                word.raises() & RAISES,
                word.handovers(),
                word.priority()
            );
    }

    function orderTerms(uint32 point, address delegate) external view returns (PointWord word, bool delegated) {
        word = _points[point];
        if (delegate != address(0)) delegated = _isDelegate(point, word, delegate);
    }

    function orderTermsBatch(uint256[] calldata keys) external view returns (uint256[] memory) {
        assembly ("memory-safe") {
            // The answer is built where it is returned from: offset, length, words. Scratch space hashes the mapping's keys.
            let answer := mload(0x40)
            mstore(answer, 32)
            mstore(add(answer, 32), keys.length)
            let out := add(answer, 64)
            let end := add(out, shl(5, keys.length))
            for {
                let from := keys.offset
            } lt(out, end) {
                from := add(from, 32)
            } {
                let key := calldataload(from)
                let point := and(key, 0xffffffff)
                mstore(0, point)
                mstore(32, _points.slot)
                let word := sload(keccak256(0, 64))
                let delegate := shr(32, key)
                let delegated := 0
                if delegate {
                    // As _delegateKey: point, handovers and owner, then the delegate.
                    mstore(0, or(shl(168, point), or(shl(160, shr(248, word)), and(word, sub(shl(160, 1), 1)))))
                    mstore(32, delegate)
                    let hash := keccak256(0, 64)
                    mstore(0, shr(1, point))
                    mstore(32, _lastDelegates.slot)
                    let last := shr(shl(7, and(point, 1)), sload(keccak256(0, 64)))
                    if eq(and(shr(32, last), sub(shl(96, 1), 1)), shr(160, hash)) {
                        delegated := iszero(lt(and(last, 0xffffffff), timestamp()))
                    }
                    if iszero(delegated) {
                        mstore(0, hash)
                        mstore(32, _delegates.slot)
                        delegated := iszero(lt(and(sload(keccak256(0, 64)), 0xffffffffff), timestamp()))
                    }
                }
                mstore(out, or(and(word, sub(shl(248, 1), 1)), shl(248, delegated)))
                out := add(out, 32)
            }
            return(answer, sub(end, answer))
        }
    }

    function isDelegate(uint32 point, address delegate) external view returns (bool) {
        return _isDelegate(point, _existing(point), delegate);
    }

    function zones() external view returns (bytes memory result) {
        uint256 length = count;
        result = new bytes((length + 31) & ~uint256(31));
        for (uint256 page = 0; page * 32 < length; ++page) {
            uint256 word = _zonePages[page];
            assembly ("memory-safe") {
                mstore(add(add(result, 32), shl(5, page)), word)
            }
        }
        assembly ("memory-safe") {
            mstore(result, length)
        }
    }

    function _onlyWithoutOpenSlots(uint32 point) private view {
        uint32 through = IOrderBook(orderBook).marginedThrough(point);
        uint32 finalThrough = ISettlement(IOrderBook(orderBook).settlement()).finalThrough();
        if (through > finalThrough) revert SlotsOpen(point, through, finalThrough);
    }

    function _existing(uint32 point) private view returns (PointWord word) {
        word = _points[point];
        if (word.owner() == address(0)) revert UnknownPoint(point);
    }

    function _store(
        uint32 point,
        PointWord word,
        address owner,
        uint24 tradeLimitWh,
        uint8 raises,
        uint8 handovers
    ) private {
        _points[point] = PointWordLibrary.pack(
            owner,
            word.zone(),
            word.importLimitWh(),
            word.exportLimitWh(),
            tradeLimitWh,
            raises,
            handovers
        );
    }

    function _isDelegate(uint32 point, PointWord word, address delegate) private view returns (bool) {
        // solhint-disable-next-line not-rely-on-time
        return _delegates[_delegateKey(point, word, delegate)] >= block.timestamp;
    }

    function _delegateKey(uint32 point, PointWord word, address delegate) private pure returns (bytes32 key) {
        uint256 left = (uint256(point) << 168) | (uint256(word.handovers()) << 160) | uint160(word.owner());
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(32, delegate)
            key := keccak256(0, 64)
        }
    }
}
