// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "../../../contracts/interfaces/IAuction.sol";
import {IDemandResponse, ResponseTerms} from "../../../contracts/interfaces/IDemandResponse.sol";
import {Point} from "../../../contracts/interfaces/IMeteringPoints.sol";
import {ReadingRange} from "../../../contracts/interfaces/IReadingArchive.sol";
import {SlotReadings} from "../../../contracts/libraries/WholeSlots.sol";
import {DayArchive} from "./DayArchive.sol";
import {Mintable} from "./Stand.sol";

interface Pulled {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// Demand-response events for four points in two zones. The contract is the real one; the archive, the points, the clearings and the
/// ledger that it pays into are made here. A step succeeds, or is refused when it comes a second time.
contract ResponseSteps is DayArchive {
    /// A Monday.
    uint32 internal constant FIRST_DAY = 20_486;
    uint32 private constant MOST_EVENTS = 6;
    uint32 private constant MEMBERS_ACCOUNT = 1_000;
    uint24 public constant IMPORT_LIMIT_WH = 1_200;

    /// What was announced, and what its points did, by the readings themselves.
    struct Announced {
        ResponseTerms terms;
        uint32 announcedDay;
        uint8 historyDays;
        uint80 daysBack;
        uint256 fund;
        bool counted;
        bool closed;
        uint256 refunded;
        uint256 enrolled;
        uint256 settled;
    }

    struct Enrolled {
        uint256 capacityWh;
        uint256 deposit;
        bool kept;
        bool proved;
        uint32 verifiedWh;
        uint256 times;
        /// What arrived in the point's account and in the members'.
        uint256 received;
        uint256 penalty;
    }

    IDemandResponse public response;
    Mintable private _token;
    Announced[] private _all;
    mapping(uint256 id => mapping(uint256 point => Enrolled)) private _enrolled;
    mapping(uint32 day => uint32) private _eventOfDay;
    uint256 public paidIn;
    uint256 public paidOut;
    /// The first event that is not through.
    uint256 private _first;
    /// The event of the last step.
    uint256 public touched;
    uint256 private _arrived;
    uint256 private _arrivedAtMembers;

    constructor() DayArchive(FIRST_DAY) {
        VM.warp(uint256(FIRST_DAY) * SLOTS_PER_DAY * SLOT_SECONDS);
    }

    /// Three weekdays of history.
    function begin() external {
        if (address(response) != address(0)) return;
        _token = Mintable(_deploy("TestToken.sol:TestToken", ""));
        address a = address(this);
        response = IDemandResponse(
            _deploy(
                "DemandResponse.sol:DemandResponse",
                abi.encode(a, a, a, a, a, a, FIRST_DAY * SLOTS_PER_DAY, [uint8(3), 2, 1])
            )
        );
        _token.mint(a, 1e18);
        _token.approve(address(response), type(uint256).max);
        for (uint256 i = 0; i < 3; ++i) nextDay(uint256(keccak256(abi.encode(i))));
    }

    /// A day of readings is archived; the next one begins.
    function nextDay(uint256 seed) public {
        for (uint256 i = 0; i < DAY_SLOTS; ++i) {
            uint256 readings;
            for (uint256 j = 0; j < METERS; ++j) {
                uint256 random = uint256(keccak256(abi.encode(seed, i, j)));
                // Mostly measured; some estimated or missing.
                uint256 quality = random % 24 > 3 ? 0 : random % 24;
                readings |= ((quality << 62) | (((random >> 8) % (IMPORT_LIMIT_WH + 1)) << 31)) << (64 * j);
            }
            _archive(readings, "", (seed >> i) % 16 != 0);
        }
        _closeDay();
        _warp(uint256(day) * SLOTS_PER_DAY * SLOT_SECONDS);
    }

    /// An event in the first slots of one of the next days, for one of the zones or both.
    function announce(uint256 seed) external {
        if (_all.length == MOST_EVENTS) return;
        uint32 day_ = day + 1 + uint32(_draw(seed, 1, 3));
        if (_eventOfDay[day_] != 0 || (day_ + 3) % 7 > 4) return;
        ResponseTerms memory terms;
        terms.zones = 1 + _draw(seed, 2, 3);
        terms.firstSlot = day_ * SLOTS_PER_DAY + uint32(_draw(seed, 3, DAY_SLOTS - 2));
        terms.slots = uint8(1 + _draw(seed, 4, 2));
        terms.increase = _draw(seed, 5, 3) == 0;
        terms.targetWh = uint48(500 + _draw(seed, 6, 6_000));
        terms.price = uint40(1 + _draw(seed, 7, 2_000_000));
        terms.penaltyPpm = uint24(_draw(seed, 8, 500_001));
        terms.enrolUntil = uint40(uint256(terms.firstSlot) * SLOT_SECONDS - 600);
        uint256 before = _token.balanceOf(address(this));
        uint32 id = response.announce(terms);
        Announced storage made = _all.push();
        made.terms = terms;
        made.announcedDay = day;
        made.fund = before - _token.balanceOf(address(this));
        (made.historyDays, made.daysBack) = (response.eventOf(id).historyDays, response.eventOf(id).daysBack);
        paidIn += made.fund;
        _eventOfDay[day_] = id + 1;
        touched = id;
    }

    /// Points of the latest event, those with a bit.
    function enrol(uint8 points, uint256 seed) external {
        if (_all.length == 0) return;
        uint32 id = uint32(_all.length - 1);
        touched = id;
        for (uint32 point = 0; point < METERS; ++point) {
            if ((points >> point) & 1 == 1) _enrol(id, point, uint256(keccak256(abi.encode(seed, point))));
        }
    }

    /// What comes next for the points of an event, those with a bit: positions, readings, payment.
    function goOn(uint8 which, uint8 points) external {
        if (_all.length == 0) return;
        (uint32 id, Announced storage made) = _eventAt(which);
        for (uint32 point = 0; point < METERS; ++point) {
            Enrolled storage its = _enrolled[id][point];
            if (its.capacityWh == 0 || (points >> point) & 1 == 0) continue;
            if (made.closed) _settle(id, point, its);
            else _prove(id, point, made, its);
        }
    }

    function _enrol(uint32 id, uint32 point, uint256 seed) private {
        Announced storage made = _all[id];
        Enrolled storage its = _enrolled[id][point];
        bool possible = block.timestamp <= made.terms.enrolUntil && its.capacityWh == 0;
        if (!possible || (made.terms.zones >> zoneOf(point)) & 1 == 0) return;
        uint256 enrolledWh = response.eventOf(id).enrolledWh;
        uint256 capacityWh = 1 + _draw(seed, 1, uint256(IMPORT_LIMIT_WH) * made.terms.slots);
        if (enrolledWh + capacityWh > made.terms.targetWh) return;
        uint256 before = _token.balanceOf(address(this));
        response.enrol(id, point, uint32(capacityWh));
        (its.capacityWh, its.deposit) = (capacityWh, before - _token.balanceOf(address(this)));
        paidIn += its.deposit;
        ++made.enrolled;
    }

    function _prove(uint32 id, uint32 point, Announced storage made, Enrolled storage its) private {
        uint32 end = made.terms.firstSlot + made.terms.slots;
        uint32 current = uint32(block.timestamp / SLOT_SECONDS);
        if (!its.kept && current >= end - 1 && current < made.terms.firstSlot + 255) {
            response.keepPositions(id, _recordsOf(made.terms), _one(point));
            its.kept = true;
        }
        bool open = current <= response.deadlineOf(id) && (its.kept || current >= made.terms.firstSlot + 255);
        if (its.proved || !open || endSlot() < end) return;
        ReadingRange[] memory ranges = new ReadingRange[](made.historyDays + 1);
        for (uint256 i = 0; i < ranges.length; ++i) {
            uint32 first = dayOf(id, i);
            ranges[i] = _range(point, first, first + made.terms.slots - 1, false);
        }
        response.prove(id, point, ranges);
        its.proved = true;
        its.verifiedWh = response.enrolmentOf(id, point).verifiedWh;
        _mustFail(abi.encodeCall(response.prove, (id, point, ranges)), "R3 proved twice");
    }

    /// Whole zones are measured, then the event is closed.
    function finish(uint8 which) external {
        if (_all.length == 0) return;
        (uint32 id, Announced storage made) = _eventAt(which);
        uint32 current = uint32(block.timestamp / SLOT_SECONDS);
        if (made.closed || endSlot() < made.terms.firstSlot + made.terms.slots) return;
        if (!made.counted && current <= response.deadlineOf(id)) {
            for (uint256 i = 0; i <= made.historyDays; ++i) _countDay(id, made, i);
            made.counted = true;
        }
        for (uint256 point = 0; point < METERS && current <= response.deadlineOf(id); ++point) {
            if (_enrolled[id][point].capacityWh != 0 && !_enrolled[id][point].proved) return;
        }
        uint256 before = response.owedOf(address(this));
        response.close(id);
        made.closed = true;
        made.refunded += response.owedOf(address(this)) - before;
    }

    function withdraw() external {
        uint256 owed = response.owedOf(address(this));
        if (owed != 0) paidOut += response.withdraw(address(this));
    }

    function countOf() external view returns (uint256) {
        return _all.length;
    }

    function announcedAt(uint256 id) external view returns (Announced memory) {
        return _all[id];
    }

    function enrolledAt(uint256 id, uint256 point) external view returns (Enrolled memory) {
        return _enrolled[id][point];
    }

    /// First slot of the window, or of a history day.
    function dayOf(uint256 id, uint256 index) public view returns (uint32) {
        Announced storage made = _all[id];
        if (index == 0) return made.terms.firstSlot;
        return made.terms.firstSlot - SLOTS_PER_DAY * uint8(made.daysBack >> (8 * (index - 1)));
    }

    /// Event in a day, plus one.
    function eventOfDay(uint32 day_) external view returns (uint32) {
        return _eventOfDay[day_];
    }

    function isReported(uint32 slot) external view returns (bool) {
        return _reported[slot];
    }

    /// What a point bought in a slot: every other one does, and half of the slots were cleared.
    function boughtIn(uint32 slot, uint256 point) public pure returns (uint256) {
        return slot % 4 == 3 ? 0 : uint256(keccak256(abi.encode("bought", slot, point))) % 1_500;
    }

    function clearingOf(uint32 slot) external view returns (bytes28) {
        return slot % 4 == 3 ? bytes28(0) : bytes28(keccak256(abi.encode(_recordOf(slot))));
    }

    /// The export tariff is 40,000 in every slot.
    function wordOf(uint32 at_) public view override returns (uint256) {
        return at_ < FIRST_DAY * 2 ? super.wordOf(at_) : (uint256(at_) << 232) | (uint256(40_000) << 40) | 300_000;
    }

    /// The ledger: takes what is paid in, and for whom.
    function deposit(uint32 account, uint256 amount) external {
        if (msg.sender != address(response)) return;
        Pulled(address(_token)).transferFrom(msg.sender, address(this), amount);
        paidOut += amount;
        if (account == MEMBERS_ACCOUNT) _arrivedAtMembers += amount;
        else _arrived += amount;
    }

    function pointOf(uint32 point) external view returns (Point memory found) {
        (found.owner, found.zone, found.importLimitWh) = (address(this), zoneOf(point), IMPORT_LIMIT_WH);
    }

    function zoneOf(uint256 point) public pure returns (uint8) {
        return uint8(point / 2);
    }

    function zones() external pure returns (bytes memory) {
        return hex"00000101";
    }

    function count() external pure returns (uint32) {
        return uint32(METERS);
    }

    function zoneCount() external pure returns (uint8) {
        return 2;
    }

    /// The first zone has the backup supplier.
    function versionOf(uint32) external pure returns (uint32, uint32, uint8, uint256) {
        return (0, type(uint32).max, 2, 1);
    }

    function grid() external view returns (address) {
        return address(this);
    }

    function token() external view returns (address) {
        return address(_token);
    }

    function MEMBERS() external pure returns (uint32) {
        return MEMBERS_ACCOUNT;
    }

    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }

