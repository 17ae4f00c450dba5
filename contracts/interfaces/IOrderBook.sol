// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// One priced step. EIP-712: Step(bool sell,bool green,uint32 energyWh,int40 priceMicroPerKwh)
struct Step {
    bool sell;
    bool green;
    uint32 energyWh;
    int40 priceMicroPerKwh;
}

/// An order: up to 8 steps of one account for one slot; no step cancels the live order.
/// EIP-712: Order(uint32 point,uint32 slot,uint8 sequence,Step[] steps)Step(bool sell,bool green,uint32 energyWh,int40 priceMicroPerKwh)
/// Domain: name "DAEG", version "1", chainId, verifyingContract = the order book.
struct SignedOrder {
    uint32 point;
    uint32 slot;
    /// 1..15; accepted when above the byte the book holds for this account and slot (0 before its first order).
    uint8 sequence;
    Step[] steps;
    /// address(0): signed by the owner (EOA or EIP-1271); else by this registered delegate.
    address delegate;
    /// 65 bytes r,s,v or 64 bytes EIP-2098; any length for EIP-1271; empty when the caller is the owner or the delegate.
    bytes signature;
}

/// @title The books: every order of a slot folded into one running hash, a batch at a time. Anyone may append.
interface IOrderBook {
    /// Why an order was skipped.
    enum Skip {
        None,
        WrongSlot,
        GateClosed,
        TooFarAhead,
        NotPublished,
        UnknownPoint,
        Replayed,
        TooManySteps,
        StepTooSmall,
        OutsideBand,
        CrossedSides,
        OverRating,
        BadSignature,
        MarginTooLow,
        Malformed,
        /// The market state takes no new orders (IEmergency); single cancellations are taken still.
        MarketHalted,
        /// Sealed before the zone of its point was islanded (IGrid.island).
        ZoneVoided
    }

    /// One batch. `words`: its OrderWords, 16 bytes each, in order of append. `book`: running hash after them, keccak256 of the hash
    /// before (32 bytes) and the words, its last 6 bytes zero; `wordCount`: words so far.
    event Appended(uint32 indexed slot, bytes words, bytes32 book, uint32 wordCount);
    event OrderSkipped(uint32 indexed slot, uint32 indexed point, uint8 sequence, Skip reason);
    event MarginExtended(uint32 indexed point, uint32 throughSlot);

    /// Appends orders of `slot`. An order that fails is skipped with an event; nothing one order does can revert the others.
    function append(uint32 slot, SignedOrder[] calldata orders) external returns (uint256 appended);

    /// A packed batch ends inside the order that starts at `offset`.
    error MalformedBatch(uint256 offset);
    /// The slot's book holds as many words, or awaits as many sealed batches, as its entry can count.
    error BookFull(uint32 slot);
    /// A contract was wired to another one than it names itself.
    error WrongWiring(address expected, address got);

    /// The same from packed orders (PackedOrder): for relayers, a third of the calldata. All orders are of `slot`.
    function appendPacked(uint32 slot, bytes calldata orders) external returns (uint256 appended);

    /// The orders that stand in the books from `firstSlot` to `throughSlot` of points in `zones` (a bit each) are void. Every one of
    /// these books that has words was folded once more: keccak256 of its hash, the 32 bytes of `zones` and a zero byte, its last 6
    /// bytes zero. In a clearing's `batches` a void is 2 zero bytes, then the 32 bytes of `zones`.
    event ZonesVoided(uint32 indexed firstSlot, uint32 throughSlot, uint256 zones);

    error NotEmergency(address caller);
    error NotGrid(address caller);

    /// Only Emergency: 0 open, 1 no new orders, 2 no clearing either.
    function setMarketState(uint8 state) external;
    /// Only Grid, when it islands a zone: voids the orders of `zones` in all books from `firstSlot` on that are open. Orders of these
    /// zones in sealed batches of these slots are void too, and margins in these slots count anew with each order.
    function voidZones(uint32 firstSlot, uint256 zones) external;
    function emergency() external view returns (address);

    error NotSealedBatches(address caller);
    error NotLedger(address caller);

