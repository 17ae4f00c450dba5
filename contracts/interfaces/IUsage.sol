// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReadingRange} from "./IReadingArchive.sol";

/// What one metering point used in one month, as far as its days are counted.
struct MonthUsage {
    uint48 importWh;
    uint48 exportWh;
    /// Highest of one slot; x 4 = W.
    uint32 peakImportWh;
    uint32 peakExportWh;
    /// Slots with a measured reading.
    uint16 slots;
    /// Bit per day of the month (0 the first).
    uint32 countedDays;
    /// Imports by time-of-use period, 40 bits each, period 0 lowest.
    uint160 periodWh;
    /// Carbon of what was imported at the intensity of the grid, and what claimed certificates take off it, mg CO2.
    uint48 importedMg;
    uint48 creditedMg;
}

/// @title Usage: energy, peaks, time-of-use and carbon per metering point and month, rolled up from proofs, two words each.
/// @notice Everybody may count a day of a point, once, with the proof of all its slots. A month is `12 x year + month - 1` in UTC. Estimated and
/// missing readings do not count (`slots` tells how many did). Carbon: import Wh x g/kWh = mg. Certificates that were claimed for the point's
/// consumption of a slot (Certificates.claim) take that slot's carbon off, whenever they are claimed: `credit` brings a day up to date.
interface IUsage {
    /// At deployment: time-of-use periods, 2 bits per hour in UTC, weekdays in the lower 24 hours, then weekends; and the intensity of a day
    /// that nobody published in time, as in IntensityPublished.
    event PeriodsSet(uint256 periods, uint256 gramsPerKwh);
    event IntensityPublished(uint32 indexed day, uint256 gramsPerKwh);
    /// `month` is what the chain holds after the day: its importWh, exportWh, ... are the sums so far.
    event DayCounted(uint32 indexed point, uint32 indexed day, uint16 indexed month, MonthUsage usage);
    event Credited(uint32 indexed point, uint32 indexed day, uint64 creditedMg, uint64 dayMg);

    error BadPeriod(uint256 hour, uint8 period);
    error IntensityTooHigh(uint256 index, uint16 gramsPerKwh, uint16 highest);
    error IntensityKnown(uint32 day);
    /// Published from the day's first slot on, until a week after its last.
    error IntensityNotDue(uint32 day, uint32 today);
    /// The day's intensity is not published, and its time is not over.
    error IntensityMissing(uint32 day);
    error NotWholeDay(uint32 firstSlot, uint256 slots);
    error SlotLeftOut(uint32 slot);
    error DayKnown(uint32 point, uint32 day);
    error DayNotCounted(uint32 point, uint32 day);
    error NothingToCredit(uint32 point, uint32 day);

    /// Publishes the carbon intensity of a day, for ever. Restricted to the publisher.
    /// @param gramsPerKwh sixteen values of 16 bits, the first in the lowest bits: g CO2 per kWh, six slots (90 minutes) each
    function publishIntensity(uint32 day, uint256 gramsPerKwh) external;

    /// Counts whole days of a point, each with the proof of its 96 slots.
    function count(ReadingRange[] calldata days_) external;

    /// Takes off a counted day what certificates were claimed for since.
    function credit(uint32 point, uint32 day) external;

    function monthOf(uint32 point, uint16 month) external view returns (MonthUsage memory);
    /// Carbon of the month less what was credited, mg CO2.
    function footprintOf(uint32 point, uint16 month) external view returns (uint256 mg);
    /// Mean import as a share of the peak, 1e-6; 0 without imports.
    function loadFactorOf(uint32 point, uint16 month) external view returns (uint256 ppm);
    /// As published, or the default once a week has passed; reverts before.
    function intensityOf(uint32 day) external view returns (uint256 gramsPerKwh);
    /// Time-of-use period of a slot, 0 to 3.
    function periodOf(uint32 slot) external view returns (uint8);
    /// The month in which a day lies, and its index there (0 the first).
    function placeOf(uint32 day) external pure returns (uint16 month, uint8 dayOfMonth);
    function creditedOf(uint32 point, uint32 day) external view returns (uint64 mg);
}