    function _settle(uint32 id, uint32 point, Enrolled storage its) private {
        bytes memory call = abi.encodeCall(response.settle, (id, _one(point)));
        (_arrived, _arrivedAtMembers) = (0, 0);
        uint256 owed = response.owedOf(address(this));
        (bool done, bytes memory answer) = address(response).call(call);
        if (!done) {
            bytes memory refusal = abi.encodeWithSelector(IDemandResponse.AlreadySettled.selector, id, point);
            require(its.times != 0 && keccak256(answer) == keccak256(refusal), "R3 a settlement was refused");
            return;
        }
        if (++its.times == 1) ++_all[id].settled;
        its.received += _arrived;
        its.penalty += _arrivedAtMembers;
        _all[id].refunded += response.owedOf(address(this)) - owed;
    }

    function _mustFail(bytes memory call, string memory wrong) private {
        (bool done, ) = address(response).call(call);
        require(!done, wrong);
    }

    function _countDay(uint32 id, Announced storage made, uint256 index) private {
        uint32 first = dayOf(id, index);
        uint32 through = first + made.terms.slots - 1;
        SlotReadings[] memory slots = new SlotReadings[](made.terms.slots);
        for (uint32 slot = first; slot <= through; ++slot) {
            if (!_reported[slot]) continue;
            for (uint256 i = 0; i < METERS; ++i) {
                slots[slot - first].points = bytes.concat(slots[slot - first].points, bytes8(readingOf(slot, i)));
            }
        }
        response.countZones(id, slots, _neighboursOf(first, through));
    }

