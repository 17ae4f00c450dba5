// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDemandResponse, ResponseEvent} from "../interfaces/IDemandResponse.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IReadingArchive} from "../interfaces/IReadingArchive.sol";
import {ReadingProof} from "../libraries/ReadingProof.sol";
import {ResponseDays} from "../libraries/ResponseDays.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {SlotReadings, WholeSlots} from "../libraries/WholeSlots.sol";
import {ZoneImports} from "../libraries/ZoneImports.sol";
import {ZoneTotals} from "../libraries/ZoneTotals.sol";

/// The part of DemandResponse that measures whole zones from whole reports. See IDemandResponse for what each function does.
abstract contract ResponseZones is IDemandResponse {
    using ZoneTotals for mapping(uint256 key => uint256 word);

    /// Slots after a window in which everything about it is proved: 14 days.
    uint32 public constant PROOF_SLOTS = 1_344;

    IMeteringPoints public immutable meteringPoints;
    IReadingArchive public immutable archive;

    mapping(uint256 id => ResponseEvent) internal _events;
    mapping(uint256 key => uint256 word) internal _totals;
    /// Points of an event that do not count in its zones, a bit each, 256 in a word.
    mapping(uint256 key => uint256 word) private _gaps;

    constructor(IMeteringPoints meteringPoints_, IReadingArchive archive_) {
        meteringPoints = meteringPoints_;
        archive = archive_;
    }

    function countZones(uint32 id, SlotReadings[] calldata slots, bytes32[] calldata nodes) external {
        ResponseEvent storage self = _open(id);
        uint256 day = self.counted / self.slots;
        if (day > self.historyDays) revert AllCounted(id);
        uint256[] memory sums = _sum(self, id, slots, nodes, day);
        // No report in the window: nobody knows what was used.
        if (day == 0 && sums[sums.length - 1] != 0) self.blind = true;
        self.counted += uint16(slots.length);
        emit ZonesCounted(id, uint8(day), uint8(slots.length), _addTotals(id, self.zones, day, sums));
    }

    function dayOf(uint32 id, uint256 index) public view returns (uint32 firstSlot) {
        ResponseEvent storage self = _existing(id);
        firstSlot = self.firstSlot;
        if (index == 0) return firstSlot;
        return firstSlot - uint32(ResponseDays.backAt(self.daysBack, index - 1) * ReadingProof.SLOTS_PER_DAY);
    }

    function deadlineOf(uint32 id) public view returns (uint32) {
        return _existing(id).firstSlot + PROOF_SLOTS;
    }

    function _existing(uint32 id) internal view returns (ResponseEvent storage self) {
        self = _events[id];
        if (self.sponsor == address(0)) revert UnknownEvent(id);
    }

    /// An event about which something may still be proved.
    function _open(uint32 id) internal view returns (ResponseEvent storage self) {
        self = _existing(id);
        if (self.closed) revert AlreadyClosed(id);
        uint32 until = deadlineOf(id);
        if (SlotTime.current() > until) revert ProofsOver(id, until);
    }

    /// Imports per zone in these slots; the last entry counts slots without a report.
    function _sum(
        ResponseEvent storage self,
        uint32 id,
        SlotReadings[] calldata slots,
        bytes32[] calldata nodes,
        uint256 day
    ) private returns (uint256[] memory sums) {
        uint256 before = self.counted % self.slots;
        if (slots.length == 0 || before + slots.length > self.slots) {
            revert TooManySlots(slots.length, self.slots - before);
        }
        uint32 first = dayOf(id, day) + uint32(before);
        bytes memory zones = meteringPoints.zones();
        uint256[] memory gaps;
        // Where more is asked for, what was not measured in the window was not used: nobody gains by it.
        if (day == 0 && !self.increase) {
            if (slots.length != self.slots) revert WindowInParts(slots.length, self.slots);
            gaps = _markGaps(self, id, slots, zones.length);
        } else if (self.gaps) {
            gaps = new uint256[](zones.length / 256 + 1);
            for (uint256 i = 0; i < gaps.length; ++i) gaps[i] = _gaps[_keyOf(id, uint32(i))];
        }
        sums = new uint256[](257);
        bytes32[] memory leaves = new bytes32[](slots.length);
        for (uint256 i = 0; i < slots.length; ++i) {
            SlotReadings calldata slot = slots[i];
            bytes32 root = WholeSlots.rootOf(first + uint32(i), slot);
            if (root == 0) {
                ++sums[256];
                continue;
            }
            leaves[i] = ReadingProof.slotLeaf(root, slot.salesHash);
            ZoneImports.addImports(slot.points, zones, sums, gaps);
        }
        _checkDay(leaves, nodes, first);
    }

    /// A point that was not measured in some slot of the window counts on no day.
    function _markGaps(
        ResponseEvent storage self,
        uint32 id,
        SlotReadings[] calldata slots,
        uint256 points
    ) private returns (uint256[] memory gaps) {
        gaps = new uint256[](points / 256 + 1);
        bool found;
        for (uint256 i = 0; i < slots.length; ++i) {
            if (ZoneImports.markGaps(slots[i].points, points, gaps)) found = true;
        }
        if (!found) return gaps;
        self.gaps = true;
        for (uint256 i = 0; i < gaps.length; ++i) if (gaps[i] != 0) _gaps[_keyOf(id, uint32(i))] = gaps[i];
    }

    /// Returns the sums of the event's zones alone, ascending.
    function _addTotals(
        uint32 id,
        uint256 zones,
        uint256 day,
        uint256[] memory sums
    ) private returns (uint256[] memory told) {
        told = new uint256[](_countOf(zones));
        for (uint256 index = 0; zones != 0; zones &= zones - 1) {
            uint256 zone = _lowest(zones);
            told[index++] = sums[zone];
            if (sums[zone] != 0) _totals.add(id, zone, day, sums[zone]);
        }
    }

    function _checkDay(bytes32[] memory leaves, bytes32[] calldata nodes, uint32 first) private view {
        uint32 day = first / uint32(ReadingProof.SLOTS_PER_DAY);
        uint256 index = first % ReadingProof.SLOTS_PER_DAY;
        uint256 word = archive.wordOf(day);
        if (index + leaves.length > word & 0xff) {
            revert ReadingProof.NotArchived(first + uint32(leaves.length) - 1, word & 0xff);
        }
        (bytes32 root, uint256 used) = ReadingProof.fold(leaves, index, nodes, 0);
        if (used != nodes.length) revert ReadingProof.NodesLeftOver(used, nodes.length);
        if (uint256(root) >> 8 != word >> 8) revert ReadingProof.WrongProof(day, word >> 8, uint256(root) >> 8);
    }

    function _keyOf(uint32 id, uint32 number) internal pure returns (uint256) {
        return (uint256(id) << 32) | number;
    }

    function _lowest(uint256 zones) internal pure returns (uint256) {
        return ResponseDays.lowest(zones);
    }

    function _countOf(uint256 zones) internal pure returns (uint256 count) {
        for (; zones != 0; zones &= zones - 1) ++count;
    }
}
