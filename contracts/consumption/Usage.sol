// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ICertificates} from "../interfaces/ICertificates.sol";
import {IReadingArchive, ReadingRange} from "../interfaces/IReadingArchive.sol";
import {IUsage, MonthUsage} from "../interfaces/IUsage.sol";
import {CalendarMonth} from "../libraries/CalendarMonth.sol";
import {ReadingProof} from "../libraries/ReadingProof.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {UsageDay} from "../libraries/UsageDay.sol";

/// See IUsage for what each function does.
contract Usage is IUsage, AccessManaged {
    uint16 public constant HIGHEST_INTENSITY = 2_000;
    /// Days after a day in which its intensity may be published.
    uint32 public constant PUBLISH_DAYS = 7;
    uint256 private constant VALUES = 16;
    /// No value needs it.
    uint256 private constant PUBLISHED = 1 << 255;
    uint256 private constant PPM = 1_000_000;
    uint32 private constant SLOTS_PER_DAY = 96;
    uint256 private constant DAYS_PER_WORD = 4;

    IReadingArchive public immutable archive;
    ICertificates public immutable certificates;
    /// 2 bits per hour, weekdays in the lower 24 hours, then weekends.
    uint256 public immutable periods;
    uint256 private immutable _defaultIntensity;

    mapping(uint256 pointAndMonth => MonthUsage) private _months;
    mapping(uint256 day => uint256 word) private _intensities;
    /// 64 bits per day, four days per word.
    mapping(uint256 pointAndDays => uint256 word) private _credited;

    /// @param hours_ time-of-use period (0 to 3) of each hour in UTC, of weekdays, then of weekends
    /// @param defaultGramsPerKwh counts where nobody published in time
    constructor(
        address manager,
        IReadingArchive archive_,
        ICertificates certificates_,
        uint8[48] memory hours_,
        uint16 defaultGramsPerKwh
    ) AccessManaged(manager) {
        archive = archive_;
        certificates = certificates_;
        uint256 word;
        for (uint256 hour = 0; hour < hours_.length; ++hour) {
            if (hours_[hour] > 3) revert BadPeriod(hour, hours_[hour]);
            word |= uint256(hours_[hour]) << (2 * hour);
        }
        periods = word;
        uint256 gramsPerKwh;
        for (uint256 i = 0; i < VALUES; ++i) gramsPerKwh |= uint256(defaultGramsPerKwh) << (16 * i);
        _checkIntensity(gramsPerKwh);
        _defaultIntensity = gramsPerKwh;
        emit PeriodsSet(word, gramsPerKwh);
    }

    function publishIntensity(uint32 day, uint256 gramsPerKwh) external restricted {
        if (_intensities[day] != 0) revert IntensityKnown(day);
        uint32 today = _today();
        if (today < day || today > day + PUBLISH_DAYS) revert IntensityNotDue(day, today);
        _checkIntensity(gramsPerKwh);
        _intensities[day] = gramsPerKwh | PUBLISHED;
        emit IntensityPublished(day, gramsPerKwh);
    }

    function count(ReadingRange[] calldata days_) external {
        for (uint256 i = 0; i < days_.length; ++i) _count(days_[i]);
    }

    function credit(uint32 point, uint32 day) external {
        (uint16 month, uint8 dayOfMonth) = placeOf(day);
        MonthUsage storage usage = _months[_keyOf(point, month)];
        if ((usage.countedDays >> dayOfMonth) & 1 == 0) revert DayNotCounted(point, day);
        uint256 gramsPerKwh = intensityOf(day);
        uint256 dayMg;
        for (uint32 i = 0; i < SLOTS_PER_DAY; ++i) {
            uint256 matchedWh = certificates.matchedOf(point, day * SLOTS_PER_DAY + i);
            if (matchedWh != 0) dayMg += matchedWh * UsageDay.intensityAt(gramsPerKwh, i);
        }
        uint64 before = creditedOf(point, day);
        if (dayMg <= before) revert NothingToCredit(point, day);
        uint64 more = uint64(dayMg) - before;
        _credited[_keyOf(point, day / DAYS_PER_WORD)] += uint256(more) << (64 * (day % DAYS_PER_WORD));
        usage.creditedMg += uint48(more);
        emit Credited(point, day, more, uint64(dayMg));
    }

    function monthOf(uint32 point, uint16 month) external view returns (MonthUsage memory) {
        return _months[_keyOf(point, month)];
    }

    function footprintOf(uint32 point, uint16 month) external view returns (uint256 mg) {
        MonthUsage storage usage = _months[_keyOf(point, month)];
        return usage.importedMg - usage.creditedMg;
    }

    function loadFactorOf(uint32 point, uint16 month) external view returns (uint256 ppm) {
        MonthUsage storage usage = _months[_keyOf(point, month)];
        uint256 peakWh = usage.peakImportWh;
        return peakWh == 0 ? 0 : (uint256(usage.importWh) * PPM) / (peakWh * usage.slots);
    }

    function periodOf(uint32 slot) external view returns (uint8) {
        return UsageDay.periodOf(slot, periods);
    }

    function intensityOf(uint32 day) public view returns (uint256 gramsPerKwh) {
        gramsPerKwh = _intensities[day];
        if (gramsPerKwh != 0) return gramsPerKwh & ~PUBLISHED;
        if (_today() <= day + PUBLISH_DAYS) revert IntensityMissing(day);
        return _defaultIntensity;
    }

    function creditedOf(uint32 point, uint32 day) public view returns (uint64 mg) {
        return uint64(_credited[_keyOf(point, day / DAYS_PER_WORD)] >> (64 * (day % DAYS_PER_WORD)));
    }

    function placeOf(uint32 day) public pure returns (uint16 month, uint8 dayOfMonth) {
        (uint256 year, uint256 month_, uint256 day_) = CalendarMonth.dateOf(uint256(day) * SLOTS_PER_DAY);
        return (uint16(12 * year + month_ - 1), uint8(day_ - 1));
    }

    function _count(ReadingRange calldata range) private {
        uint256 given = range.slots.length / ReadingProof.STEP_BYTES;
        if (given != SLOTS_PER_DAY || range.firstSlot % SLOTS_PER_DAY != 0) revert NotWholeDay(range.firstSlot, given);
        uint32 day = range.firstSlot / SLOTS_PER_DAY;
        (uint16 month, uint8 dayOfMonth) = placeOf(day);
        MonthUsage memory usage = _months[_keyOf(range.meter, month)];
        if ((usage.countedDays >> dayOfMonth) & 1 == 1) revert DayKnown(range.meter, day);
        (uint256[] memory readings, ) = ReadingProof.prove(range, archive.wordOf(day));
        for (uint256 i = 0; i < given; ++i) {
            // Only a slot that has no readings may be passed over.
            if (readings[i] >= ReadingProof.SKIPPED) revert SlotLeftOut(range.firstSlot + uint32(i));
        }
        UsageDay.add(usage, readings, range.firstSlot, periods, intensityOf(day));
        usage.countedDays |= uint32(1) << dayOfMonth;
        _months[_keyOf(range.meter, month)] = usage;
        emit DayCounted(range.meter, day, month, usage);
    }

    function _checkIntensity(uint256 gramsPerKwh) private pure {
        for (uint256 i = 0; i < VALUES; ++i) {
            uint16 value = uint16(gramsPerKwh >> (16 * i));
            if (value > HIGHEST_INTENSITY) revert IntensityTooHigh(i, value, HIGHEST_INTENSITY);
        }
    }

    function _today() private view returns (uint32) {
        return SlotTime.current() / SLOTS_PER_DAY;
    }

    function _keyOf(uint32 point, uint256 number) private pure returns (uint256) {
        return (uint256(point) << 32) | number;
    }
}
