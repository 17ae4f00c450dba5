// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {BookTables} from "./BookTables.sol";
import {BookTable, ClearingBook} from "./ClearingBook.sol";
import {ClearingClaims} from "./ClearingClaims.sol";
import {ClearingProof} from "./ClearingProof.sol";
import {ZoneTally} from "./ClearingTypes.sol";
import {MarketTerms} from "./MarketTypes.sol";
import {PartTables} from "./PartTables.sol";
import {ClearingPart, PartResult, PartState} from "./PartTypes.sol";
import {ZoneTallies} from "./ZoneTallies.sol";

/// A clearing in several transactions, for books beyond the gas of one. The book is read from its end, a part of whole batches at a
/// time: so each point's live words come first, and the chain of hashes is checked backwards. Words at the price are filled as they
/// are read, from claims about all of them that the last part proves. Between parts the chain keeps one hash per submitter. A contract
/// of its own, since most clearings need none of it: with it the auction would exceed the size of one (EIP-170).
library ClearingParts {
    /// Takes one part.
    /// @param progress what the submitter's last part left; ignored by a first part
    /// @param bookEnd hash of the whole book
    /// @param bookStart hash before its first word: the part that begins there is the last
    function take(
        ClearingPart calldata part,
        MarketTerms memory market,
        bytes32 progress,
        bytes32 bookEnd,
        bytes32 bookStart
    ) external pure returns (PartResult memory result) {
        PartState memory state = _resume(part, progress, bookEnd);
        BookTable memory table = _replay(part, state);
        ZoneTally[] memory tallies = _tallies(part, market, state);
        _makeRoom(part, state, table);
        uint256[] memory margin = ClearingBook.tally(part.submission, table, tallies, market.zones.length);
        ClearingClaims.fill(part, table, tallies, market.zones.length, margin, state.seen);
        if (part.hashBefore == bookStart) {
            ClearingClaims.check(part, tallies, market.zones.length, state.seen);
            result.outcome.welfareNano = ClearingBook.close(tallies, market.band);
            ClearingProof.check(part.submission, market, tallies, result.outcome);
            (result.positions, result.green) = BookTables.recordOf(table, part.submission.green.length != 0);
            return result;
        }
        state.hashAfter = part.hashBefore;
        state.tallies = ZoneTallies.pack(tallies, market.zones.length);
        state.table = PartTables.pack(table);
        state.voided = table.voided;
        result.next = abi.encode(state);
    }

    /// The words are those that the book has between the two hashes.
    function _replay(ClearingPart calldata part, PartState memory state) private pure returns (BookTable memory table) {
        bytes32 got;
        (got, table.voids) = ClearingBook.fold(part.submission.book, part.submission.batches, part.hashBefore);
        table.voided = state.voided;
        if (got != state.hashAfter) revert IClearingErrors.PartMismatch(state.hashAfter, got); // [46]
    }

    function _resume(
        ClearingPart calldata part,
        bytes32 progress,
        bytes32 bookEnd
    ) private pure returns (PartState memory state) {
        bytes32 posted = keccak256(
            abi.encode(
                part.submission.slot,
                part.submission.postings,
                part.submission.green,
                part.submission.trades,
                part.submission.tradesWh,
                part.submission.duals,
                part.claims
            )
        );
        if (part.state.length == 0) {
            state.posted = posted;
            state.hashAfter = bookEnd;
            state.seen = new uint256[](3 * part.claims.length);
            return state;
        }
        bytes32 got = keccak256(part.state);
        if (got != progress) revert IClearingErrors.StaleProgress(progress, got); // [47]
        state = abi.decode(part.state, (PartState));
        if (posted != state.posted) revert IClearingErrors.OtherSubmission(state.posted, posted); // [47]
    }

    function _tallies(
        ClearingPart calldata part,
        MarketTerms memory market,
        PartState memory state
    ) private pure returns (ZoneTally[] memory tallies) {
        if (part.state.length == 0) {
            tallies = ClearingProof.open(part.submission, market);
            uint256 groups = 5 * tallies.length;
            if (part.claims.length != groups) revert IClearingErrors.WrongClaim(groups);
        } else {
            tallies = ZoneTallies.unpack(state.tallies, market.zones.length, part.submission.green.length != 0);
        }
    }

    function _makeRoom(ClearingPart calldata part, PartState memory state, BookTable memory table) private pure {
        uint256 points;
        (points, table.zones) = ClearingBook.bound(part.submission.book);
        uint256 known = state.table.length / PartTables.BYTES;
        table.points = points > known ? points : known;
        table.memoryOffset = ClearingBook.room(table.points);
        PartTables.unpack(state.table, table);
    }
}
