// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {BookTable, ClearingBook} from "../libraries/ClearingBook.sol";
import {ClearingProof} from "../libraries/ClearingProof.sol";
import {ClearingOutcome} from "../libraries/ClearingTypes.sol";
import {PriceBand, ZonePosting, ZoneTerms} from "../libraries/MarketTypes.sol";
import {PackedEnergy} from "../libraries/PackedEnergy.sol";

/// The proof as a contract of its own, for `daeg verify` and tests: records one book, then judges clearings of it.
/// In the books of `daeg verify` every order is a metering point of its own.
contract ClearingHarness is IClearingErrors {
    error BookMismatch(bytes32 expected, bytes32 got);
    error WrongFillCount(uint256 posted, uint256 expected);
    error FillMismatch(uint256 order, int256 postedWh, int256 expectedWh);

    bytes32 public book;

    /// Appends OrderWords, 16 bytes each, to the recorded book.
    function append(bytes calldata words) external {
        (book, ) = ClearingBook.replay(words, book);
    }

    /// Judges a clearing of the recorded book.
    /// @param submitted the whole book again
    /// @param fillsWh claimed fill of every order; order i must be point i
    function verify(
        bytes calldata submitted,
        ZoneTerms[] calldata zones,
        PriceBand calldata band,
        ZonePosting[] calldata postings,
        int64[] calldata fillsWh
    ) external view returns (ClearingOutcome memory outcome) {
        (bytes32 hash, BookTable memory table) = ClearingBook.replay(submitted, 0);
        if (hash != book) revert BookMismatch(book, hash);
        outcome = ClearingProof.proveReplayed(submitted, table, zones, band, postings);
        uint256 count = outcome.positions.length / PackedEnergy.BYTES;
        if (fillsWh.length != count) revert WrongFillCount(fillsWh.length, count);
        for (uint256 i = 0; i < count; ++i) {
            int256 expectedWh = PackedEnergy.positionOfMemory(outcome.positions, i);
            if (expectedWh < 0) expectedWh = -expectedWh;
            if (fillsWh[i] != expectedWh) revert FillMismatch(i, fillsWh[i], expectedWh);
        }
    }

    /// `ClearingProof.prove` itself, for books in which points have several words.
    function prove(
        bytes calldata submitted,
        bytes32 startHash,
        ZoneTerms[] calldata zones,
        PriceBand calldata band,
        ZonePosting[] calldata postings
    ) external pure returns (bytes32 bookHash, ClearingOutcome memory outcome) {
        return ClearingProof.prove(submitted, startHash, zones, band, postings);
    }

    /// Gas of the proof alone, without calldata and without returning the outcome.
    function proofGas(
        bytes calldata submitted,
        ZoneTerms[] calldata zones,
        PriceBand calldata band,
        ZonePosting[] calldata postings
    ) external view returns (uint256 gas_) {
        ZoneTerms[] memory terms = zones;
        gas_ = gasleft();
        ClearingProof.prove(submitted, 0, terms, band, postings);
        gas_ -= gasleft();
    }
}
