// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "./IAuction.sol";

/// What the market state rises by itself for. Fixed when the contract is made.
struct MarketLimits {
    /// A clearing price outside these, micro-token per kWh, is out of its band.
    int64 lowestPrice;
    int64 highestPrice;
    /// The oracle is silent when none of the last so many slots that are over has a report.
    uint32 silentSlots;
    /// Most token base units that leave the ledger in a day (UTC).
    uint256 withdrawnPerDay;
    /// Seconds between announcing a lower state and taking it.
    uint32 loweringDelay;
    /// A fixed account counts as overdrawn below minus so many nano-token: a correction may take back from a pool what was given
    /// away already, and a mesh rounds its rent.
    uint128 overdrawnNano;
}

/// @title Two ladders. The *grid state* of each zone is the operator's word; it is recorded and stops nothing. The *market state* stops
/// new orders, or clearing too; it rises at once, and falls by the operator after a delay.
///
/// Neither touches meters, reports, settlement, finality or withdrawals: in every state a slot becomes final by its deadlines, and
/// whoever is owed money takes it out. A slot that nobody could clear is void, all its energy is imbalance.
interface IEmergency {
    /// In the words of ENTSO-E.
    enum GridState {
        Normal,
        Alert,
        Emergency,
        Blackout,
        Restoration
    }

    enum MarketState {
        Open,
        NoNewOrders,
        NoClearing
    }

    enum Cause {
        Guardian,
        Price,
        Silence,
        Deficit,
        Withdrawals
    }

    /// The zones (a bit each) are in this state from now on.
    event GridStateSet(uint256 zones, GridState state);
    event MarketRaised(MarketState state, Cause cause);
    event LoweringAnnounced(MarketState state, uint256 from);
    event MarketLowered(MarketState state);

    /// Bits of `zones` beyond the zones of the grid.
    error UnknownZones(uint256 zones, uint8 count);
    error NotHigher(MarketState current, MarketState asked);
    error NotLower(MarketState current, MarketState asked);
    error NothingAnnounced();
    error NotYet(uint256 now_, uint256 from);
    /// The slot is over, or the record is not what was cleared.
    error NotCurrent(uint32 slot, uint32 current);
    error NotTheRecord(uint32 slot, bytes28 expected, bytes28 got);
    error PricesInBand(uint32 slot);
    /// `slot`, one of those that count, has a report, or none was due before it.
    error NotSilent(uint32 slot);
    error NoDeficit(int256 owedNano, int256 heldNano);
    error NotNegative(uint32 account, int256 nano);
    error WithinRate(uint256 withdrawn, uint256 most);

    /// Sets the grid state of zones, a bit each; type max: of the whole grid. Restricted to the grid operator, whose account is its quorum.
    function setGridState(uint256 zones, GridState state) external;
    function gridStateOf(uint8 zone) external view returns (GridState);

    /// Raises the market state at once. Restricted to the guardian.
    function raise(MarketState state) external;
    /// Anyone raises it by proof. No new orders: a price of a slot that is not over lies out of its band;
    function raiseForPrice(ClearingRecord calldata record) external;
    /// no report for so many slots;
    function raiseForSilence() external;
    /// more than a day's withdrawals, those before the state was last lowered not counted.
    function raiseForWithdrawals() external;
    /// No clearing: the ledger holds less than the sum of all its accounts (it is not told what clearers earned, which is more);
    function raiseForDeficit() external;
    /// one of its fixed accounts is overdrawn.
    function raiseForNegative(uint32 account) external;

    /// Announces a lower state. Restricted to the operator. Raising takes it back.
    function announceLowering(MarketState state) external;
    /// Takes the announced state after its delay. Restricted to the operator.
    function lower() external;

    function marketState() external view returns (MarketState);
    /// What was announced, and from when it may be taken; 0 = nothing.
    function announced() external view returns (MarketState state, uint256 from);
    function limits() external view returns (MarketLimits memory);
}
