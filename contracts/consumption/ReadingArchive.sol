// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingExtras, ClearingRecord, IAuction} from "../interfaces/IAuction.sol";
import {GridZone, IGrid} from "../interfaces/IGrid.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IMeterOracle} from "../interfaces/IMeterOracle.sol";
import {IReadingArchive, ReadingRange, SlotEvidence} from "../interfaces/IReadingArchive.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {GreenSales} from "../libraries/GreenSales.sol";
import {ReadingProof} from "../libraries/ReadingProof.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

/// See IReadingArchive for what each function does.
contract ReadingArchive is IReadingArchive {
    IMeteringPoints public immutable meteringPoints;
    IMeterOracle public immutable meterOracle;
    ISettlement public immutable settlement;
    IAuction public immutable auction;

    /// Zones and islands of the points, read once for all slots of a call that need them.
    struct Places {
        bytes zones;
        uint8[] roots;
        /// The network is the same in these slots; nothing is read yet while `through` is zero.
        uint32 from;
        uint32 through;
    }

    /// bits 255..8 root of the day's tree, 7..0 number of archived slots.
    mapping(uint256 day => uint256 word) private _days;

    constructor(IMeteringPoints meteringPoints_, IMeterOracle meterOracle_, IAuction auction_) {
        meteringPoints = meteringPoints_;
        meterOracle = meterOracle_;
        settlement = ISettlement(meterOracle_.settlement());
        auction = auction_;
    }

    function archive(uint32 day, bytes32[] calldata archived, SlotEvidence[] calldata slots) external {
        uint256 count = _checkArchived(day, archived);
        if (slots.length == 0) revert NothingToArchive(day);
        uint256 through = count + slots.length;
        if (through > ReadingProof.SLOTS_PER_DAY) revert BeyondDay(day, through);
        uint32 first = uint32(day * ReadingProof.SLOTS_PER_DAY + count);
        uint32 last = first + uint32(slots.length) - 1;
        uint32 finalThrough = settlement.finalThrough();
        if (last > finalThrough) revert SlotNotFinal(last, finalThrough);

        bytes32[] memory leaves = new bytes32[](through);
        bytes32[] memory added = new bytes32[](slots.length);
        for (uint256 i = 0; i < count; ++i) leaves[i] = archived[i];
        Places memory places;
        for (uint256 i = 0; i < slots.length; ++i) {
            added[i] = _leafOf(first + uint32(i), slots[i], places);
            leaves[count + i] = added[i];
        }
        _days[day] = (uint256(ReadingProof.dayRoot(leaves)) & ~uint256(0xff)) | through;
        emit Archived(day, uint8(count), added);
    }

    function wordOf(uint32 day) external view returns (uint256) {
        return _days[day];
    }

    function readings(ReadingRange calldata range) external view returns (uint256[] memory proven) {
        (proven, ) = ReadingProof.prove(range, _days[range.firstSlot / ReadingProof.SLOTS_PER_DAY]);
    }

    function verifyRecent(
        uint32 meter,
        uint32 slot,
        uint64 reading,
        bytes32 readingsHash,
        bytes32[] calldata proof
    ) external view {
        bytes32 leaf = ReadingProof.leafOf(meter, slot, reading);
        (uint8 version, bytes28 expected) = meterOracle.reportOf(slot);
        if (version == 0) revert SlotNotReported(slot);
        bytes32 root = ReadingProof.rootOf(leaf, proof, 0, proof.length);
        _checkReport(slot, version, expected, readingsHash, root);
    }

    function _checkArchived(uint32 day, bytes32[] calldata archived) private view returns (uint256 count) {
        uint256 word = _days[day];
        count = word & 0xff;
        if (archived.length != count) revert ArchiveMismatch(day, count, archived.length);
        if (count == 0) return 0;
        bytes32[] memory leaves = archived;
        if (uint256(ReadingProof.dayRoot(leaves)) >> 8 != word >> 8) revert ArchiveMismatch(day, count, count);
    }

    /// Zero for a slot without a settled report, and for one that the rings may already have forgotten: its clearing can be gone while
    /// its report is still there, and green energy that was sold would look unsold.
    function _leafOf(uint32 slot, SlotEvidence calldata evidence, Places memory places) private view returns (bytes32) {
        if (SlotTime.current() >= slot + SlotTime.RING - 1) return 0;
        (uint8 version, bytes28 expected) = meterOracle.reportOf(slot);
        (, , uint8 settled) = settlement.statusOf(slot);
        if (version == 0 || settled == 0) return 0;
        // A correction that nobody settled in time does not count: energy and money are of the same readings.
        if (version != settled) (version, expected) = meterOracle.replacedOf(slot);
        _checkReport(slot, version, expected, evidence.readingsHash, evidence.root);
        // A report of no readings proves nothing.
        if (evidence.root == 0) return 0;
        return ReadingProof.slotLeaf(evidence.root, _salesHash(slot, evidence.record, places));
    }

    function _checkReport(
        uint32 slot,
        uint8 version,
        bytes28 expected,
        bytes32 readingsHash,
        bytes32 root
    ) private pure {
        bytes28 got = bytes28(keccak256(abi.encode(slot, version, readingsHash, root)));
        if (got != expected) revert EvidenceMismatch(slot, expected, got);
    }

    function _salesHash(uint32 slot, bytes calldata record, Places memory places) private view returns (bytes32) {
        bytes28 expected = auction.clearingOf(slot);
        if (expected == 0) return 0;
        bytes28 got = bytes28(keccak256(record));
        if (got != expected) revert SalesMismatch(slot, expected, got);
        bytes memory extras = abi.decode(record, (ClearingRecord)).extras;
        if (extras.length == 0) return 0;
        bytes memory green = abi.decode(extras, (ClearingExtras)).green;
        if (green.length == 0) return 0;
        if (slot < places.from || slot > places.through) _readPlaces(slot, places);
        bytes memory list = GreenSales.listOf(green, places.zones, places.roots);
        return list.length == 0 ? bytes32(0) : keccak256(list);
    }

    function _readPlaces(uint32 slot, Places memory places) private view {
        IGrid grid = meteringPoints.grid();
        if (places.through == 0) places.zones = meteringPoints.zones();
        (, places.through, , ) = grid.versionOf(slot);
        places.from = slot;
        GridZone[] memory zones = grid.gridOf(slot);
        places.roots = new uint8[](zones.length);
        for (uint256 zone = 0; zone < zones.length; ++zone) {
            uint8 parent = zones[zone].parent;
            places.roots[zone] = parent == zone ? parent : places.roots[parent];
        }
    }
}
