// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ResponseEvent} from "../../contracts/interfaces/IDemandResponse.sol";
import {Mintable} from "./support/Stand.sol";
import {ResponseSteps} from "./support/ResponseSteps.sol";

/// The test runner knows only contracts of this file.
contract ResponseActors is ResponseSteps {}

/// What holds of every demand-response event after any sequence of steps (docs/invariants.md).
contract ResponseInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    uint256 private constant PPM = 1e6;
    uint256 private constant NANO = 1_000;
    uint256 private constant POINTS = 4;
    uint32 private constant SLOTS_PER_DAY = 96;

    ResponseSteps private _s;

    function setUp() external {
        _s = new ResponseActors();
        _s.begin();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_s);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0].addr = address(_s);
        targets[0].selectors = new bytes4[](6);
        targets[0].selectors[0] = _s.nextDay.selector;
        targets[0].selectors[1] = _s.announce.selector;
        targets[0].selectors[2] = _s.enrol.selector;
        targets[0].selectors[3] = _s.goOn.selector;
        targets[0].selectors[4] = _s.finish.selector;
        targets[0].selectors[5] = _s.withdraw.selector;
    }

    /// The event of the last step; after each run, all of them.
    function invariant_Response() external view {
        uint256 held = Mintable(_s.token()).balanceOf(address(_s.response()));
        require(held + _s.paidOut() == _s.paidIn(), "R1 tokens are what was paid in and not out");
        if (_s.countOf() != 0) _check(_s.touched());
    }

    function afterInvariant() external view {
        uint256 owed = _s.response().owedOf(address(_s));
        for (uint256 id = 0; id < _s.countOf(); ++id) owed += _check(id);
        require(Mintable(_s.token()).balanceOf(address(_s.response())) == owed, "R1 tokens are what is owed");
    }

    /// Returns what the event still holds, deposits among it.
    function _check(uint256 id) private view returns (uint256 owed) {
        ResponseSteps.Announced memory made = _s.announcedAt(id);
        ResponseEvent memory found = _s.response().eventOf(uint32(id));
        _baselineStands(id, made, found);
        uint256[2] memory paid;
        for (uint256 point = 0; point < POINTS; ++point) {
            ResponseSteps.Enrolled memory its = _s.enrolledAt(id, point);
            if (its.capacityWh == 0) continue;
            if (its.proved) _provedIsMeasured(id, made, point, its);
            require(its.times < 2, "R3 settled twice");
            if (its.times == 0) owed += its.deposit;
            else paid[_s.zoneOf(point)] += _paymentOf(made, its);
        }
        require(found.held + paid[0] + paid[1] + made.refunded == made.fund, "R1 the fund is paid, held or back");
        for (uint256 zone = 0; zone < 2; ++zone) {
            if (paid[zone] == 0) continue;
            uint256 most = _reductionOf(id, made, zone) * made.terms.price;
            require(paid[zone] * NANO <= most, "R2 a zone paid for more than it measured");
        }
        return owed + found.held;
    }

    /// R5: what was announced stands; its days lie before the announcement, are weekdays as the window, and hold no event of its zones.
    function _baselineStands(uint256 id, ResponseSteps.Announced memory made, ResponseEvent memory found) private view {
        require(found.daysBack == made.daysBack && found.historyDays == made.historyDays, "R5 other days");
        bool same =
            found.firstSlot == made.terms.firstSlot &&
                found.slots == made.terms.slots &&
                found.price == made.terms.price &&
                found.penaltyPpm == made.terms.penaltyPpm &&
                found.targetWh == made.terms.targetWh;
        require(same, "R5 other terms");
        for (uint256 i = 1; i <= made.historyDays; ++i) {
            uint32 day = _s.dayOf(id, i) / SLOTS_PER_DAY;
            require(_s.response().dayOf(uint32(id), i) == _s.dayOf(id, i), "R5 other days");
            require(day < made.announcedDay && (day + 3) % 7 < 5, "R5 a day that is none of a baseline");
            uint32 other = _s.eventOfDay(day);
            bool shared = other != 0 && _s.announcedAt(other - 1).terms.zones & made.terms.zones != 0;
            require(!shared, "R5 a day with an event of the zone");
        }
    }

    /// R4, and what of its received money is payment: the rest is the deposit less the penalty.
    function _paymentOf(
        ResponseSteps.Announced memory made,
        ResponseSteps.Enrolled memory its
    ) private pure returns (uint256 payment) {
        uint256 missedWh = its.capacityWh - its.verifiedWh;
        require(its.penalty <= its.deposit, "R4 a penalty beyond the deposit");
        uint256 penalty = (missedWh * made.terms.price * made.terms.penaltyPpm) / PPM / NANO;
        require(its.penalty == penalty, "R4 not the price of what was missed");
        require(its.received + its.penalty >= its.deposit, "R4 a deposit is not back");
        payment = its.received + its.penalty - its.deposit;
        require(
            payment * NANO <= uint256(its.verifiedWh) * made.terms.price,
            "R2 a point paid for more than it proved"
        );
    }

    /// R2: a point's reduction is what its own readings and purchases say, at most its capacity.
    function _provedIsMeasured(
        uint256 id,
        ResponseSteps.Announced memory made,
        uint256 point,
        ResponseSteps.Enrolled memory its
    ) private view {
        uint256[] memory totals = new uint256[](made.historyDays + 1);
        bool measured = true;
        for (uint256 i = 0; i < totals.length; ++i) {
            uint32 first = _s.dayOf(id, i);
            bool all = true;
            for (uint32 slot = first; slot < first + made.terms.slots; ++slot) {
                uint64 reading = _s.readingOf(slot, point);
                if (_s.isReported(slot) && reading >> 63 == 0) totals[i] += (reading >> 31) & 0x7fffffff;
                else all = false;
            }
            if (all) continue;
            if (i == 0) measured = false;
            else totals[i] = made.terms.increase ? uint256(_s.IMPORT_LIMIT_WH()) * made.terms.slots : 0;
        }
        uint256 bought;
        for (uint32 i = 0; i < made.terms.slots; ++i) bought += _s.boughtIn(made.terms.firstSlot + i, point);
        uint256 baseline = _highMean(totals, made.terms.increase);
        if (made.terms.increase ? bought > baseline : bought < baseline) baseline = bought;
        uint256 wh = its.kept && measured ? _difference(baseline, totals[0], made.terms.increase) : 0;
        if (wh > its.capacityWh) wh = its.capacityWh;
        require(its.verifiedWh == wh, "R2 proved is what the readings say");
        uint256 now_ = _s.response().enrolmentOf(uint32(id), uint32(point)).verifiedWh;
        require(its.verifiedWh == now_, "R3 proved anew");
    }

    /// What a zone as a whole used less (or more): without a report in the window nothing, and without the points that were not measured in it.
    function _reductionOf(
        uint256 id,
        ResponseSteps.Announced memory made,
        uint256 zone
    ) private view returns (uint256) {
        uint256[] memory totals = new uint256[](made.historyDays + 1);
        for (uint256 point = 2 * zone; point < 2 * zone + 2; ++point) {
            bool counts = true;
            for (uint32 i = 0; i < made.terms.slots; ++i) {
                uint32 slot = made.terms.firstSlot + i;
                if (!_s.isReported(slot)) return 0;
                if (!made.terms.increase && _s.readingOf(slot, point) >> 63 != 0) counts = false;
            }
            for (uint256 i = 0; i < totals.length && counts; ++i) {
                uint32 first = _s.dayOf(id, i);
                for (uint32 slot = first; slot < first + made.terms.slots; ++slot) {
                    uint64 reading = _s.readingOf(slot, point);
                    if (_s.isReported(slot) && reading >> 63 == 0) totals[i] += (reading >> 31) & 0x7fffffff;
                }
            }
        }
        return _difference(_highMean(totals, made.terms.increase), totals[0], made.terms.increase);
    }

    /// Mean of the two highest of three days (of two thirds of them, rounded up).
    function _highMean(uint256[] memory totals, bool up) private pure returns (uint256) {
        uint256 high = (2 * (totals.length - 1) + 2) / 3;
        uint256 sum;
        for (uint256 i = 1; i < totals.length; ++i) {
            // How many stand before it; equal ones by their number.
            uint256 above;
            for (uint256 j = 1; j < totals.length; ++j) {
                if (totals[j] > totals[i] || (totals[j] == totals[i] && j < i)) ++above;
            }
            if (above < high) sum += totals[i];
        }
        return up ? (sum + high - 1) / high : sum / high;
    }

    function _difference(uint256 baseline, uint256 measured, bool increase) private pure returns (uint256) {
        (uint256 most, uint256 least) = increase ? (measured, baseline) : (baseline, measured);
        return most > least ? most - least : 0;
    }
}
