// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IReadingArchive, ReadingRange} from "../interfaces/IReadingArchive.sol";
import {
    IStorageUnits,
    StorageEfficiency,
    StorageState,
    StorageTerms,
    StorageUnit
} from "../interfaces/IStorageUnits.sol";
import {PackedReadings} from "../libraries/PackedReadings.sol";
import {ReadingProof} from "../libraries/ReadingProof.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {WholeSlots} from "../libraries/WholeSlots.sol";

/// See IStorageUnits for what each function does.
contract StorageUnits is IStorageUnits {
    /// Beyond the numbers of metering points, of generators' own meters and of head meters.
    uint32 public constant FIRST_STORAGE_METER = uint32(WholeSlots.FIRST_STORAGE_METER);
    uint256 public constant LOWEST_EFFICIENCY_PPM = 500_000;
    /// Own meters that a connection can ever have: they are numbered without gaps, and whoever proves whole slots reads all of them.
    uint256 public constant MOST_OWN_METERS = 8;
    uint256 private constant PPM = 1e6;
    uint256 private constant SLOTS_PER_HOUR = 4;

    IMeteringPoints public immutable meteringPoints;
    IReadingArchive public immutable archive;

    uint32 public unitCount;
    uint32 public ownMeterCount;
    mapping(uint256 unit => StorageUnit) private _units;
    mapping(uint256 unit => StorageState) private _states;
    /// The unit that a connection's meter measures, plus one.
    mapping(uint256 connection => uint256) private _unitAt;
    mapping(uint256 connection => uint256) private _ownMetersAt;

    constructor(IMeteringPoints meteringPoints_, IReadingArchive archive_) {
        meteringPoints = meteringPoints_;
        archive = archive_;
    }

    function register(StorageTerms calldata terms) external returns (uint32 unit) {
        _onlyOwner(terms.connection);
        bool inRange =
            terms.capacityWh != 0 &&
                terms.powerW != 0 &&
                terms.efficiencyPpm >= LOWEST_EFFICIENCY_PPM &&
                terms.efficiencyPpm <= PPM &&
                terms.reservePpm <= PPM;
        if (!inRange) {
            revert UnitTermsOutOfRange(terms.capacityWh, terms.powerW, terms.efficiencyPpm, terms.reservePpm);
        }
        unit = unitCount++;
        uint32 meter = terms.connection;
        if (terms.ownMeter) {
            if (_ownMetersAt[meter]++ == MOST_OWN_METERS) revert TooManyUnitMeters(meter, MOST_OWN_METERS);
            meter = FIRST_STORAGE_METER + ownMeterCount++;
        } else {
            uint256 other = _unitAt[terms.connection];
            if (other != 0) revert ConnectionHasUnit(terms.connection, uint32(other - 1));
            _unitAt[terms.connection] = uint256(unit) + 1;
        }
        _units[unit] = StorageUnit(
            terms.connection,
            meter,
            terms.capacityWh,
            terms.powerW,
            terms.efficiencyPpm,
            terms.reservePpm,
            false
        );
        uint32 current = SlotTime.current();
        _states[unit].countedThrough = current;
        emit UnitRegistered(unit, msg.sender, meter, current, terms);
    }

    function retire(uint32 unit) external {
        StorageUnit memory found = _running(unit);
        _onlyOwner(found.connection);
        _units[unit].retired = true;
        if (found.meter == found.connection) delete _unitAt[found.connection];
        emit UnitRetired(unit);
    }

    function count(uint32 unit, ReadingRange calldata range) external {
        StorageUnit memory found = _running(unit);
        StorageState memory state = _states[unit];
        if (range.firstSlot != state.countedThrough + 1) {
            revert UnitOutOfOrder(unit, range.firstSlot, state.countedThrough);
        }
        uint256[] memory readings = _prove(unit, found, range);
        uint256 capacity = found.capacityWh * PPM;
        for (uint256 i = 0; i < readings.length; ++i) {
            if (!_isMetered(readings[i])) {
                ++state.unmeteredSlots;
                continue;
            }
            uint256 charged = ReadingProof.importWh(readings[i]);
            uint256 discharged = ReadingProof.exportWh(readings[i]);
            state.chargedWh += uint64(charged);
            state.dischargedWh += uint64(discharged);
            uint256 stored = state.storedMicroWh + charged * found.efficiencyPpm;
            uint256 taken = discharged * PPM;
            if (taken > stored) {
                state.missingMicroWh += uint128(taken - stored);
                stored = taken;
            }
            stored -= taken;
            if (stored > capacity) {
                state.excessMicroWh += uint128(stored - capacity);
                stored = capacity;
            }
            state.storedMicroWh = uint64(stored);
        }
        state.countedThrough = uint32(range.firstSlot + readings.length - 1);
        _states[unit] = state;
        emit UnitCounted(unit, range.firstSlot, state);
    }

    function unitOf(uint32 unit) external view returns (StorageUnit memory) {
        return _existing(unit);
    }

    function stateOf(uint32 unit) external view returns (StorageState memory) {
        _existing(unit);
        return _states[unit];
    }

    function availableOf(uint32 unit) external view returns (uint256 wh, uint256 slotWh) {
        StorageUnit memory found = _running(unit);
        uint256 stored = _states[unit].storedMicroWh;
        uint256 reserve = uint256(found.capacityWh) * found.reservePpm;
        if (stored > reserve) wh = (stored - reserve) / PPM;
        slotWh = found.powerW / SLOTS_PER_HOUR;
        if (slotWh > wh) slotWh = wh;
    }

    function efficiencyOf(uint32 unit) external view returns (StorageEfficiency memory measured, int8 declared) {
        StorageUnit memory found = _existing(unit);
        StorageState memory state = _states[unit];
        return _compare(found, state.chargedWh, state.dischargedWh);
    }

    function measure(
        uint32 unit,
        ReadingRange[] calldata ranges
    ) external view returns (StorageEfficiency memory measured, int8 declared) {
        StorageUnit memory found = _existing(unit);
        uint256 charged;
        uint256 discharged;
        uint256 next;
        for (uint256 i = 0; i < ranges.length; ++i) {
            if (i != 0 && ranges[i].firstSlot != next) {
                revert UnitOutOfOrder(unit, ranges[i].firstSlot, uint32(next - 1));
            }
            uint256[] memory readings = _prove(unit, found, ranges[i]);
            next = ranges[i].firstSlot + readings.length;
            for (uint256 j = 0; j < readings.length; ++j) {
                if (!_isMetered(readings[j])) continue;
                charged += ReadingProof.importWh(readings[j]);
                discharged += ReadingProof.exportWh(readings[j]);
            }
        }
        return _compare(found, charged, discharged);
    }

    function _prove(
        uint32 unit,
        StorageUnit memory found,
        ReadingRange calldata range
    ) private view returns (uint256[] memory readings) {
        if (range.meter != found.meter) revert NotUnitMeter(unit, range.meter, found.meter);
        uint256 word = archive.wordOf(range.firstSlot / uint32(ReadingProof.SLOTS_PER_DAY));
        (readings, ) = ReadingProof.prove(range, word);
        uint256 skipped = ReadingProof.SKIPPED | ReadingProof.SKIPPED_SALES;
        for (uint256 i = 0; i < readings.length; ++i) {
            if (readings[i] & skipped != 0) revert UnitSlotNotProved(unit, range.firstSlot + uint32(i));
        }
    }

    /// Registers telescope, so an estimated reading counts: later ones correct it. A missing one has no energy to count.
    function _isMetered(uint256 reading) private pure returns (bool) {
        return reading & ReadingProof.PROVEN != 0 && (reading >> 62) & 3 != PackedReadings.MISSING;
    }

    function _compare(
        StorageUnit memory found,
        uint256 charged,
        uint256 discharged
    ) private pure returns (StorageEfficiency memory measured, int8 declared) {
        measured.chargedWh = charged;
        measured.dischargedWh = discharged;
        measured.highestPpm = type(uint256).max;
        if (charged == 0) return (measured, 0);
        measured.measuredPpm = (discharged * PPM) / charged;
        uint256 capacity = found.capacityWh;
        if (discharged > capacity) measured.lowestPpm = ((discharged - capacity) * PPM) / charged;
        // Rounded up: the interval holds the true one.
        measured.highestPpm = ((discharged + capacity) * PPM + charged - 1) / charged;
        if (found.efficiencyPpm > measured.highestPpm) declared = 1;
        else if (found.efficiencyPpm < measured.lowestPpm) declared = -1;
    }

    function _onlyOwner(uint32 connection) private view {
        if (meteringPoints.pointOf(connection).owner != msg.sender) revert NotConnectionOwner(connection, msg.sender);
    }

    function _existing(uint32 unit) private view returns (StorageUnit memory) {
        if (unit >= unitCount) revert UnknownUnit(unit);
        return _units[unit];
    }

    function _running(uint32 unit) private view returns (StorageUnit memory found) {
        found = _existing(unit);
        if (found.retired) revert UnitIsRetired(unit);
    }
}
