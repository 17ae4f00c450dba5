// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {BookTables} from "../libraries/BookTables.sol";
import {BookTable, ClearingBook} from "../libraries/ClearingBook.sol";
import {ClearingProof} from "../libraries/ClearingProof.sol";
import {ClearingOutcome} from "../libraries/ClearingTypes.sol";
import {ClearingSubmission, MarketTerms} from "../libraries/MarketTypes.sol";

/// The proof as a contract of its own, for `daeg verify` and tests: records one book, then judges clearings of it.
/// In the books of `daeg verify` every order is a metering point of its own, and fills may exceed what a record holds.
contract ClearingHarness is IClearingErrors {
    error BookMismatch(bytes32 expected, bytes32 got);
    error WrongFillCount(uint256 posted, uint256 expected);
    error FillMismatch(uint256 order, int256 postedWh, int256 expectedWh);

    bytes32 public book;

    /// Appends OrderWords, 16 bytes each, to the recorded book, in batches of so many words (2 bytes each).
    function append(bytes calldata words, bytes calldata batches) external {
        (book, ) = ClearingBook.replay(words, batches, book);
    }

    /// Judges a clearing of the recorded book.
    /// @param submission the whole book again, and what is posted
    /// @param fillsWh claimed fill of every order; order i must be point i
    /// @return outcome what was proven
    /// @return soldWh net sold Wh per point
    function verify(
        ClearingSubmission calldata submission,
        MarketTerms calldata market,
        int64[] calldata fillsWh
    ) external view returns (ClearingOutcome memory outcome, int256[] memory soldWh) {
        (bytes32 hash, BookTable memory table) = ClearingBook.replay(submission.book, submission.batches, 0);
        if (hash != book) revert BookMismatch(book, hash);
        outcome = ClearingProof.proveReplayed(submission, table, market);
        soldWh = _soldWh(table);
        if (fillsWh.length != soldWh.length) revert WrongFillCount(fillsWh.length, soldWh.length);
        for (uint256 i = 0; i < soldWh.length; ++i) {
            int256 expectedWh = soldWh[i] < 0 ? -soldWh[i] : soldWh[i];
            if (fillsWh[i] != expectedWh) revert FillMismatch(i, fillsWh[i], expectedWh);
        }
    }

    /// `ClearingProof.prove` itself, for books in which points have several words, with the positions of a record.
    function prove(
        ClearingSubmission calldata submission,
        bytes32 startHash,
        MarketTerms calldata market
    ) external pure returns (bytes32 bookHash, ClearingOutcome memory outcome, bytes memory positions) {
        BookTable memory table;
        (bookHash, outcome, table) = ClearingProof.prove(submission, startHash, market);
        positions = BookTables.positionsOf(table);
    }

    /// Gas of the proof alone, without calldata and without returning the outcome.
    function proofGas(
        ClearingSubmission calldata submission,
        MarketTerms calldata market
    ) external view returns (uint256 gas_) {
        MarketTerms memory terms = market;
        gas_ = gasleft();
        (, , BookTable memory table) = ClearingProof.prove(submission, 0, terms);
        BookTables.positionsOf(table);
        gas_ -= gasleft();
    }

    function _soldWh(BookTable memory table) private pure returns (int256[] memory soldWh) {
        soldWh = new int256[](BookTables.pointsOf(table));
        for (uint256 i = 0; i < soldWh.length; ++i) soldWh[i] = BookTables.soldWhOf(table, i);
    }
}