    /// Only SealedBatches: a batch was sealed for the slot.
    function noteSealed(uint32 slot) external;
    /// Only SealedBatches: one of them is opened; as appendPacked, after the gate.
    function appendSealed(uint32 slot, bytes calldata orders) external returns (uint256 appended);
    /// The slot's book is complete after this block time: the gate, or the end of the opening window (150 s later) while sealed
    /// batches are not opened. Before the gate more can be sealed. Never (type max) while the market state forbids clearing.
    /// With it `bookOf`: all that a clearing needs of the book.
    function clearableFrom(uint32 slot) external view returns (uint256 from, bytes32 book, uint32 wordCount);
    function sealedBatches() external view returns (address);

    /// Day orders, for any accounts and slots: one signature covers up to 120 consecutive slots with up to 8 steps each. `orders`:
    /// PackedDays, best sorted by point.
    /// EIP-712: DayOrder(uint32 point,uint32 firstSlot,uint8 stepsPerSlot,uint8 sequence,bool green,int24[] energyWh,int40[] priceMicroPerKwh),
    /// or for signers who need to show it to nobody, cheaper: PackedDayOrder(bytes order), its PackedDays up to the last step with
    /// zeros for the length of the signature.
    /// Per slot `stepsPerSlot` energies (Wh: positive sells, negative buys, 0 = no step) and prices; `green` holds for all steps,
    /// `sequence` for all slots: a slot that already has as high a one is skipped, and later orders of either kind supersede it
    /// there by a higher one. A slot without a step cancels the account's order there, if it had one. Slots out of reach (gate,
    /// terms, 120 slots) and slots whose steps break a rule are skipped with `OrderSkipped`, the others are taken.
    function appendDays(bytes calldata orders) external returns (uint256 appended);

    /// One `appendDays` that took orders. `books`: for each slot from `firstSlot` on 32 bytes running hash and 4 bytes number of words
    /// after it; zeros where it added none. `orders`: those that were taken, each PackedDays up to its last step. `outcomes`, for
    /// each of them: 1 byte zone, 1 byte flags (bits 1..0 priority class; bit 5: margin; bit 6: partly), with the margin flag 4 bytes
    /// slot up to which the account's margin was extended (instead of `MarginExtended`), with the other one 16 bytes of the order's
    /// slots that were taken, with its sequence, bit i for slot first + i, and 16 of those that got words; else all were and did.
    /// The words of a slot in order of an order's steps: point, sequence, zone, flags (bit 0 where it sells, bit 1 if green, bits 3..2
    /// priority), energy, price; for a slot without a step one word with zero flags, energy and price. The words of all orders, in
    /// their order, are one batch for each slot.
    event DaysAppended(uint32 indexed firstSlot, bytes books, bytes outcomes, bytes orders);
    /// No slot of a day order was taken, for one reason.
    event DaySkipped(uint32 indexed point, uint32 firstSlot, uint8 sequence, Skip reason);

    /// Running hash and number of words of a slot's book; the start value and 0 for an empty book.
    function bookOf(uint32 slot) external view returns (bytes32 book, uint32 wordCount);
    /// keccak256(abi.encode(chainid, address(this), slot)).
    function bookStart(uint32 slot) external view returns (bytes32);
    /// Sequence bytes the book holds for a point from `fromSlot` on.
    function sequencesOf(uint32 point, uint32 fromSlot, uint256 count) external view returns (uint8[] memory);
    /// Last slot for which the account's margin was checked; 0 = never.
    function marginedThrough(uint32 point) external view returns (uint32);
    /// Margin that one more slot binds, nano-token: R T + L (T - F) + E max(0, -F); in a zone that is ever without a backup supplier
    /// at least the same by the bounds of the band (MarginPages); plus the fee of all words that an account can have in a book,
    /// and the largest penalty of a slot (MarginPages.penaltyPerSlot).
    function marginPerSlot(uint32 point) external view returns (uint256 nano);
    /// Margin that the account's range of open slots binds now, nano-token.
    function requiredMargin(uint32 point) external view returns (uint256 nano);
    /// Margin that the backup supplier keeps: for every slot that is not final, up to the last that takes orders, all that it may
    /// have to buy at the highest tariff, nano-token.
    function backupMargin() external view returns (uint256 nano);
    /// Only the ledger, which suspends the point: its next order is checked against its balance, however far it was margined.
    function dropMargin(uint32 point) external;
    function ledger() external view returns (address);
    function settlement() external view returns (address);
}
