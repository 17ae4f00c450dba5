// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "./IAuction.sol";

/// One slot to settle: the clearing as recorded (ignored when the slot was not cleared) and the readings as reported.
struct SlotToSettle {
    /// `record.slot` names the slot even when nothing was cleared.
    ClearingRecord record;
    /// A registered point beyond the readings counts as missing, readings beyond the registered points do not count.
    /// 8 bytes per point: bits 63..62 quality (0 measured, 1 interpolated, 2 estimated, 3 missing), 61..31 import Wh, 30..0 export Wh.
    bytes readings;
    bytes32 root;
}

/// One slot to settle anew: what it was settled with, and the higher version that replaced it.
struct SlotToResettle {
    ClearingRecord record;
    bytes settledReadings;
    bytes32 settledRoot;
    bytes readings;
    bytes32 root;
}

/// @title Settlement: positions and readings become money; one ledger write per account, however many slots.
interface ISettlement {
    enum Status {
        Open,
        Estimated,
        Settled
    }

    /// Sums of one slot, nano-token and Wh. With the record and the readings an indexer rebuilds every payment. A slot that is settled
    /// anew has another event with a higher version: its sums take the place of the former ones, and only differences were moved.
    event Settled(
        uint32 indexed slot,
        uint8 version,
        Status status,
        bytes readings,
        int128 backupNano,
        int128 operatorNano,
        int128 membersNano,
        int128 congestionNano
    );
    /// As `Settled`, for the slots of one `settlePacked`, in their order. `sums`: per slot 4 bytes slot, 1 byte version, 16 bytes each
    /// backup, operator, members, congestion. `readings`: as they were given.
    event SlotsSettled(bytes sums, bytes readings);
    event Estimated(uint32 indexed slot);
    event FinalThrough(uint32 slot);

    error NotReported(uint32 slot);
    error ReadingsMismatch(uint32 slot, bytes28 expected, bytes28 got);
    error RecordMismatch(uint32 slot, bytes28 expected, bytes28 got);
    error AlreadySettled(uint32 slot);
    error TooEarly(uint32 slot, uint256 now_, uint256 from);
    error SlotsNotAscending(uint32 previous, uint32 slot);
    error BeforeGenesis(uint32 slot, uint32 genesis);
    error AlreadyEstimated(uint32 slot);
    error NotEstimated(uint32 slot);
    /// 256 slots are open: the oldest must become final first.
    error TooManyOpenSlots(uint32 slot, uint32 firstOpen);
    error NothingToSettle();
    /// Packed readings or records end at another byte than they should.
    error WrongLength(uint256 end, uint256 expected);
    /// The slot is not settled on a report.
    error NotSettled(uint32 slot);
    /// The slot is settled with the last report.
    error NothingToResettle(uint32 slot, uint8 version);
    /// The slot's window is over.
    error WindowOver(uint32 slot, uint32 finalFrom);
    /// A contract was wired to another one than it names itself.
    error WrongWiring(address expected, address got);

    /// Settles reported slots, ascending. Anyone. One account can never make it revert.
    function settle(SlotToSettle[] calldata slots) external;

    /// As `settle` of these slots, for a fraction of the gas: packed, all numbers unsigned unless said otherwise.
    ///
    ///   2 bytes number of slots, 4 bytes length of all readings, 4 bytes per slot its number; then, slot after slot, the readings;
    ///   then, slot after slot, 32 bytes root of the report and the record.
    ///
    ///   Readings: 1 byte form, 4 bytes number of points. Form 0: 8 bytes per point as in SlotToSettle. Form 1: 2 bytes number of
    ///   others; 12 bits per point, a measured reading of import only (highest bit set) or of export only, 11 bits Wh; then the others:
    ///   4 bytes point, 8 bytes reading. Twenty points are 32 bytes, the last ones filled up with zeros: five rows of four, written
    ///   column by column with four zero bits in front of each.
    ///
    ///   Record: 1 byte form. 0: none, the slot was not cleared. 1: 20 bytes clearer, then as form 2. 2, by the clearer of the record
    ///   before: 8 bytes each backup sold and bought, 16 bytes each backup's money and congestion (two's complement), 2 bytes number
    ///   of prices and 8 bytes each (two's complement), positions, 4 bytes length of extras, extras.
    ///
    ///   Positions: 1 byte form. Form 0: 4 bytes length, then as in the record. Form 1: 4 bytes number of points, 1 byte words of each
    ///   point, 2 bytes number of others; 2 bytes per point, bit 15 = bought, bits 14..0 Wh; then the others: 4 bytes point, 4 bytes
    ///   position as in the record. Sixteen points are 32 bytes, the last ones filled up with zeros: two rows of eight, written column
    ///   by column.
    ///
    ///   What is given of others beyond the number of points does not count.
    function settlePacked(bytes calldata slots) external;

    /// Settles slots anew on the higher version of their reports, before they are final: moves the differences. The window is not
    /// renewed: a slot is final 96 slots after it was first settled, whatever comes. Anyone.
    function resettle(SlotToResettle[] calldata slots) external;

    /// Flags slots without a settled report by the deadline. Anyone. A late report still settles such a slot normally.
    function estimate(uint32 slot) external;

    /// Pays an estimated slot for its positions, once its window is over and no report came, or 8 slots later if one came that
    /// nobody settled. Anyone.
    function settleEstimated(ClearingRecord calldata record) external;

    /// Advances and returns the last slot up to which everything is final. Anyone.
    function advanceFinal(uint256 limit) external returns (uint32);

    function statusOf(uint32 slot) external view returns (Status status, uint32 sinceSlot, uint8 version);
    /// Where the operating envelopes of slots stand.
    function envelopes() external view returns (address);
    function finalThrough() external view returns (uint32);
    function genesisSlot() external view returns (uint32);
}
