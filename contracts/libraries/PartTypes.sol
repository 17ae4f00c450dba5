// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingOutcome} from "./ClearingTypes.sol";
import {ClearingSubmission} from "./MarketTypes.sol";

/// What a submitter claims of one group of words at the price, so that each can be filled when it is read; proven at the end.
struct GroupClaim {
    /// Wh of all its words.
    uint64 availableWh;
    uint32 words;
    /// Wh that the floors of the pro rata shares leave over.
    uint64 restWh;
}

/// One part of a clearing that is posted in several transactions, from the end of the book to its beginning.
struct ClearingPart {
    /// `book` and `batches` of this part alone, whole batches; all else the same in every part.
    ClearingSubmission submission;
    /// Five per record: offers, then bids by class (normal, opportunistic, critical, emergency). Where the bids of a record do not
    /// share by class (all or none are filled, or a backup serves the island) all of them count as normal.
    GroupClaim[] claims;
    /// The book's hash before this part.
    bytes32 hashBefore;
    /// What the part before left (empty for the first one).
    bytes state;
}

/// What a part of a clearing comes to.
struct PartResult {
    /// State for the next part; empty when the clearing is complete and proven. Else all below is empty.
    bytes next;
    ClearingOutcome outcome;
    /// What the record keeps of the fills (BookTables.recordOf).
    bytes positions;
    bytes green;
}

/// What is known between two parts.
struct PartState {
    /// Hash of everything posted but the book.
    bytes32 posted;
    /// The book's hash after the next part.
    bytes32 hashAfter;
    /// ZoneTallies.pack.
    bytes tallies;
    /// Per group: words, Wh and floors so far.
    uint256[] seen;
    /// PartTables.pack.
    bytes table;
    /// Zones that are void before the next part's end, a bit each.
    uint256 voided;
}
