// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingSubmission} from "../libraries/MarketTypes.sol";
import {ClearingPart} from "../libraries/PartTypes.sol";

/// What settlement needs from a clearing; the chain keeps `bytes28(keccak256(abi.encode(record)))`.
struct ClearingRecord {
    uint32 slot;
    /// Who cleared.
    address clearer;
    /// Zone prices, micro-token per kWh.
    int64[] prices;
    /// Net Wh that the backup sold in the slot over all zones, and its money for it (sold at zone price less bought at it).
    uint64 backupSoldWh;
    uint64 backupBoughtWh;
    int128 backupNano;
    /// Congestion rent, nano-token: minus the sum of net export x zone price, backup included.
    int128 congestionNano;
    /// Dense per point, 4 bytes each: bit 31 = bought, bits 30..24 = words of the point in the book, superseded ones and
    /// cancellations too, bits 23..0 = Wh of the auction's fills (PackedEnergy). Shorter than the points: the rest is zero.
    bytes positions;
    /// Empty, or abi.encode(ClearingExtras).
    bytes extras;
}

/// What only some slots have.
struct ClearingExtras {
    /// Per zone, micro-token per kWh: what green orders trade at; empty where no live green-only bid is in the book.
    int64[] greenPrices;
    /// Net Wh that each point sold in green orders (PackedEnergy); empty with `greenPrices`.
    bytes green;
    /// The slot's bilateral trades in order of registration, 32 bytes each (TradeWord), and their fills; both empty without any.
    bytes trades;
    uint32[] tradesWh;
    /// Bound of what the welfare may lack of the optimum, nano-token; 0 on a radial network.
    uint128 gapBoundNano;
}

/// @title The auction: anyone posts a slot's clearing with its whole book; the contract accepts only the optimal one.
interface IAuction {
    event Cleared(
        uint32 indexed slot,
        address indexed clearer,
        ClearingRecord record,
        uint64 boughtWh,
        int256 welfareNano
    );

    /// `gate`: IOrderBook.clearableFrom, later than the gate while sealed batches wait to be opened.
    /// One part of a clearing was taken: the next one ends where the book's hash is `hashBefore`.
    event PartTaken(uint32 indexed slot, address indexed submitter, bytes32 hashBefore, bytes32 progress);

    error NotBetweenGateAndStart(uint32 slot, uint256 now_, uint256 gate, uint256 start);
    error AlreadyCleared(uint32 slot);
    error BookMismatch(uint32 slot, bytes32 expected, bytes32 got);
    error EmptyBook(uint32 slot);

    /// Clears a slot between its gate and its start. The proof's errors: IClearingErrors.
    function clear(ClearingSubmission calldata submission) external;

    /// Takes one part of a clearing, from the end of the book on, for books beyond the gas of one transaction: whole batches, the same
    /// postings and claims in every part. With the part that begins the book the slot is cleared, exactly as `clear` would. Progress
    /// belongs to the sender; the first complete clearing wins, and a part without state begins anew.
    /// @return next the state to hand in with the next part (learn it by eth_call); empty when the slot is cleared
    function clearPart(ClearingPart calldata part) external returns (bytes memory next);

    /// Hash of the state that the submitter's last part left.
    function progressOf(address submitter) external view returns (bytes32);
    /// First 28 bytes of the hash of the accepted ClearingRecord; 0 = not cleared (positions are zero).
    function clearingOf(uint32 slot) external view returns (bytes28);
    /// `clearingOf` for many slots: bits 255..32 hash, 31..0 slot; 0 = not cleared.
    function entriesOf(uint32[] calldata slots) external view returns (uint256[] memory);
    function orderBook() external view returns (address);
    function bilaterals() external view returns (address);
}
