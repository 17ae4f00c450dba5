// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotReadings} from "../libraries/WholeSlots.sol";
import {ReadingRange} from "./IReadingArchive.sol";

/// @title Refunds: netted imbalance, fees on local energy and congestion rent go back to the members by their metered energy.
/// @notice The energy of a point in a UTC month is the sum of its import and its export over all archived slots, measured or interpolated.
/// Anyone counts slot after slot, each once, with all its readings, so that nobody can be left out; what was not archived counts
/// for nobody. When a whole month is counted, what the members' and the congestion account hold then is shared by it, months in their
/// order: of each of the two, the first k points together get floor(amount x their energy / all energy). Shares are exact and sum to the
/// amount, whatever the chunks. A month without energy leaves everything to the next one.
interface IRefunds {
    event EnergyCounted(uint16 indexed month, uint32 firstSlot, uint32 throughSlot, uint256 totalWh);
    /// A month's refund begins: what there is to share.
    event RefundOpened(uint16 indexed month, uint256 membersNano, uint256 congestionNano, uint256 totalWh);
    /// Points from `fromPoint` on and before `untilPoint` got their shares.
    event Refunded(
        uint16 indexed month,
        uint32 fromPoint,
        uint32 untilPoint,
        uint256 membersNano,
        uint256 congestionNano
    );

    error SlotNotNextToCount(uint32 slot, uint32 next);
    error MonthNotCounted(uint16 month, uint32 countedThrough);
    error NothingToRefund();
    /// Something else was paid from the account since the refund began; it goes on when there is money again.
    error RefundShort(uint32 account, uint256 needed, int128 balance);

    /// Counts the next slots, all of one day, with all their readings; empty for a slot whose leaf is zero.
    function count(ReadingRange calldata leaves, SlotReadings[] calldata slots) external;

    /// Pays the next `points` points of the first month that is not refunded; anyone.
    function refund(uint32 points) external;

    function countedThrough() external view returns (uint32);
    /// Import plus export of a point in a month so far, Wh.
    function energyOf(uint16 month, uint32 point) external view returns (uint256 wh);
    function totalOf(uint16 month) external view returns (uint256 wh, uint32 points);
    /// First month that is not refunded, and the point that is next.
    function progress() external view returns (uint16 month, uint32 nextPoint);
}
