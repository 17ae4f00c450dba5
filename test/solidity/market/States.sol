// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IEmergency} from "../../../contracts/interfaces/IEmergency.sol";
import {IGrid} from "../../../contracts/interfaces/IGrid.sol";
import {IMeteringPoints} from "../../../contracts/interfaces/IMeteringPoints.sol";
import {CHEATS} from "./Cheats.sol";
import {Model} from "./Model.sol";
import {Money} from "./Money.sol";

/// Emergency levels, the network, and the metering points.
abstract contract States is Money {
    uint256 private loweredDay;
    uint256 private withdrawnBefore;
    mapping(uint256 point => uint256) private raises;

    /// The guardian raises at once; nobody else may, and it may do nothing else.
    function raise(uint256 seed) public {
        _goTo(now_);
        uint8 asked = _pick(seed, 1, 3) == 0 ? 2 : 1;
        bytes memory call = abi.encodeCall(emergency.raise, (IEmergency.MarketState(asked)));
        _refused(OPERATOR_QUORUM, address(emergency), call, IAccessManaged.AccessManagedUnauthorized.selector);
        if (asked <= state) return _refused(GUARDIAN, address(emergency), call, IEmergency.NotHigher.selector);
        if (_pick(seed, 2, 3) == 0) return;
        CHEATS.prank(GUARDIAN);
        emergency.raise(IEmergency.MarketState(asked));
        _raised(asked);
    }

    /// Anyone raises by proof, and only by proof.
    function raiseByProof(uint256 seed) public {
        _goTo(now_);
        uint256 kind = _pick(seed, 1, 4);
        if (kind == 0) {
            bytes memory call = abi.encodeCall(emergency.raiseForDeficit, ());
            _refused(STRANGER, address(emergency), call, IEmergency.NoDeficit.selector);
            uint256 a = Model.BACKUP + _pick(seed, 2, 5);
            call = abi.encodeCall(emergency.raiseForNegative, (_account(a)));
            _raiseIf(balances[a] < 0, 2, call, IEmergency.NotNegative.selector);
        } else if (kind == 1) {
            uint256 out = withdrawnInDay > 0 ? uint256(withdrawnInDay) : 0;
            uint256 before = dayOfWithdrawals == loweredDay ? withdrawnBefore : 0;
            bool above = dayOfWithdrawals == now_ / 1 days && out > before + WITHDRAWN_PER_DAY;
            _raiseIf(above, 1, abi.encodeCall(emergency.raiseForWithdrawals, ()), IEmergency.WithinRate.selector);
        } else {
            bool silent = true;
            for (uint32 slot = _current() - 12; slot < _current(); ++slot) if (slots[slot].version != 0) silent = false;
            _raiseIf(silent, 1, abi.encodeCall(emergency.raiseForSilence, ()), IEmergency.NotSilent.selector);
        }
    }

    function announceLowering(uint256 seed) public {
        _goTo(now_);
        uint8 asked = uint8(_pick(seed, 1, 2));
        bytes memory call = abi.encodeCall(emergency.announceLowering, (IEmergency.MarketState(asked)));
        _refused(GUARDIAN, address(emergency), call, IAccessManaged.AccessManagedUnauthorized.selector);
        if (asked >= state) return _refused(OPERATOR_QUORUM, address(emergency), call, IEmergency.NotLower.selector);
        CHEATS.prank(OPERATOR_QUORUM);
        emergency.announceLowering(IEmergency.MarketState(asked));
        (announced, announcedFrom) = (asked, now_ + LOWERING_DELAY);
        _count("announced");
    }

    /// Only the operator's quorum lowers, and only after the delay.
    function lower(uint256 seed) public {
        if (announcedFrom != 0 && _pick(seed, 1, 4) != 0) _goTo(announcedFrom);
        _goTo(now_);
        bytes memory call = abi.encodeCall(emergency.lower, ());
        _refused(GUARDIAN, address(emergency), call, IAccessManaged.AccessManagedUnauthorized.selector);
        if (announcedFrom == 0)
            return _refused(OPERATOR_QUORUM, address(emergency), call, IEmergency.NothingAnnounced.selector);
        if (now_ < announcedFrom)
            return _refused(OPERATOR_QUORUM, address(emergency), call, IEmergency.NotYet.selector);
        CHEATS.prank(OPERATOR_QUORUM);
        emergency.lower();
        (state, announcedFrom) = (announced, 0);
        (loweredDay, withdrawnBefore) = (dayOfWithdrawals, withdrawnInDay > 0 ? uint256(withdrawnInDay) : 0);
        _count("lowered");
    }

    /// The second zone is cut off at once: its orders in open books are void. Once.
    function island(uint256 seed) public {
        order(seed);
        uint32 from = _current() + 1;
        if (now_ > _gate(from)) ++from;
        bytes memory call = abi.encodeCall(grid.island, (1));
        _refused(GUARDIAN, address(grid), call, IAccessManaged.AccessManagedUnauthorized.selector);
        if (_islanded(from)) return _refused(OPERATOR_QUORUM, address(grid), call, IGrid.NothingToIsland.selector);
        if (versions.length > 3 || _pick(seed, 1, 3) == 0) return;
        CHEATS.prank(OPERATOR_QUORUM);
        grid.island(1);
        versions.push(GridVersion(from, true));
        zoneEverIslanded = true;
        for (uint256 i = 0; i < zoneOf.length; ++i) {
            if (zoneOf[i] == 1) (unpromised[i], dropped[i]) = (NO_PROMISE, true);
        }
        for (uint32 slot = from; slot < from + 8; ++slot) {
            Slot storage s = slots[slot];
            if (s.book.length == 0) continue;
            voids[slot].push(Void(s.book.length / 16, 2));
            s.batches = bytes.concat(s.batches, bytes2(0), bytes32(uint256(2)));
            s.bookHash = _short(keccak256(abi.encodePacked(s.bookHash, uint256(2), uint8(0))));
            _count("voided");
        }
        _count("islanded");
    }

    /// The line is closed again, from a slot on that no book is open for.
    function reconnect(uint256) public {
        _goTo(now_);
        uint32 from = _current() + 121;
        if (versions.length > 3 || !_islanded(from)) return;
        CHEATS.prank(OPERATOR_QUORUM);
        grid.setGrid(from, _zones());
        versions.push(GridVersion(from, false));
        _count("reconnected");
    }

    /// A point is registered, changes hands or class, or its owner chooses another trading limit.
    function changePoint(uint256 seed) public {
        _goTo(now_);
        uint256 a = _anyPoint(seed);
        uint256 kind = _pick(seed, 1, 8);
        if (kind == 0 && zoneOf.length < Model.MOST_POINTS) _register(uint8(_pick(seed, 2, 2)), 1_500, 1_000);
        else if (kind == 1) {
            uint256 key = _newKey();
            CHEATS.prank(_owner(a));
            points.changeOwner(uint32(a), CHEATS.addr(key));
            ownerKeys[a] = key;
            _count("owner changed");
        } else if (kind == 2) {
            CHEATS.prank(OPERATOR_QUORUM);
            points.setPriority(uint32(a), priorities[a] = uint8(_pick(seed, 2, 4)));
        } else _setTradeLimit(a, uint24(100 * _pick(seed, 2, 51)));
    }

    function _register(uint8 zone, uint24 importWh, uint24 exportWh) internal {
        uint256 key = _newKey();
        CHEATS.prank(OPERATOR_QUORUM);
        points.register(CHEATS.addr(key), zone, importWh, exportWh);
        ownerKeys.push(key);
        zoneOf.push(zone);
        priorities.push(0);
        ratings.push([importWh, exportWh, importWh > exportWh ? importWh : exportWh]);
        _count("registered");
    }

    function _setTradeLimit(uint256 a, uint24 limitWh) private {
        uint24[3] storage r = ratings[a];
        address owner = _owner(a);
        bytes memory call = abi.encodeCall(points.setTradeLimit, (uint32(a), limitWh));
        _refused(STRANGER, address(points), call, IMeteringPoints.NotOwner.selector);
        if (limitWh > r[0] && limitWh > r[1])
            return _refused(owner, address(points), call, IMeteringPoints.TradeLimitTooHigh.selector);
        if (limitWh < r[2] && marginedThrough[a] > finalThrough)
            return _refused(owner, address(points), call, IMeteringPoints.SlotsOpen.selector);
        if (limitWh > r[2]) {
            if (++raises[a] > 60) return;
            // What was margined before counts no longer.
            (unpromised[a], dropped[a]) = (NO_PROMISE, true);
        }
        CHEATS.prank(owner);
        points.setTradeLimit(uint32(a), limitWh);
        r[2] = limitWh;
        _count("trade limit");
    }

    function _newKey() private returns (uint256) {
        return 0xb000 + ++keysMade;
    }

    function _raiseIf(bool cause, uint8 asked, bytes memory call, bytes4 without) private {
        if (!cause) return _refused(STRANGER, address(emergency), call, without);
        if (asked <= state) return _refused(STRANGER, address(emergency), call, IEmergency.NotHigher.selector);
        (bool done, ) = address(emergency).call(call);
        require(done, "emergency: a proof was refused");
        _raised(asked);
        _count("raised by proof");
    }

    function _raised(uint8 asked) private {
        (state, announcedFrom) = (asked, 0);
        _count("raised");
    }
}
