// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReadingRange} from "../interfaces/IReadingArchive.sol";
import {PackedReadings} from "./PackedReadings.sol";
import {ReadingProof} from "./ReadingProof.sol";

/// Everything that was read in one slot: what the leaves of its report's tree are made of, in their order.
struct SlotReadings {
    /// 8 bytes per metering point from point 0 (PackedReadings).
    bytes points;
    /// The same per own meter of a generator, from number 2^31 on.
    bytes own;
    /// 9 bytes per head meter: root zone of its island, then the reading. Number: HEAD_METERS + zone.
    bytes heads;
    /// 8 bytes per own meter of a storage unit, from number FIRST_STORAGE_METER on.
    bytes stores;
    /// Hash of the slot's green sales; zero without.
    bytes32 salesHash;
}

/// Proves all readings of whole slots against the archive. A proof per meter would cost its siblings again for every meter: the root
/// over all of them is about 1,200 gas per reading, and nobody can be left out.
library WholeSlots {
    /// A slot that has readings is passed over with something else, or the other way round.
    error WrongReadings(uint32 slot, bytes32 expected, bytes32 got);
    error SlotCountsDiffer(uint256 leaves, uint256 slots);
    /// The range must give the leaf of every slot (0xff), and proves no single reading.
    error LeafNotGiven(uint32 slot);

    uint256 internal constant HEAD_METERS = 0xc0000000;
    uint256 internal constant FIRST_OWN_METER = 1 << 31;
    uint256 internal constant HEAD_BYTES = 9;
    /// Beyond all head meters: a zone's number has 8 bits.
    uint256 internal constant FIRST_STORAGE_METER = 7 << 29;

    /// Proves that `slots` are all readings of the slots of `leaves`, a range in which every leaf is given. A slot whose leaf is zero
    /// has no readings, and its entry is empty.
    function prove(ReadingRange calldata leaves, SlotReadings[] calldata slots, uint256 dayWord) internal pure {
        uint256 count = slots.length;
        if (leaves.slots.length != count * ReadingProof.STEP_BYTES) {
            revert SlotCountsDiffer(leaves.slots.length / ReadingProof.STEP_BYTES, count);
        }
        for (uint256 i = 0; i < count; ++i) {
            uint32 slot = leaves.firstSlot + uint32(i);
            if (leaves.slots[i * ReadingProof.STEP_BYTES] != 0xff) revert LeafNotGiven(slot);
        }
        ReadingProof.prove(leaves, dayWord);
        for (uint256 i = 0; i < count; ++i) {
            uint32 slot = leaves.firstSlot + uint32(i);
            bytes32 root = rootOf(slot, slots[i]);
            bytes32 got = root == 0 ? bytes32(0) : ReadingProof.slotLeaf(root, slots[i].salesHash);
            if (got != leaves.nodes[i]) revert WrongReadings(slot, leaves.nodes[i], got);
        }
    }

    /// Root of the tree of a report's readings; zero without any.
    function rootOf(uint32 slot, SlotReadings calldata given) internal pure returns (bytes32 root) {
        uint256 points = given.points.length / PackedReadings.BYTES;
        uint256 own = given.own.length / PackedReadings.BYTES;
        uint256 heads = given.heads.length / HEAD_BYTES;
        uint256 stores = given.stores.length / PackedReadings.BYTES;
        bytes32[] memory nodes = new bytes32[](points + own + heads + stores);
        for (uint256 i = 0; i < points; ++i) nodes[i] = ReadingProof.leafOf(i, slot, readingAt(given.points, i));
        for (uint256 i = 0; i < own; ++i) {
            nodes[points + i] = ReadingProof.leafOf(FIRST_OWN_METER + i, slot, readingAt(given.own, i));
        }
        for (uint256 i = 0; i < heads; ++i) {
            (uint256 zone, uint256 reading) = headAt(given.heads, i);
            nodes[points + own + i] = ReadingProof.leafOf(HEAD_METERS + zone, slot, reading);
        }
        for (uint256 i = 0; i < stores; ++i) {
            uint256 reading = readingAt(given.stores, i);
            nodes[points + own + heads + i] = ReadingProof.leafOf(FIRST_STORAGE_METER + i, slot, reading);
        }
        return _fold(nodes);
    }

    /// Number of readings that belong to registered points: a report may hold more, and those count for nothing.
    function pointsOf(bytes calldata readings, uint256 registered) internal pure returns (uint256 points) {
        points = readings.length / PackedReadings.BYTES;
        if (points > registered) points = registered;
    }

    /// The packed reading at an index.
    function readingAt(bytes calldata readings, uint256 index) internal pure returns (uint256 reading) {
        assembly ("memory-safe") {
            reading := shr(192, calldataload(add(readings.offset, shl(3, index))))
        }
    }

    function headAt(bytes calldata heads, uint256 index) internal pure returns (uint256 zone, uint256 reading) {
        assembly ("memory-safe") {
            let word := calldataload(add(heads.offset, mul(index, 9)))
            zone := shr(248, word)
            reading := and(shr(184, word), 0xffffffffffffffff)
        }
    }

    /// Whether nothing was read, so that the energy is unknown.
    function isMissing(uint256 reading) internal pure returns (bool) {
        return reading >> 62 == PackedReadings.MISSING;
    }

    /// Import less export, Wh; zero where nothing was read.
    function netImportWh(uint256 reading) internal pure returns (int256) {
        if (isMissing(reading)) return 0;
        return int256(ReadingProof.importWh(reading)) - int256(ReadingProof.exportWh(reading));
    }

    /// Root above the leaves in sorted pairs; one without a partner rises alone. Overwrites `nodes`.
    function _fold(bytes32[] memory nodes) private pure returns (bytes32 root) {
        if (nodes.length == 0) return 0;
        assembly ("memory-safe") {
            let base := add(nodes, 32)
            let count := mload(nodes)
            for {} gt(count, 1) {} {
                let from := base
                let to := base
                let end := add(base, shl(5, count))
                for {} lt(add(from, 32), end) {
                    from := add(from, 64)
                } {
                    let left := mload(from)
                    let other := mload(add(from, 32))
                    let swap := shl(5, lt(other, left))
                    mstore(swap, left)
                    mstore(sub(32, swap), other)
                    mstore(to, keccak256(0, 64))
                    to := add(to, 32)
                }
                if lt(from, end) {
                    mstore(to, mload(from))
                    to := add(to, 32)
                }
                count := shr(5, sub(to, base))
            }
            root := mload(base)
        }
    }
}
