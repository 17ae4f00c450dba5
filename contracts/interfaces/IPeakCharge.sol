// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotReadings} from "../libraries/WholeSlots.sol";
import {ReadingRange} from "./IReadingArchive.sol";

/// @title Peak charge: what the grid upstream charges by the community's highest power, shared by who imported then.
/// @notice The community's peaks of a UTC month are the three slots in which all its points together imported most (import less export). Each
/// costs a third of the price per kW; the money goes to the backup supplier, who pays the real charge. Among the accounts it is shared
/// by their own net import in that slot: the first k points together pay floor(cost x their import / all import), so shares are exact to
/// a nano-token, whatever the chunks, and sum to the cost.
///
/// Anyone offers slots with all their readings, proved against the archive, until ten days after the month's end; a list of the three
/// highest only improves, the earlier slot first among equals. Nothing can be challenged, since nothing is claimed: then anyone charges.
interface IPeakCharge {
    /// At deployment: micro-token per kW and month.
    event PriceSet(uint64 pricePerKw);
    /// The slot is one of the month's three highest so far.
    event PeakOffered(uint16 indexed month, uint32 slot, uint256 netImportWh);
    /// Points from `fromPoint` on and before `untilPoint` paid their shares of a peak.
    event PeakCharged(uint16 indexed month, uint32 slot, uint32 fromPoint, uint32 untilPoint, uint256 nano);

    error PriceTooHigh(uint64 price, uint64 highest);
    /// The month takes no more peaks.
    error PeakWindowOver(uint16 month);
    error PeakWindowOpen(uint16 month);
    /// None of the slots is higher than the month's third.
    error NothingHigher(uint16 month, uint256 thirdWh);
    error NothingToCharge(uint16 month);
    /// The month's next peak to charge is another slot.
    error WrongPeak(uint32 expected, uint32 got);

    /// Offers consecutive slots of one day, each with all its readings.
    function offer(ReadingRange calldata leaves, SlotReadings[] calldata slots) external;

    /// Charges the next `count` points of the month's next peak, which is given with its readings.
    function charge(uint16 month, ReadingRange calldata leaf, SlotReadings[] calldata slot, uint32 count) external;

    /// The month's peaks, highest first; zeros where there are fewer. Months count from year 0 (CalendarMonth).
    function peaksOf(uint16 month) external view returns (uint32[3] memory slots, uint256[3] memory netImportWh);
    /// Which peak is charged next, and from which point on.
    function progressOf(uint16 month) external view returns (uint256 peak, uint32 nextPoint);
    /// Micro-token per kW and month.
    function pricePerKw() external view returns (uint64);
}
