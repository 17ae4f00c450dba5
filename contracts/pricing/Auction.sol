// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord, IAuction} from "../interfaces/IAuction.sol";
import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {IBilaterals} from "../interfaces/IBilaterals.sol";
import {GridZone, IGrid} from "../interfaces/IGrid.sol";
import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {BookTables} from "../libraries/BookTables.sol";
import {BookTable, ClearingBook} from "../libraries/ClearingBook.sol";
import {ClearingParts} from "../libraries/ClearingParts.sol";
import {ClearingProof} from "../libraries/ClearingProof.sol";
import {ClearingOutcome} from "../libraries/ClearingTypes.sol";
import {ClearingSubmission, MarketTerms, PriceBand, SlotTerms, ZoneTerms} from "../libraries/MarketTypes.sol";
import {ClearingPart} from "../libraries/PartTypes.sol";
import {RecordExtras} from "../libraries/RecordExtras.sol";
import {RecordDigest} from "../libraries/RecordDigest.sol";
import {SlotRing} from "../libraries/SlotRing.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

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
        _checkTurn(slot);
        MarketTerms memory market = _marketOf(submission);
        BookTable memory table = _replay(submission, market.trades.length);
        ClearingOutcome memory outcome = ClearingProof.proveReplayed(submission, table, market);
        _accept(submission, table, outcome);
    }

    function clearPart(ClearingPart calldata part) external returns (bytes memory next) {
        uint32 slot = part.submission.slot;
        _checkTurn(slot);
        (bytes32 bookEnd, uint32 wordCount) = IOrderBook(orderBook).bookOf(slot);
        if (wordCount == 0) revert EmptyBook(slot);
        ClearingOutcome memory outcome;
        BookTable memory table;
        (next, outcome, table) = ClearingParts.take(
            part,
            _marketOf(part.submission),
            progressOf[msg.sender],
            bookEnd,
            IOrderBook(orderBook).bookStart(slot)
        );
        bytes32 progress = keccak256(next);
        progressOf[msg.sender] = progress;
        if (next.length == 0) _accept(part.submission, table, outcome);
        else emit PartTaken(slot, msg.sender, part.hashBefore, progress);
    }

    function _checkTurn(uint32 slot) private view {
        uint256 gate = IOrderBook(orderBook).clearableFrom(slot);
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

    /// The posted book is the one that the chain holds; it may be empty beside bilateral trades.
    function _replay(
        ClearingSubmission calldata submission,
        uint256 trades
    ) private view returns (BookTable memory table) {
        uint32 slot = submission.slot;
        (bytes32 expected, uint32 wordCount) = IOrderBook(orderBook).bookOf(slot);
        if (wordCount == 0 && trades == 0) revert EmptyBook(slot);
        bytes32 got;
        (got, table) = ClearingBook.replay(submission.book, submission.batches, IOrderBook(orderBook).bookStart(slot));
        if (got != expected) revert BookMismatch(slot, expected, got); // [1]
    }

    function _accept(
        ClearingSubmission calldata submission,
        BookTable memory table,
        ClearingOutcome memory outcome
    ) private {
        uint32 slot = submission.slot;
        ClearingRecord memory record;
        record.slot = slot;
        record.clearer = msg.sender;
        record.prices = new int64[](submission.postings.length);
        for (uint256 i = 0; i < record.prices.length; ++i) record.prices[i] = submission.postings[i].price;
        record.backupSoldWh = outcome.backupSoldWh;
        record.backupBoughtWh = outcome.backupBoughtWh;
        record.backupNano = outcome.backupNano;
        record.congestionNano = outcome.congestionNano;
        record.positions = BookTables.positionsOf(table);
        record.extras = RecordExtras.encode(submission, table, outcome.gapBoundNano);
        bytes28 digest = RecordDigest.ofMemory(record); // [23]
        _clearings[slot % SlotTime.RING] = uint256(bytes32(digest)) | slot;
        emit Cleared(slot, msg.sender, record, outcome.boughtWh, outcome.welfareNano);
    }

    /// Terms and network of the slot, and its trades, which are those that the registry lists.
    function _marketOf(ClearingSubmission calldata submission) private view returns (MarketTerms memory market) {
        market = _terms(submission.slot);
        market.trades = IBilaterals(bilaterals).listed(submission.slot, submission.trades);
    }

    function _terms(uint32 slot) private view returns (MarketTerms memory market) {
        SlotTerms memory terms = tariffs.termsOf(slot);
        market.band = PriceBand(terms.bandMin, terms.bandMax, terms.reference_);
        GridZone[] memory network;
        (network, market.limits) = grid.networkOf(slot);
        ZoneTerms[] memory zones = new ZoneTerms[](network.length);
        market.zones = zones;
        int64 fee = int64(uint64(terms.fee));
        for (uint256 i = 0; i < zones.length; ++i) {
            GridZone memory from = network[i];
            ZoneTerms memory zone = zones[i];
            zone.parent = from.parent;
            zone.toParentWh = from.toParentWh;
            zone.fromParentWh = from.fromParentWh;
            zone.fee = fee;
            if (from.backupCapacityWh == 0) continue;
            zone.hasBackup = true;
            zone.backupSell = terms.importTariff;
            zone.backupBuy = terms.exportTariff;
            zone.backupCapacityWh = from.backupCapacityWh;
        }
    }
}
