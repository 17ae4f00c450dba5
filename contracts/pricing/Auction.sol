// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord, IAuction} from "../interfaces/IAuction.sol";
import {GridZone, IGrid} from "../interfaces/IGrid.sol";
import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {BookTable, ClearingBook} from "../libraries/ClearingBook.sol";
import {ClearingProof} from "../libraries/ClearingProof.sol";
import {ClearingOutcome} from "../libraries/ClearingTypes.sol";
import {PriceBand, SlotTerms, ZonePosting, ZoneTerms} from "../libraries/MarketTypes.sol";
import {RecordDigest} from "../libraries/RecordDigest.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

/// See IAuction for what each function does.
contract Auction is IAuction {
    address public immutable orderBook;
    IGrid public immutable grid;
    ITariffs public immutable tariffs;

    /// bits 255..32 digest of the record, 31..0 slot.
    mapping(uint256 ringIndex => uint256 entry) private _clearings;

    constructor(address orderBook_, IGrid grid_, ITariffs tariffs_) {
        orderBook = orderBook_;
        grid = grid_;
        tariffs = tariffs_;
    }

    function clear(uint32 slot, bytes calldata book, ZonePosting[] calldata postings) external {
        uint256 gate = SlotTime.gateOf(slot);
        uint256 start = SlotTime.startOf(slot);
        if (block.timestamp <= gate || block.timestamp >= start) {
            revert NotBetweenGateAndStart(slot, block.timestamp, gate, start);
        }
        if (clearingOf(slot) != 0) revert AlreadyCleared(slot);
        ClearingOutcome memory outcome = _prove(slot, book, postings);
        _accept(slot, outcome, postings);
    }

    function clearingOf(uint32 slot) public view returns (bytes28) {
        uint256 entry = _clearings[slot % SlotTime.RING];
        return uint32(entry) == slot ? bytes28(bytes32(entry)) : bytes28(0);
    }

    /// The posted book is the one that the chain holds, and the postings clear it optimally.
    function _prove(
        uint32 slot,
        bytes calldata book,
        ZonePosting[] calldata postings
    ) private view returns (ClearingOutcome memory) {
        BookTable memory table = _replay(slot, book);
        (ZoneTerms[] memory zones, PriceBand memory band) = _terms(slot);
        return ClearingProof.proveReplayed(book, table, zones, band, postings);
    }

    function _replay(uint32 slot, bytes calldata book) private view returns (BookTable memory table) {
        (bytes32 expected, uint32 wordCount) = IOrderBook(orderBook).bookOf(slot);
        if (wordCount == 0) revert EmptyBook(slot);
        bytes32 got;
        (got, table) = ClearingBook.replay(book, IOrderBook(orderBook).bookStart(slot));
        if (got != expected) revert BookMismatch(slot, expected, got); // [1]
    }

    function _accept(uint32 slot, ClearingOutcome memory outcome, ZonePosting[] calldata postings) private {
        int64[] memory prices = new int64[](postings.length);
        for (uint256 i = 0; i < prices.length; ++i) prices[i] = postings[i].price;
        ClearingRecord memory record = ClearingRecord(
            slot,
            prices,
            outcome.backupSoldWh,
            outcome.backupBoughtWh,
            outcome.backupNano,
            outcome.congestionNano,
            outcome.positions
        );
        bytes28 digest = RecordDigest.ofMemory(record); // [23]
        _clearings[slot % SlotTime.RING] = uint256(bytes32(digest)) | slot;
        emit Cleared(slot, msg.sender, record, outcome.boughtWh, outcome.welfareNano);
    }

    function _terms(uint32 slot) private view returns (ZoneTerms[] memory zones, PriceBand memory band) {
        SlotTerms memory terms = tariffs.termsOf(slot);
        band = PriceBand(terms.bandMin, terms.bandMax, terms.reference_);
        GridZone[] memory network = grid.gridOf(slot);
        zones = new ZoneTerms[](network.length);
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
