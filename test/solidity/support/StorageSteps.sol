// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Point} from "../../../contracts/interfaces/IMeteringPoints.sol";
import {ReadingRange} from "../../../contracts/interfaces/IReadingArchive.sol";
import {IStorageUnits, StorageTerms, StorageUnit} from "../../../contracts/interfaces/IStorageUnits.sol";
import {DayArchive} from "./DayArchive.sol";

/// Storage units behind two connections: point 0 is measured by its own meter, behind point 1 stand units with meters of their own.
/// The units' contract is the real one; archive and points are made here. A step succeeds or names the exact error it must meet.
contract StorageSteps is DayArchive {
    uint32 internal constant FIRST_DAY = 20_484;
    uint32 public constant FIRST = FIRST_DAY * SLOTS_PER_DAY;
    uint32 internal constant FIRST_STORAGE_METER = 7 << 29;
    uint256 internal constant PPM = 1e6;
    uint256 internal constant MOST_UNITS = 6;
    uint32 private constant LAG = 2;

    /// What a unit must have counted, from the readings as they were reported.
    struct Expected {
        uint32 registered;
        uint32 countedThrough;
        uint256 chargedWh;
        uint256 dischargedWh;
        uint256 metered;
        uint256 storedMicroWh;
    }

    IStorageUnits public units;
    Expected[] private _expected;
    uint32 public countedBefore;
    uint32 public touched;

    constructor() DayArchive(FIRST_DAY) {
        VM.warp(uint256(FIRST - 1) * SLOT_SECONDS);
        units = IStorageUnits(_deploy("StorageUnits.sol:StorageUnits", abi.encode(address(this), address(this))));
    }

    function begin() external {
        if (_expected.length != 0) return;
        _register(0, false, 2_000, 900_000, 300_000);
        _register(1, true, 1, 500_000, 1_000_000);
        _register(1, true, 1_500, 1_000_000, 0);
    }

    function pointOf(uint32) external pure returns (Point memory found) {
        found.owner = _actor(0);
    }

    function expectedOf(uint32 unit) external view returns (Expected memory) {
        return _expected[unit];
    }

    /// Readings of both points and of both own meters; large ones reach the bounds, some are missing or estimated.
    function deliver(uint16[4] calldata charged, uint16[4] calldata discharged, uint8 quality, uint8 last) external {
        uint256 readings;
        for (uint256 i = 0; i < METERS; ++i) {
            uint256 reading = (uint256(charged[i] % 2_048) << 31) | (discharged[i] % 1_024);
            readings |= (reading | (uint256((quality >> (2 * i)) & 3) << 62)) << (64 * i);
        }
        _archive(readings, "", quality % 16 != 15);
        if (used == DAY_SLOTS || last % 16 == 0) _closeDay();
        _warp(uint256(nextSlot() - 1 + LAG) * SLOT_SECONDS);
    }

    /// The next slots of a unit; leaving one unproved, or another meter's readings, is refused.
    function count(uint8 which, uint8 slots, uint8 wrong) external {
        uint32 unit = uint32(which % _expected.length);
        Expected storage expected = _expected[unit];
        StorageUnit memory terms = units.unitOf(unit);
        uint32 from = expected.countedThrough + 1;
        if (from >= endSlot()) return;
        uint32 through = _throughOf(from, slots);
        ReadingRange memory range = _range(_indexOf(terms.meter), from, through, false);
        uint32 skipped = _firstReported(from, through);
        if (terms.retired) VM.expectRevert(abi.encodeWithSelector(IStorageUnits.UnitIsRetired.selector, unit));
        else if (wrong % 8 == 1) {
            range = _range(1, from, through, false);
            VM.expectRevert(abi.encodeWithSelector(IStorageUnits.NotUnitMeter.selector, unit, 1, terms.meter));
        } else if (wrong % 8 == 2 && skipped <= through) {
            range = _range(_indexOf(terms.meter), from, through, true);
            VM.expectRevert(abi.encodeWithSelector(IStorageUnits.UnitSlotNotProved.selector, unit, skipped));
        } else _expect(unit, terms, from, through);
        units.count(unit, range);
    }

    /// What was counted, or does not come next, is not counted.
    function countElsewhere(uint8 which, uint8 where) external {
        uint32 unit = uint32(which % _expected.length);
        StorageUnit memory terms = units.unitOf(unit);
        if (endSlot() == FIRST || terms.retired) return;
        uint32 from = FIRST + (where % (endSlot() - FIRST));
        uint32 through = _expected[unit].countedThrough;
        if (from == through + 1) return;
        ReadingRange memory range = _range(_indexOf(terms.meter), from, from, false);
        VM.expectRevert(abi.encodeWithSelector(IStorageUnits.UnitOutOfOrder.selector, unit, from, through));
        units.count(unit, range);
    }

    function retire(uint8 which, uint8 rarely) external {
        uint32 unit = uint32(which % _expected.length);
        if (rarely % 16 != 0) return;
        if (units.unitOf(unit).retired) {
            VM.expectRevert(abi.encodeWithSelector(IStorageUnits.UnitIsRetired.selector, unit));
        } else VM.prank(_actor(0));
        units.retire(unit);
    }

    /// Another unit at point 0: one meter measures one unit.
    function registerAgain(uint16 capacityWh, uint24 efficiency, uint24 reserve) external {
        uint256 count_ = _expected.length;
        if (count_ >= MOST_UNITS) return;
        for (uint32 unit = 0; unit < count_; ++unit) {
            StorageUnit memory terms = units.unitOf(unit);
            if (terms.connection != 0 || terms.retired) continue;
            VM.prank(_actor(0));
            VM.expectRevert(abi.encodeWithSelector(IStorageUnits.ConnectionHasUnit.selector, 0, unit));
            units.register(StorageTerms(0, false, 100, 4_000, 500_000, 0));
            return;
        }
        _register(0, false, uint32(capacityWh % 4_000) + 1, 500_000 + (efficiency % 500_001), reserve % 1_000_001);
    }

    function _register(uint32 connection, bool own, uint32 capacityWh, uint32 efficiency, uint32 reserve) private {
        VM.prank(_actor(0));
        units.register(StorageTerms(connection, own, capacityWh, 4_000, efficiency, reserve));
        Expected memory expected;
        expected.registered = uint32(block.timestamp / SLOT_SECONDS);
        expected.countedThrough = expected.registered;
        _expected.push(expected);
    }

    /// Every Wh charged adds the efficiency's part, every Wh delivered takes one, between empty and full.
    function _expect(uint32 unit, StorageUnit memory terms, uint32 from, uint32 through) private {
        Expected storage expected = _expected[unit];
        (touched, countedBefore) = (unit, expected.countedThrough);
        int256 stored = int256(expected.storedMicroWh);
        int256 full = int256(uint256(terms.capacityWh) * PPM);
        for (uint32 slot = from; slot <= through; ++slot) {
            uint64 reading = readingOf(slot, _indexOf(terms.meter));
            if (!_reported[slot] || reading >> 62 == 3) continue;
            uint256 charged = (reading >> 31) & 0x7fffffff;
            uint256 discharged = reading & 0x7fffffff;
            expected.chargedWh += charged;
            expected.dischargedWh += discharged;
            ++expected.metered;
            stored += int256(charged * terms.efficiencyPpm) - int256(discharged * PPM);
            if (stored < 0) stored = 0;
            if (stored > full) stored = full;
        }
        expected.storedMicroWh = uint256(stored);
        expected.countedThrough = through;
    }

    function _throughOf(uint32 from, uint8 slots) private view returns (uint32) {
        uint32 end = endSlot();
        uint32 dayEnd = from - (from % SLOTS_PER_DAY) + SLOTS_PER_DAY;
        if (end > dayEnd) end = dayEnd;
        // What lies behind the last report of a day goes with it.
        return slots % 2 == 1 ? end - 1 : from + (slots % (end - from));
    }

    function _firstReported(uint32 from, uint32 through) private view returns (uint32 slot) {
        for (slot = from; slot <= through; ++slot) if (_reported[slot]) return slot;
    }

    function _meterAt(uint256 index) internal pure override returns (uint256) {
        return index < 2 ? index : FIRST_STORAGE_METER + index - 2;
    }

    function _indexOf(uint32 meter) private pure returns (uint256) {
        return meter < FIRST_STORAGE_METER ? meter : meter - FIRST_STORAGE_METER + 2;
    }
}
