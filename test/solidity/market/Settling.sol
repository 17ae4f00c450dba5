// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMeterOracle, Report} from "../../../contracts/interfaces/IMeterOracle.sol";
import {ISettlement, SlotToResettle, SlotToSettle} from "../../../contracts/interfaces/ISettlement.sol";
import {Packing} from "../support/Packing.sol";
import {CHEATS} from "./Cheats.sol";
import {Margins} from "./Margins.sol";
import {Model} from "./Model.sol";

/// Reports, settlement, corrections, estimates, finality.
abstract contract Settling is Margins {
    bytes32 private constant REPORT = keccak256(
        "Report(uint32 slot,uint8 version,uint8 attempt,bytes32 readingsHash,bytes32 root)"
    );
    /// Slots from the first unsettled one on that are looked at.
    uint32 private constant WINDOW = 6;
    uint256 private constant MOST = 2 ** 31 - 1;

    /// Time goes on to some moment of the next slot.
    function advance(uint256 seed) public {
        // The ring of slots is bounded: whoever neglects a market first settles what is open.
        if (_openSlots(_current()) > 240) return catchUp(seed);
        _goTo((uint256(_current()) + 1) * 900 + _pick(seed, 1, 900));
    }

    /// A day and more passes, once while slots are open: what was settled before becomes final, what was not is late.
    function leap(uint256 seed) public {
        if (_openSlots(_current()) > 105) return;
        _goTo(now_ + 900 * (90 + _pick(seed, 1, 45)));
        _count("leap");
    }

    /// Reports a slot that is over, sometimes as a correction of an earlier report.
    function report(uint256 seed) public {
        _goTo(now_);
        uint32 slot = firstUnsettled + uint32(_pick(seed, 1, WINDOW));
        if (_pick(seed, 2, 3) == 0 && settledSlots.length != 0) slot = _lateSlot(_pick(seed, 3, 12));
        _report(slot, seed);
    }

    /// A slot as it should be: orders, clearing, readings, settlement.
    function liveSlot(uint256 seed) public {
        order(seed);
        order(seed / 2);
        order(seed / 4);
        clear(seed);
        advance(seed);
        catchUp((seed / 8) * 8 + 7);
        finalize(seed);
    }

    /// Settles the reported slots among the first unsettled ones, all at once.
    function settle(uint256 seed) public {
        _goTo(now_);
        uint32[] memory some = new uint32[](WINDOW);
        uint256 count;
        for (uint32 slot = firstUnsettled; slot < firstUnsettled + WINDOW; ++slot) {
            Slot storage s = slots[slot];
            if (s.version != 0 && s.status != 2 && _pick(seed, slot, 4) != 0) some[count++] = slot;
        }
        _settle(some, count);
    }

    /// Reports and settles some slots that are over, or flags and pays them as estimated when it is too late for that.
    function catchUp(uint256 seed) public {
        _goTo(now_);
        uint256 most = 1 + _pick(seed, 1, _pick(seed, 2, 5) == 0 ? 32 : 8);
        uint32[] memory some = new uint32[](most);
        uint256 count;
        uint32 slot = firstUnsettled;
        for (uint256 i = 0; i < most && slot < _current(); ++slot) {
            if (slots[slot].status == 2) continue;
            ++i;
            if (slots[slot].version == 0 && _pick(seed, slot, 24) != 0)
                _report(slot, uint256(keccak256(abi.encode(seed, slot))));
            if (slots[slot].version != 0) some[count++] = slot;
            else {
                _estimate(slot);
                _settleEstimated(slot);
            }
        }
        _settle(some, count);
    }

    function estimate(uint256 seed) public {
        _goTo(now_);
        _estimate(firstUnsettled + uint32(_pick(seed, 1, WINDOW)));
    }

    function settleEstimated(uint256 seed) public {
        _goTo(now_);
        _settleEstimated(firstUnsettled + uint32(_pick(seed, 1, WINDOW)));
    }

    /// Settles anew what was corrected among the slots settled lately.
    function resettle(uint256 seed) public {
        _goTo(now_);
        uint32[] memory some = new uint32[](3);
        uint256 count;
        for (uint256 back = 0; back < 12 && back < settledSlots.length && count < 3; ++back) {
            uint32 slot = _lateSlot(back);
            Slot storage s = slots[slot];
            if (s.version == s.settledVersion || _current() >= s.since + 96) continue;
            if (_pick(seed, back, 5) != 0) some[count++] = slot;
        }
        _resettle(some, count);
    }

    /// Finality moves on as far as it may.
    function finalize(uint256 seed) public {
        _goTo(now_);
        _advanceFinal(1 + _pick(seed, 1, 150));
    }

    function _lateSlot(uint256 back) internal view returns (uint32) {
        return settledSlots[settledSlots.length - 1 - (back % settledSlots.length)];
    }

    function _report(uint32 slot, uint256 seed) internal {
        Slot storage s = slots[slot];
        uint256 end = (uint256(slot) + 1) * 900;
        if (now_ < end || now_ - end >= 104 * 900) return;
        bool settled = s.status == 2;
        if (settled && (s.settledVersion == 0 || _current() >= s.since + 88)) return;
        if (s.version > 200) return;
        uint8 version = s.version + 1 + uint8(_pick(seed, 5, 2));
        bytes memory readings = _readings(slot, seed);
        Report memory r = Report(slot, version, 0, keccak256(readings), _root(slot, readings));
        if (_pick(seed, 6, 2) == 0) oracle.report(r, _signed(r));
        else _reportMany(r);
        s.version = version;
        readingsOf[slot][version] = readings;
        _count(settled ? bytes32("corrected") : bytes32("reported"));
    }

    /// The same in a batch, between two that must not count: one of a slot that is not over, and the report once more.
    function _reportMany(Report memory r) private {
        Report memory early = Report(_current(), 255, 0, r.readingsHash, r.root);
        bytes memory packed = bytes.concat(_packed(early), _packed(r), _packed(r));
        require(oracle.reportMany(packed) == 1, "a batch took another number of reports");
        _count("reported in a batch");
    }

    function _packed(Report memory r) private view returns (bytes memory) {
        return abi.encodePacked(r.slot, r.version, r.attempt, uint8(3), r.readingsHash, r.root, _signed(r));
    }

    /// Quorum of three of four nodes.
    function _signed(Report memory r) private view returns (bytes memory packed) {
        bytes32 digest = _typed(
            address(oracle),
            keccak256(abi.encode(REPORT, r.slot, r.version, r.attempt, r.readingsHash, r.root))
        );
        for (uint256 i = 0; i < 3; ++i) {
            (uint8 v, bytes32 x, bytes32 y) = CHEATS.sign(_nodeKey(i), digest);
            packed = bytes.concat(packed, abi.encodePacked(uint8(i), x, uint256(y) | (uint256(v - 27) << 255)));
        }
    }

    /// Per point what it sold or bought, something within its rating, something beyond, or nothing; sometimes a point too few or too many.
    function _readings(uint32 slot, uint256 seed) private view returns (bytes memory readings) {
        bytes memory positions = _recordOf(slot).positions;
        uint256 count = zoneOf.length + _pick(seed, 30, 8) / 6;
        if (_pick(seed, 31, 8) == 0) --count;
        for (uint256 i = 0; i < count; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, 32, i)));
            uint256 kind = random % 10;
            uint256 importWh;
            uint256 exportWh;
            uint256 quality = (random >> 8) % 3;
            if (kind == 0) quality = 3;
            else if (kind < 4) {
                int256 soldWh = Model.positionOf(positions, i);
                (importWh, exportWh) = soldWh < 0 ? (uint256(-soldWh), uint256(0)) : (uint256(0), uint256(soldWh));
            } else if (i < ratings.length) {
                importWh = (random >> 16) % (uint256(ratings[i][0]) + 1);
                exportWh = (random >> 48) % (uint256(ratings[i][1]) + 1);
                if (kind == 9) importWh *= 3;
                // A broken meter: the largest reading there is.
                if ((random >> 80) % 99 == 0)
                    (importWh, exportWh) = kind % 2 == 0 ? (MOST, exportWh) : (importWh, MOST);
            }
            readings = bytes.concat(readings, bytes8(uint64((quality << 62) | (importWh << 31) | exportWh)));
        }
    }

    /// Merkle root of the readings, in sorted pairs.
    function _root(uint32 slot, bytes memory readings) private pure returns (bytes32) {
        uint256 count = readings.length / 8;
        bytes32[] memory level = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint64 raw;
            assembly ("memory-safe") {
                raw := shr(192, mload(add(add(readings, 32), shl(3, i))))
            }
            level[i] = keccak256(bytes.concat(keccak256(abi.encode(uint32(i), slot, raw))));
        }
        for (; count > 1; count = (count + 1) / 2) {
            for (uint256 i = 0; i < count; i += 2) {
                if (i + 1 == count) level[i / 2] = level[i];
                else {
                    (bytes32 a, bytes32 b) = (level[i], level[i + 1]);
                    level[i / 2] = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
                }
            }
        }
        return level.length == 0 ? bytes32(0) : level[0];
    }

    function _settle(uint32[] memory some, uint256 count) internal {
        if (count == 0) return;
        SlotToSettle[] memory given = new SlotToSettle[](count);
        for (uint256 i = 0; i < count; ++i) {
            bytes memory readings = readingsOf[some[i]][slots[some[i]].version];
            given[i] = SlotToSettle(_recordOf(some[i]), readings, _root(some[i], readings));
        }
        // Packed or not comes to the same.
        bytes memory call = abi.encodeCall(settlement.settle, (given));
        if (now_ % 2 == 0)
            call = abi.encodeCall(
                settlement.settlePacked,
                (Packing.slots(given, uint256(keccak256(abi.encode(now_)))))
            );
        _beforeSettling();
        _byAnybody(call);
        for (uint256 i = 0; i < count; ++i) {
            Slot storage s = slots[some[i]];
            (s.status, s.since, s.settledVersion) = (2, _current(), s.version);
            settledSlots.push(some[i]);
            _pay(some[i], given[i].readings, false);
            _markSettled(some[i]);
        }
        _checkTaken();
        _refused(STRANGER, address(settlement), call, ISettlement.AlreadySettled.selector);
        _count(count == 1 ? bytes32("settled one") : bytes32("settled several"));
    }

    function _resettle(uint32[] memory some, uint256 count) private {
        if (count == 0) return;
        SlotToResettle[] memory given = new SlotToResettle[](count);
        for (uint256 i = 0; i < count; ++i) {
            Slot storage s = slots[some[i]];
            bytes memory before = readingsOf[some[i]][s.settledVersion];
            bytes memory readings = readingsOf[some[i]][s.version];
            given[i] = SlotToResettle(
                _recordOf(some[i]),
                before,
                _root(some[i], before),
                readings,
                _root(some[i], readings)
            );
        }
        settlement.resettle(given);
        for (uint256 i = 0; i < count; ++i) {
            Slot storage s = slots[some[i]];
            s.settledVersion = s.version;
            int256[] memory paid = s.paid;
            (int256[] memory anew, ) = _paymentsOf(some[i], given[i].readings, false);
            for (uint256 a = 0; a < Model.ACCOUNTS; ++a) {
                balances[a] += anew[a] - paid[a];
                // Margin is for what is not settled yet; a correction may take more.
                if (a < zoneOf.length && anew[a] < paid[a]) unpromised[a] += paid[a] - anew[a];
            }
            s.paid = anew;
        }
        _refused(
            STRANGER,
            address(settlement),
            abi.encodeCall(settlement.resettle, (given)),
            ISettlement.NothingToResettle.selector
        );
        _count("resettled");
    }

    /// Counts what a slot pays: payments by the model, and the words of its book to whoever cleared it.
    function _pay(uint32 slot, bytes memory readings, bool estimated) private {
        Slot storage s = slots[slot];
        (int256[] memory paid, int256[] memory unmet) = _paymentsOf(slot, readings, estimated);
        s.paid = paid;
        int256[] memory wordFees = new int256[](zoneOf.length);
        if (s.record.length != 0) {
            Live[] memory live = _liveOrders(slot);
            int256 fees;
            for (uint256 i = 0; i < live.length; ++i) {
                wordFees[i] = int256(live[i].words) * int256(uint256(WORD_FEE));
                fees += wordFees[i];
            }
            earned[_recordOf(slot).clearer] += fees;
        }
        int256 sum;
        for (uint256 a = 0; a < Model.ACCOUNTS; ++a) {
            sum += paid[a];
            balances[a] += paid[a];
            if (a >= zoneOf.length) continue;
            int256 delta = paid[a] - wordFees[a];
            balances[a] -= wordFees[a];
            _checkMargin(slot, a, delta, unmet[a], readings);
        }
        require(sum == 0, "conservation: a slot's payments do not sum to zero");
    }

    /// Whoever settles what is over is not refused, whatever state the market is in.
    function _byAnybody(bytes memory call) private {
        _taken("stuck: a slot cannot be settled", STRANGER, address(settlement), call);
    }

    function _estimate(uint32 slot) private {
        Slot storage s = slots[slot];
        if (s.status != 0 || now_ < (uint256(slot) + 9) * 900) return;
        _byAnybody(abi.encodeCall(settlement.estimate, (slot)));
        s.status = 1;
        s.since = s.version == 0 ? slot + 9 : _current();
        _refused(
            STRANGER,
            address(settlement),
            abi.encodeCall(settlement.estimate, (slot)),
            ISettlement.AlreadyEstimated.selector
        );
        _count("estimated");
    }

    function _settleEstimated(uint32 slot) private {
        Slot storage s = slots[slot];
        if (s.status != 1) return;
        bytes memory call = abi.encodeCall(settlement.settleEstimated, (_recordOf(slot)));
        if (_current() < s.since + (s.version == 0 ? 96 : 104)) {
            _refused(STRANGER, address(settlement), call, ISettlement.TooEarly.selector);
            return;
        }
        _beforeSettling();
        _byAnybody(call);
        (s.status, s.settledVersion) = (2, 0);
        _pay(slot, "", true);
        _markSettled(slot);
        _checkTaken();
        _refused(STRANGER, address(settlement), call, ISettlement.AlreadySettled.selector);
        _count("settled estimated");
    }

    function _markSettled(uint32 slot) private {
        if (slot == firstUnsettled) {
            while (slots[firstUnsettled].status == 2) ++firstUnsettled;
            uint256 kept;
            for (uint256 i = 0; i < settledAhead.length; ++i) {
                if (settledAhead[i] > firstUnsettled) settledAhead[kept++] = settledAhead[i];
            }
            while (settledAhead.length > kept) settledAhead.pop();
        } else settledAhead.push(slot);
    }

    function _advanceFinal(uint256 limit) internal {
        uint32 expected = finalThrough;
        for (uint256 i = 0; i < limit; ++i) {
            Slot storage s = slots[expected + 1];
            if (s.status != 2 || _current() < s.since + 96) break;
            ++expected;
        }
        require(settlement.advanceFinal(limit) == expected, "finality: not what its deadlines say");
        if (expected != finalThrough) _count("final");
        finalThrough = expected;
    }
}
