// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ILedger} from "../interfaces/ILedger.sol";
import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {ISealedBatches} from "../interfaces/ISealedBatches.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

/// See ISealedBatches for what each function does.
contract SealedBatches is ISealedBatches {
    using SafeERC20 for IERC20;

    uint256 private constant MOST = 4;

    address public immutable orderBook;
    uint256 public immutable bond;
    address private immutable _ledger;
    IERC20 private immutable _token;

    mapping(address relayer => uint256 amount) public freeOf;
    /// bits 255..32 commitment (0: opened or forfeited), 31..0 slot: a relayer's words come round with the ring.
    mapping(bytes32 key => uint256 word) private _sealed;

    constructor(address orderBook_, address ledger_, uint256 bond_) {
        orderBook = orderBook_;
        bond = bond_;
        emit BondSet(bond_);
        _ledger = ledger_;
        _token = IERC20(ILedger(ledger_).token());
        _token.forceApprove(ledger_, type(uint256).max);
    }

    function deposit(address relayer, uint256 amount) external {
        if (amount == 0) revert ZeroAmount();
        uint256 before = _token.balanceOf(address(this));
        _token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = _token.balanceOf(address(this)) - before;
        if (received != amount) revert WrongAmountReceived(amount, received);
        freeOf[relayer] += amount;
        emit Deposited(relayer, msg.sender, amount);
    }

    function withdraw(uint256 amount) external {
        if (amount == 0) revert ZeroAmount();
        _take(msg.sender, amount);
        emit Withdrawn(msg.sender, amount);
        _token.safeTransfer(msg.sender, amount);
    }

    function seal(uint32 slot, bytes32 commitment) external {
        uint256 gate = SlotTime.gateOf(slot);
        if (block.timestamp > gate || slot > SlotTime.current() + SlotTime.AHEAD_SLOTS) {
            revert NotSealable(slot, block.timestamp, gate);
        }
        if (bytes28(commitment) == 0) revert EmptyCommitment();
        _take(msg.sender, bond);
        for (uint256 i = 0; i < MOST; ++i) {
            bytes32 key = _key(slot, msg.sender, i);
            // What is of this slot stays, opened or not: one relayer seals no more than these in a slot.
            if (uint32(_sealed[key]) == slot) continue;
            uint256 older = _sealed[key];
            _sealed[key] = uint256(bytes32(bytes28(commitment))) | slot;
            IOrderBook(orderBook).noteSealed(slot);
            emit Sealed(slot, msg.sender, commitment);
            // A batch of an older lap that nobody opened: its bond goes before its word is forgotten.
            if (older >> 32 != 0) _forfeit(uint32(older), msg.sender, bond);
            return;
        }
        revert TooManySealed(slot, msg.sender, MOST);
    }

    function openSealed(uint32 slot, bytes calldata orders, bytes32 salt) external returns (uint256 appended) {
        address relayer = msg.sender;
        uint256 gate = SlotTime.gateOf(slot);
        uint256 end = gate + SlotTime.OPENING_SECONDS;
        if (block.timestamp <= gate || block.timestamp > end) revert NotInWindow(slot, block.timestamp, gate, end);
        bytes32 commitment = commitmentOf(slot, relayer, orders, salt);
        uint256 word = uint256(bytes32(bytes28(commitment))) | slot;
        for (uint256 i = 0; i < MOST; ++i) {
            bytes32 key = _key(slot, relayer, i);
            if (_sealed[key] != word) continue;
            _sealed[key] = slot;
            freeOf[relayer] += bond;
            appended = IOrderBook(orderBook).appendSealed(slot, orders);
            emit Opened(slot, relayer, commitment, appended);
            return appended;
        }
        revert UnknownCommitment(slot, relayer, commitment);
    }

    function forfeit(uint32 slot, address relayer) external returns (uint256 amount) {
        uint256 end = SlotTime.gateOf(slot) + SlotTime.OPENING_SECONDS;
        uint256 count;
        for (uint256 i = 0; i < MOST && block.timestamp > end; ++i) {
            bytes32 key = _key(slot, relayer, i);
            uint256 word = _sealed[key];
            if (uint32(word) != slot || word == slot) continue;
            _sealed[key] = slot;
            ++count;
        }
        if (count == 0) revert NothingForfeited(slot, relayer);
        amount = count * bond;
        _forfeit(slot, relayer, amount);
    }

    function commitmentOf(
        uint32 slot,
        address relayer,
        bytes calldata orders,
        bytes32 salt
    ) public pure returns (bytes32) {
        return keccak256(abi.encode(slot, relayer, orders, salt));
    }

    function sealedOf(uint32 slot, address relayer) external view returns (bytes28[4] memory commitments) {
        for (uint256 i = 0; i < MOST; ++i) {
            uint256 word = _sealed[_key(slot, relayer, i)];
            if (uint32(word) == slot) commitments[i] = bytes28(bytes32(word));
        }
    }

    function _forfeit(uint32 slot, address relayer, uint256 amount) private {
        emit Forfeited(slot, relayer, amount);
        if (amount != 0) ILedger(_ledger).deposit(ILedger(_ledger).MEMBERS(), amount);
    }

    function _take(address relayer, uint256 amount) private {
        uint256 free = freeOf[relayer];
        if (free < amount) revert DepositTooLow(relayer, free, amount);
        freeOf[relayer] = free - amount;
    }

    function _key(uint32 slot, address relayer, uint256 i) private pure returns (bytes32) {
        return keccak256(abi.encode(slot % SlotTime.RING, relayer, i));
    }
}