    function _recordsOf(ResponseTerms memory terms) private view returns (ClearingRecord[] memory records) {
        records = new ClearingRecord[](terms.slots);
        for (uint32 i = 0; i < terms.slots; ++i) records[i] = _recordOf(terms.firstSlot + i);
    }

    function _recordOf(uint32 slot) private view returns (ClearingRecord memory record) {
        (record.slot, record.clearer) = (slot, address(this));
        for (uint256 i = 0; i < METERS; ++i) {
            record.positions = bytes.concat(record.positions, bytes4(uint32(boughtIn(slot, i) | (1 << 31))));
        }
    }

    function _eventAt(uint8 which) private returns (uint32 id, Announced storage made) {
        // Mostly the first that is not through.
        while (_first + 1 < _all.length && _all[_first].closed && _all[_first].settled == _all[_first].enrolled)
            ++_first;
        id = uint32(which % 4 == 0 ? which % _all.length : _first);
        made = _all[id];
        touched = id;
    }

    function _one(uint32 point) private pure returns (uint32[] memory points) {
        points = new uint32[](1);
        points[0] = point;
    }

    function _draw(uint256 seed, uint256 what, uint256 below) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, what))) % below;
    }

    function _meterAt(uint256 index) internal pure override returns (uint256) {
        return index;
    }
}
