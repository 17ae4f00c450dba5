// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAuction} from "../interfaces/IAuction.sol";
import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {IBilaterals} from "../interfaces/IBilaterals.sol";
import {IGrid} from "../interfaces/IGrid.sol";
import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {BookRing} from "../libraries/BookRing.sol";
import {BookTables} from "../libraries/BookTables.sol";
import {BookTable, ClearingBook} from "../libraries/ClearingBook.sol";
import {ClearingParts} from "../libraries/ClearingParts.sol";
import {ClearingProof} from "../libraries/ClearingProof.sol";
import {ClearingOutcome} from "../libraries/ClearingTypes.sol";
import {ClearedRecord} from "../libraries/ClearedRecord.sol";
import {CodeStore} from "../libraries/CodeStore.sol";
import {ClearingSubmission, MarketTerms, PriceBand} from "../libraries/MarketTypes.sol";
import {ClearingPart, PartResult} from "../libraries/PartTypes.sol";
import {RecordExtras} from "../libraries/RecordExtras.sol";
import {SlotRing} from "../libraries/SlotRing.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {TermsWord} from "../libraries/TermsWord.sol";
import {ZonesOfSlot} from "../libraries/ZonesOfSlot.sol";

/// See IAuction for what each function does.
contract Auction is IAuction, IClearingErrors {
    address public immutable orderBook;
    address public immutable bilaterals;
    IGrid public immutable grid;
    ITariffs public immutable tariffs;

    /// bits 255..32 digest of the record, 31..0 slot.
    mapping(uint256 ringIndex => uint256 entry) private _clearings;
    mapping(address submitter => bytes32 progress) public progressOf;

    constructor(address orderBook_, IGrid grid_, ITariffs tariffs_, address bilaterals_) {
        orderBook = orderBook_;
        grid = grid_;
        tariffs = tariffs_;
        bilaterals = bilaterals_;
    }

    function clear(ClearingSubmission calldata submission) external {
        uint32 slot = submission.slot;
        (bytes32 expected, uint32 wordCount) = _checkTurn(slot);
        MarketTerms memory market = _marketOf(submission);
        // The posted book is the one that the chain holds; it may be empty beside bilateral trades.
        if (wordCount == 0 && market.trades.length == 0) revert EmptyBook(slot);
        (bytes32 got, BookTable memory table) = ClearingBook.replay(
            submission.book,
            submission.batches,
            BookRing.startIn(orderBook, slot)
        );
        if (got != expected) revert BookMismatch(slot, expected, got); // [1]
        ClearingOutcome memory outcome = ClearingProof.proveReplayed(submission, table, market);
        (bytes memory positions, bytes memory green) = BookTables.recordOf(table, submission.green.length != 0);
        _accept(submission, positions, green, outcome);
    }

    function clearPart(ClearingPart calldata part) external returns (bytes memory next) {
        uint32 slot = part.submission.slot;
        (bytes32 bookEnd, uint32 wordCount) = _checkTurn(slot);
        if (wordCount == 0) revert EmptyBook(slot);
        PartResult memory result = ClearingParts.take(
            part,
            _marketOf(part.submission),
            progressOf[msg.sender],
            bookEnd,
            BookRing.startIn(orderBook, slot)
        );
        next = result.next;
        bytes32 progress = keccak256(next);
        progressOf[msg.sender] = progress;
        if (next.length == 0) _accept(part.submission, result.positions, result.green, result.outcome);
        else emit PartTaken(slot, msg.sender, part.hashBefore, progress);
    }

    /// Hash and number of words of the slot's book, once it is complete.
    function _checkTurn(uint32 slot) private view returns (bytes32 book, uint32 wordCount) {
        uint256 gate;
        (gate, book, wordCount) = IOrderBook(orderBook).clearableFrom(slot);
        uint256 start = SlotTime.startOf(slot);
        if (block.timestamp <= gate || block.timestamp >= start) {
            revert NotBetweenGateAndStart(slot, block.timestamp, gate, start);
        }
        if (clearingOf(slot) != 0) revert AlreadyCleared(slot);
    }

    function clearingOf(uint32 slot) public view returns (bytes28) {
        uint256 entry = _clearings[slot % SlotTime.RING];
        return uint32(entry) == slot ? bytes28(bytes32(entry)) : bytes28(0);
    }

    function entriesOf(uint32[] calldata slots) external view returns (uint256[] memory) {
        return SlotRing.read(_clearings, slots, 0, type(uint32).max, 0);
    }

    function _accept(
        ClearingSubmission calldata submission,
        bytes memory positions,
        bytes memory green,
        ClearingOutcome memory outcome
    ) private {
        bytes memory extras = RecordExtras.encode(submission, green, outcome.gapBoundNano);
        bytes28 digest = ClearedRecord.log(submission, outcome, positions, extras); // [23]
        _clearings[submission.slot % SlotTime.RING] = uint256(bytes32(digest)) | submission.slot;
    }

    /// Terms and network of the slot, and its trades, which are those that the registry lists.
    function _marketOf(ClearingSubmission calldata submission) private view returns (MarketTerms memory market) {
        uint32 slot = submission.slot;
        TermsWord terms = tariffs.wordOf(slot);
        if (!terms.isPublished()) revert ITariffs.NotPublished(slot);
        market.band = PriceBand(terms.bandMin(), terms.bandMax(), terms.reference_());
        address stored;
        (stored, market.limits) = grid.storedNetworkOf(slot);
        market.zones = ZonesOfSlot.read(CodeStore.read(stored), terms);
        if (submission.trades.length == 0) {
            (, uint256 listed) = IBilaterals(bilaterals).tradesOf(slot);
            if (listed == 0) return market;
        }
        market.trades = IBilaterals(bilaterals).listed(slot, submission.trades);
    }
}
