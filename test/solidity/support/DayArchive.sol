// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReadingRange} from "../../../contracts/interfaces/IReadingArchive.sol";
import {Stand} from "./Stand.sol";

/// Stands in for the archive of readings: days of a few reported slots with four meters each, and proofs of them. After its last
/// reported slot a day is archived to its end without any report. Hashes are made here, not by the library that checks them.
abstract contract DayArchive is Stand {
    uint32 internal constant SLOTS_PER_DAY = 96;
    uint256 internal constant METERS = 4;
    uint32 internal constant DAY_SLOTS = 8;
    uint256 private constant LEVELS = 7;

    uint32 internal immutable _firstDay;
    uint32 public day;
    /// Reported or passed slots of the present day.
    uint32 public used;
    /// Four readings of 64 bits, the first meter's in the lowest; and whether the slot has a report.
    mapping(uint32 slot => uint256) internal _readings;
    mapping(uint32 slot => bool) internal _reported;
    mapping(uint32 slot => bytes) internal _sales;
    mapping(uint32 slot => bytes32) internal _leaves;
    mapping(uint32 day => uint256) private _words;

    constructor(uint32 firstDay) {
        (_firstDay, day) = (firstDay, firstDay);
    }

    /// Number of the meter whose reading stands at `index`.
    function _meterAt(uint256 index) internal view virtual returns (uint256);

    function wordOf(uint32 day_) public view virtual returns (uint256) {
        return _words[day_];
    }

    function readingOf(uint32 slot, uint256 index) public view returns (uint64) {
        return uint64(_readings[slot] >> (64 * index));
    }

    /// The slot that is reported next.
    function nextSlot() public view returns (uint32) {
        return day * SLOTS_PER_DAY + used;
    }

    /// First slot that is not archived.
    function endSlot() public view returns (uint32) {
        return nextSlot();
    }

    function _archive(uint256 readings, bytes memory sales, bool reported) internal returns (uint32 slot) {
        slot = nextSlot();
        if (reported) {
            _readings[slot] = readings;
            _reported[slot] = true;
            if (sales.length != 0) _sales[slot] = sales;
            (bytes32 root, ) = _report(slot, 0);
            _leaves[slot] =
                sales.length == 0
                    ? bytes32(uint256(root) & ~uint256(1))
                    : bytes32(uint256(_pair(root, keccak256(sales))) | 1);
        }
        ++used;
        _write(used);
    }

    /// The rest of the day has no reports; the next day begins.
    function _closeDay() internal {
        _write(SLOTS_PER_DAY);
        ++day;
        used = 0;
    }

    /// Proof of the meter at `index` in slots of one day. With `passOver`, slots without sales are not proved.
    function _range(
        uint256 index,
        uint32 from,
        uint32 through,
        bool passOver
    ) internal view returns (ReadingRange memory range) {
        range.meter = uint32(_meterAt(index));
        range.firstSlot = from;
        uint256 count = through - from + 1;
        bytes memory steps = new bytes(9 * count);
        bytes32[] memory nodes = new bytes32[](3 * count + 2 * LEVELS);
        uint256 filled;
        for (uint256 i = 0; i < count; ++i) {
            uint32 slot = from + uint32(i);
            bool sold = _sales[slot].length != 0;
            if (!_reported[slot] || (passOver && !sold)) {
                steps[9 * i] = 0xff;
                nodes[filled++] = _leaves[slot];
                continue;
            }
            (, bytes32[2] memory siblings) = _report(slot, index);
            uint256 step = (uint256(sold ? 0x42 : 0x02) << 64) | readingOf(slot, index);
            for (uint256 j = 0; j < 9; ++j) steps[9 * i + j] = bytes1(uint8(step >> (64 - 8 * j)));
            nodes[filled++] = siblings[0];
            nodes[filled++] = siblings[1];
            if (sold) nodes[filled++] = keccak256(_sales[slot]);
        }
        filled = _neighbours(nodes, filled, from, through);
        assembly ("memory-safe") {
            mstore(nodes, filled)
        }
        range.slots = steps;
        range.nodes = nodes;
    }

    /// Neighbours alone, where every leaf of the range is known.
    function _neighboursOf(uint32 from, uint32 through) internal view returns (bytes32[] memory nodes) {
        nodes = new bytes32[](2 * LEVELS);
        uint256 filled = _neighbours(nodes, 0, from, through);
        assembly ("memory-safe") {
            mstore(nodes, filled)
        }
    }

    /// Lists of sales of the slots that have one.
    function _salesOf(uint32 from, uint32 through) internal view returns (bytes[] memory lists) {
        lists = new bytes[](through - from + 1);
        uint256 count;
        for (uint32 slot = from; slot <= through; ++slot) if (_sales[slot].length != 0) lists[count++] = _sales[slot];
        assembly ("memory-safe") {
            mstore(lists, count)
        }
    }

    /// Root of a slot's report, and the siblings of one of its four leaves.
    function _report(uint32 slot, uint256 index) private view returns (bytes32 root, bytes32[2] memory siblings) {
        bytes32[METERS] memory leaves;
        uint256 readings = _readings[slot];
        for (uint256 i = 0; i < METERS; ++i) {
            bytes32 inner = keccak256(abi.encode(_meterAt(i), uint256(slot), uint256(uint64(readings >> (64 * i)))));
            leaves[i] = keccak256(abi.encode(inner));
        }
        bytes32 left = _sorted(leaves[0], leaves[1]);
        bytes32 right = _sorted(leaves[2], leaves[3]);
        siblings = [leaves[index ^ 1], index < 2 ? right : left];
        root = _sorted(left, right);
    }

    function _write(uint32 count) private {
        bytes32[] memory level = _level(day);
        bytes32 empty;
        for (uint256 i = 0; i < LEVELS; ++i) empty = _up(level, empty);
        _words[day] = (uint256(level[0]) & ~uint256(0xff)) | count;
    }

    /// Appends the neighbours of a range, from the leaves up.
    function _neighbours(
        bytes32[] memory nodes,
        uint256 filled,
        uint32 from,
        uint32 through
    ) private view returns (uint256) {
        bytes32[] memory level = _level(from / SLOTS_PER_DAY);
        bytes32 empty;
        (uint256 first, uint256 last) = (from % SLOTS_PER_DAY, through % SLOTS_PER_DAY);
        for (uint256 i = 0; i < LEVELS; ++i) {
            if (first & 1 == 1) nodes[filled++] = first - 1 < level.length ? level[first - 1] : empty;
            if (last & 1 == 0) nodes[filled++] = last + 1 < level.length ? level[last + 1] : empty;
            empty = _up(level, empty);
            (first, last) = (first / 2, last / 2);
        }
        return filled;
    }

    function _level(uint32 day_) private view returns (bytes32[] memory level) {
        level = new bytes32[](DAY_SLOTS);
        for (uint32 i = 0; i < DAY_SLOTS; ++i) level[i] = _leaves[day_ * SLOTS_PER_DAY + i];
    }

    /// The level above; `empty` is the root of a tree of this height without any leaf.
    function _up(bytes32[] memory level, bytes32 empty) private pure returns (bytes32 above) {
        uint256 length = (level.length + 1) / 2;
        for (uint256 i = 0; i < length; ++i) {
            level[i] = _pair(level[2 * i], 2 * i + 1 < level.length ? level[2 * i + 1] : empty);
        }
        assembly ("memory-safe") {
            mstore(level, length)
        }
        return _pair(empty, empty);
    }

    function _sorted(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? _pair(a, b) : _pair(b, a);
    }

    function _pair(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(abi.encode(left, right));
    }
}
