// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {Claim, ICertificates, Issue} from "../interfaces/ICertificates.sol";
import {IGenerators} from "../interfaces/IGenerators.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IReadingArchive, ReadingRange} from "../interfaces/IReadingArchive.sol";
import {CertificateUri} from "../libraries/CertificateUri.sol";
import {GreenSales} from "../libraries/GreenSales.sol";
import {PackedAmounts} from "../libraries/PackedAmounts.sol";
import {ReadingProof} from "../libraries/ReadingProof.sol";

/// See ICertificates for what each function does.
contract Certificates is ICertificates, ERC1155 {
    using PackedAmounts for mapping(uint256 => uint256);

    IReadingArchive public immutable archive;
    IGenerators public immutable generators;
    IMeteringPoints public immutable meteringPoints;

    /// By generator and slot.
    mapping(address holder => mapping(uint256 key => uint256 word)) private _amounts;
    /// By metering point and slot.
    mapping(uint256 key => uint256 word) private _matched;

    constructor(IReadingArchive archive_, IGenerators generators_, IMeteringPoints meteringPoints_) ERC1155("") {
        archive = archive_;
        generators = generators_;
        meteringPoints = meteringPoints_;
    }

    function issue(Issue[] calldata batch) external {
        if (batch.length == 0) revert NothingToIssue();
        for (uint256 i = 0; i < batch.length; ++i) _issue(batch[i]);
    }

    function claim(Claim calldata claim_) external {
        address holder = claim_.holder;
        if (holder != msg.sender && !isApprovedForAll(holder, msg.sender)) revert NotHolder(holder, msg.sender);
        uint256 count = claim_.ids.length;
        if (count == 0) revert NothingToClaim();
        if (count != claim_.values.length) revert ClaimLengthsDiffer(count, claim_.values.length);
        uint32 point = claim_.consumption.meter;
        if (meteringPoints.pointOf(point).owner != holder) revert NotConsumer(point, holder);
        uint256[] memory readings = _prove(claim_.consumption);
        for (uint256 i = 0; i < count; ++i) {
            _match(point, claim_.consumption.firstSlot, readings, uint32(claim_.ids[i]), claim_.values[i]);
        }
        _update(holder, address(0), claim_.ids, claim_.values);
        emit Claimed(holder, point, claim_.beneficiary, claim_.ids, claim_.values, claim_.purpose);
    }

    function matchedOf(uint32 point, uint32 slot) external view returns (uint256 wh) {
        return _matched.get(point, slot);
    }

    function balanceOf(address account, uint256 id) public view override returns (uint256) {
        if (id >> 64 != 0) return 0;
        return _amounts[account].get(id >> 32, uint32(id));
    }

    /// JSON as a data URI: nothing has to be fetched from anywhere. `id` need not have been issued.
    function uri(uint256 id) public view override returns (string memory) {
        uint32 generator = uint32(id >> 32);
        return CertificateUri.dataUri(generator, uint32(id), generators.generatorOf(generator).kind);
    }

    function idOf(uint32 generator, uint32 slot) public pure returns (uint256) {
        return (uint256(generator) << 32) | slot;
    }

    function _issue(Issue calldata given) private {
        ReadingRange calldata range = given.range;
        (uint256[] memory readings, bytes32[] memory salesHashes) = ReadingProof.prove(
            range,
            archive.wordOf(range.firstSlot / uint32(ReadingProof.SLOTS_PER_DAY))
        );
        (uint256[] memory amounts, address producer, uint32 connection) = generators.count(
            given.generator,
            range.meter,
            range.firstSlot,
            readings,
            msg.sender
        );
        uint256 used;
        for (uint256 i = 0; i < amounts.length; ++i) {
            if (salesHashes[i] == 0) continue;
            uint32 slot = range.firstSlot + uint32(i);
            bytes calldata list = _salesAt(given.sales, used++, slot, salesHashes[i]);
            if (amounts[i] == 0) continue;
            GreenSales.Share memory share = GreenSales.shareOf(list, connection);
            amounts[i] -= _issueSold(idOf(given.generator, slot), share, list, amounts[i]);
        }
        if (used != given.sales.length) revert SalesLeftOver(used, given.sales.length);
        _mintRange(producer, given.generator, range.firstSlot, amounts);
    }

    function _prove(ReadingRange calldata range) private view returns (uint256[] memory readings) {
        uint256 word = archive.wordOf(range.firstSlot / uint32(ReadingProof.SLOTS_PER_DAY));
        (readings, ) = ReadingProof.prove(range, word);
    }

    function _salesAt(
        bytes[] calldata sales,
        uint256 index,
        uint32 slot,
        bytes32 expected
    ) private pure returns (bytes calldata list) {
        list = index < sales.length ? sales[index] : msg.data[:0];
        bytes32 got = keccak256(list);
        if (got != expected) revert WrongSales(slot, expected, got);
    }

    /// Issues what green-only bids bought from the connection; returns how much.
    function _issueSold(
        uint256 id,
        GreenSales.Share memory share,
        bytes calldata list,
        uint256 certifiedWh
    ) private returns (uint256 deliveredWh) {
        deliveredWh = share.through - share.from;
        if (certifiedWh < deliveredWh) deliveredWh = certifiedWh;
        if (deliveredWh == 0) return 0;
        uint256 before;
        for (uint256 offset = 0; offset < list.length && before < share.through; offset += GreenSales.ENTRY_BYTES) {
            (uint256 buyer, uint256 island, int256 soldWh) = GreenSales.entryAt(list, offset);
            if (soldWh >= 0 || island != share.island) continue;
            uint256 wh = GreenSales.pieceOf(share, deliveredWh, before, uint256(-soldWh));
            before += uint256(-soldWh);
            if (wh != 0) _mintSold(uint32(buyer), id, wh);
        }
    }

    function _mintSold(uint32 buyer, uint256 id, uint256 wh) private {
        address owner = meteringPoints.pointOf(buyer).owner;
        _amounts[owner].add(id >> 32, uint32(id), wh);
        emit TransferSingle(msg.sender, address(0), owner, id, wh);
    }

    function _mintRange(address to, uint32 generator, uint32 firstSlot, uint256[] memory amounts) private {
        _amounts[to].addAll(generator, firstSlot, amounts);
        uint256[] memory ids = new uint256[](amounts.length);
        uint256 count;
        for (uint256 i = 0; i < amounts.length; ++i) {
            if (amounts[i] == 0) continue;
            ids[count] = idOf(generator, firstSlot + uint32(i));
            amounts[count++] = amounts[i];
        }
        if (count == 0) return;
        assembly ("memory-safe") {
            // Only what was issued is told.
            mstore(ids, count)
            mstore(amounts, count)
        }
        if (count == 1) emit TransferSingle(msg.sender, address(0), to, ids[0], amounts[0]);
        else emit TransferBatch(msg.sender, address(0), to, ids, amounts);
    }

    function _match(uint32 point, uint32 firstSlot, uint256[] memory readings, uint32 slot, uint256 wh) private {
        if (slot < firstSlot || slot - firstSlot >= readings.length) {
            revert SlotOutsideRange(slot, firstSlot, readings.length);
        }
        uint256 reading = readings[slot - firstSlot];
        if (!ReadingProof.isMetered(reading)) revert ConsumptionNotMetered(point, slot);
        uint256 consumedWh = ReadingProof.importWh(reading);
        // What a word holds; no connection has a higher rating.
        if (consumedWh > PackedAmounts.MAX) consumedWh = PackedAmounts.MAX;
        uint256 already = _matched.get(point, slot);
        if (wh > consumedWh - already) revert ConsumptionExceeded(point, slot, already + wh, consumedWh);
        _matched.add(point, slot, wh);
    }

    /// As ERC1155, with ten balances in a word. Nothing overflows: all Wh of an id were issued within 24 bits.
    function _update(address from, address to, uint256[] memory ids, uint256[] memory values) internal override {
        if (ids.length != values.length) revert ERC1155InvalidArrayLength(ids.length, values.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 id = ids[i];
            uint256 value = values[i];
            uint256 balance = balanceOf(from, id);
            if (balance < value) revert ERC1155InsufficientBalance(from, balance, value, id);
            if (value == 0) continue;
            _amounts[from].sub(id >> 32, uint32(id), value);
            if (to != address(0)) _amounts[to].add(id >> 32, uint32(id), value);
        }
        if (ids.length == 1) emit TransferSingle(msg.sender, from, to, ids[0], values[0]);
        else emit TransferBatch(msg.sender, from, to, ids, values);
    }
}
