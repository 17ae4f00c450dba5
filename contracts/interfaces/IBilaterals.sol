// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TradeTerms} from "../libraries/MarketTypes.sol";

/// Energy that one point sells to another in consecutive slots, the same in each, at an agreed price.
/// EIP-712: Trade(uint32 seller,uint32 buyer,uint32 firstSlot,uint16 slots,uint32 energyWh,int40 priceMicroPerKwh,
/// int40 maxSpreadMicroPerKwh,bool sellerBearsSpread,uint64 nonce), without the line break.
/// Domain: name "DAEG", version "1", chainId, verifyingContract = this contract.
struct Trade {
    uint32 seller;
    uint32 buyer;
    uint32 firstSlot;
    uint16 slots;
    /// Most that is delivered in each slot; less where the network has no room for it at `maxSpread`.
    uint32 energyWh;
    int40 priceMicroPerKwh;
    /// Highest difference of the buyer's zone price less the seller's at which the trade is still wanted.
    int40 maxSpreadMicroPerKwh;
    /// Who pays the difference (or gets it, when negative): the seller, else the buyer.
    bool sellerBearsSpread;
    /// Tells equal trades apart.
    uint64 nonce;
}

/// One side's yes: its owner's (EOA or EIP-1271), or that of a registered delegate of its point.
struct Consent {
    /// address(0): the owner.
    address delegate;
    /// 65 bytes r,s,v or 64 bytes EIP-2098; any length for EIP-1271; empty when the caller is the owner or the delegate.
    bytes signature;
}

/// @title Bilateral trades: registered before the gate, cleared with the slot's book as a flow that pays up to `maxSpread`, settled as a
/// contract for difference. No role; anyone may carry the two signatures here.
///
/// **Money.** A filled Wh counts as sold by the seller and bought by the buyer, each at its zone's price and without fee, and in the same
/// ledger move they settle the difference to the agreed price A between themselves. With the zone prices' difference
/// s = buyer's - seller's <= maxSpread: the buyer pays A + s and the seller gets A, or, when the seller bears the spread, the
/// buyer pays A and the seller gets A - s. The position of both contains the trade: who does not deliver or take pays imbalance as
/// ever. A void slot settles no trade.
///
/// **Margin.** Payment for imbalance is concave in the imbalance: a Wh less costs at most T, a Wh more earns at least F, with T and F
/// the bounds of all tariffs (in a zone that is ever without backup supplier: of all deficit and surplus prices, the highest
/// price plus the widest fee and the lowest less it). A trade moves its seller's imbalance down, and its buyer's up, by at most what is
/// filled: by exactly that on a reading, and by less where the meter is missing, since sold then counts as not delivered and bought as used.
/// So against the same slot without the trade a seller that gets at least a per Wh loses at most max(0, T - a) per Wh, a buyer that
/// pays at most b at most max(0, b - min(F, 0)). These are bound per Wh and slot, with a = A or A - maxSpread, b = A or
/// A + maxSpread, T at least zero, and TOLERANCE for prices that a meshed network rounds. What a slot costs without the trade is bound
/// by the order book as before; both sums must be in the balance when a trade is registered, when an order extends its margin,
/// and at withdrawal. `release` frees the margin when the trade's last slot is final.
/// Not covered: what energy not delivered costs above T where a zone price lies above the import tariff, and what energy not used earns
/// below F where one lies below the export tariff (UnmetTrades, decision 0012). That is debt, owed to the members.
interface IBilaterals {
    /// `sellerNano`, `buyerNano`: margin that each slot of the trade binds.
    event TradeRegistered(
        bytes32 indexed id,
        Trade trade,
        uint8 sellerZone,
        uint8 buyerZone,
        uint96 sellerNano,
        uint96 buyerNano
    );
    /// The slots from `fromSlot` on are undone.
    event TradeCancelled(bytes32 indexed id, uint32 fromSlot);
    event TradeReleased(bytes32 indexed id);

    error UnknownTrade(bytes32 id);
    error TradeKnown(bytes32 id);
    error TradeWithItself(uint32 point);
    /// A trade covers 1 to `most` slots and at least 50 Wh in each.
    error TradeTooSmall(uint32 energyWh, uint16 slots);
    error TradeBeyondRating(uint32 point, uint32 energyWh, uint256 ratingWh);
    error GateClosed(uint32 slot, uint256 gate);
    error SlotTooFarAhead(uint32 slot, uint32 latest);
    error TermsNotPublished(uint32 slot);
    /// Outside the slot's band; or, when a delegate consented, worse than the slot's tariffs.
    error PriceOutside(uint32 slot, int256 price, int256 lowest, int256 highest);
    error NoConsent(uint32 point);
    error TooManyTrades(uint32 slot);
    error TooManyOpenTrades(uint32 point);
    error MarginMissing(uint32 point, int256 balanceNano, uint256 requiredNano);
    error AlreadyCancelled(bytes32 id);
    /// These are not the slot's trades: one was dropped, added, changed or moved.
    error TradesMismatch(uint32 slot, bytes28 expected, bytes28 got);
    error TradeNotFinal(bytes32 id, uint32 lastSlot, uint32 finalThrough);

    /// Registers a trade to which both sides consented. All its slots have published terms and an open gate. Anyone may send it. A
    /// delegate may consent only to prices that are no worse than the slot's tariffs, whatever the spread: it can never give money away.
    function register(
        Trade calldata trade,
        Consent calldata seller,
        Consent calldata buyer
    ) external returns (bytes32 id);

    /// Undoes the slots of a trade whose gate is open, with both sides' consent to CancelTrade(bytes32 trade), and frees their margin.
    function cancel(Trade calldata trade, Consent calldata seller, Consent calldata buyer) external;

    /// Frees the margin of a trade whose last slot is final. Anyone.
    function release(Trade calldata trade) external;

    /// Running hash over the slot's TradeWords in order of registration (TradeList), and their number; zero without any.
    function tradesOf(uint32 slot) external view returns (bytes28 hash, uint256 count);
    /// The slot's trades as a clearing sees them, one per word; without energy where one was undone or undoes another. `words`: the
    /// whole list, 32 bytes each; TradesMismatch for any other.
    function listed(uint32 slot, bytes calldata words) external view returns (TradeTerms[] memory);
    /// Margin that a point's trades bind now, nano-token, and how many of its trades are not released.
    function boundOf(uint32 point) external view returns (uint256 nano, uint256 trades);
    /// EIP-712 struct hash of the trade.
    function idOf(Trade calldata trade) external pure returns (bytes32);
    /// What both sides sign: to register (`cancels` false) or to cancel.
    function digestOf(bytes32 id, bool cancels) external view returns (bytes32);
    function ledger() external view returns (address);
}
