// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReadingRange} from "../interfaces/IReadingArchive.sol";

/// Proofs of readings against reports' roots and days of the archive: the one library of everything that pays or counts by them.
/// Trees of reports hash sorted pairs over double-hashed leaves; the tree of a day has a fixed depth and hashes in order of the slots.
/// So no inner node of either can stand for a leaf.
library ReadingProof {
    error MalformedRange(uint256 bytes_);
    error NotArchived(uint32 slot, uint256 archivedSlots);
    error WrongProof(uint32 day, uint256 expected, uint256 got);
    error NodesLeftOver(uint256 used, uint256 given);

    uint256 internal constant SLOTS_PER_DAY = 96;
    uint256 internal constant DEPTH = 7;
    uint256 internal constant STEP_BYTES = 9;
    uint256 private constant HAS_SALES = 0x40;

    /// A reading as `prove` returns it: bits 63..0 as reported, and PROVEN. What was not proved has one of the other bits, or none:
    /// the slot has no reading at all.
    uint256 internal constant PROVEN = 1 << 64;
    uint256 internal constant SKIPPED = 1 << 65;
    uint256 internal constant SKIPPED_SALES = 1 << 66;

    /// What a proof yields per slot. Field order is known to the assembly below.
    struct Work {
        uint256[] readings;
        bytes32[] salesHashes;
        bytes32[] leaves;
    }

    /// keccak256(bytes.concat(keccak256(abi.encode(meter, slot, reading)))).
    function leafOf(uint256 meter, uint256 slot, uint256 reading) internal pure returns (bytes32 leaf) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, meter)
            mstore(add(free, 32), slot)
            mstore(add(free, 64), reading)
            mstore(0, keccak256(free, 96))
            leaf := keccak256(0, 32)
        }
    }

    /// Root that `count` siblings from `nodes[cursor]` on lead to. What lies beyond the end counts as zero: the root decides.
    function rootOf(
        bytes32 leaf,
        bytes32[] calldata nodes,
        uint256 cursor,
        uint256 count
    ) internal pure returns (bytes32 root) {
        root = leaf;
        assembly ("memory-safe") {
            let from := add(nodes.offset, shl(5, cursor))
            let end := add(from, shl(5, count))
            for {} lt(from, end) {
                from := add(from, 32)
            } {
                let sibling := calldataload(from)
                let right := shl(5, lt(root, sibling))
                // The smaller of the two stands first.
                mstore(sub(32, right), root)
                mstore(right, sibling)
                root := keccak256(0, 64)
            }
        }
    }

    /// Leaf of a slot in its day's tree. `salesHash` zero: no green-only bid was filled.
    function slotLeaf(bytes32 root, bytes32 salesHash) internal pure returns (bytes32 leaf) {
        if (salesHash == 0) return bytes32(uint256(root) & ~uint256(1));
        return bytes32(uint256(hashPair(root, salesHash)) | 1);
    }

    /// Whether the reading counts where origin is certified: proved, and measured or interpolated.
    function isMetered(uint256 reading) internal pure returns (bool) {
        return reading >> 63 == 2;
    }

    function exportWh(uint256 reading) internal pure returns (uint256) {
        return reading & 0x7fffffff;
    }

    function importWh(uint256 reading) internal pure returns (uint256) {
        return (reading >> 31) & 0x7fffffff;
    }

    /// Proves `range` against the archive's word of its day.
    /// @return readings one per slot, as above
    /// @return salesHashes per slot, zero without sales and where the slot is not proved
    function prove(
        ReadingRange calldata range,
        uint256 dayWord
    ) internal pure returns (uint256[] memory readings, bytes32[] memory salesHashes) {
        uint256 count = _lengthOf(range, dayWord);
        Work memory work = Work(new uint256[](count), new bytes32[](count), new bytes32[](count));
        uint256[3] memory preimage = [uint256(range.meter), range.firstSlot, 0];
        uint256 used = _nodesOf(range.nodes);
        used = (_climb(range.slots, used, preimage, work) - used) / 32;
        bytes32 root;
        (root, used) = fold(work.leaves, range.firstSlot % SLOTS_PER_DAY, range.nodes, used);
        if (used != range.nodes.length) revert NodesLeftOver(used, range.nodes.length);
        if (uint256(root) >> 8 != dayWord >> 8) {
            revert WrongProof(uint32(range.firstSlot / SLOTS_PER_DAY), dayWord >> 8, uint256(root) >> 8);
        }
        return (work.readings, work.salesHashes);
    }

    /// Root of a whole day, zero for slots beyond `leaves`. Overwrites `leaves`.
    function dayRoot(bytes32[] memory leaves) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            let base := add(leaves, 32)
            let count := mload(leaves)
            let empty := 0
            for {
                let level := 0
            } lt(level, DEPTH) {
                level := add(level, 1)
            } {
                let from := base
                let to := base
                let end := add(base, shl(5, count))
                for {} lt(add(from, 32), end) {
                    from := add(from, 64)
                } {
                    mstore(to, keccak256(from, 64))
                    to := add(to, 32)
                }
                if lt(from, end) {
                    mstore(0, mload(from))
                    mstore(32, empty)
                    mstore(to, keccak256(0, 64))
                    to := add(to, 32)
                }
                mstore(0, empty)
                mstore(32, empty)
                empty := keccak256(0, 64)
                count := shr(5, sub(to, base))
            }
            root := mload(base)
        }
    }

    function hashPair(bytes32 left, bytes32 right) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(32, right)
            hash := keccak256(0, 64)
        }
    }

    function _lengthOf(ReadingRange calldata range, uint256 dayWord) private pure returns (uint256 count) {
        uint256 bytes_ = range.slots.length;
        count = bytes_ / STEP_BYTES;
        if (count == 0 || count * STEP_BYTES != bytes_) revert MalformedRange(bytes_);
        uint256 archived = dayWord & 0xff;
        if ((range.firstSlot % SLOTS_PER_DAY) + count > archived) {
            revert NotArchived(range.firstSlot + uint32(count) - 1, archived);
        }
    }

    /// From the readings up to their slots' leaves; fills `work`.
    /// @param node where the nodes start in the calldata
    /// @return next where the next one stands; what lies beyond the end counts as zero, and the root decides
    function _climb(
        bytes calldata slots,
        uint256 node,
        uint256[3] memory preimage,
        Work memory work
    ) private pure returns (uint256 next) {
        next = node;
        for (uint256 i = 0; i < work.leaves.length; ++i) {
            uint256 step;
            assembly ("memory-safe") {
                step := shr(184, calldataload(add(slots.offset, mul(i, STEP_BYTES))))
            }
            (bytes32 leaf, uint256 reading, bytes32 salesHash, uint256 after_) = _step(preimage, step, next);
            assembly ("memory-safe") {
                let out := shl(5, add(i, 1))
                mstore(add(mload(work), out), reading)
                mstore(add(mload(add(work, 32)), out), salesHash)
                mstore(add(mload(add(work, 64)), out), leaf)
                let slot := add(preimage, 32)
                mstore(slot, add(mload(slot), 1))
                next := after_
            }
        }
    }

    /// One slot. Runs once for each that is certified, claimed or counted.
    /// @param preimage of the reading's leaf: meter, slot, place for the reading
    /// @param node where the slot's nodes start in the calldata
    function _step(
        uint256[3] memory preimage,
        uint256 step,
        uint256 node
    ) private pure returns (bytes32 leaf, uint256 reading, bytes32 salesHash, uint256 next) {
        assembly ("memory-safe") {
            let head := shr(64, step)
            switch head
            case 0xff {
                leaf := calldataload(node)
                node := add(node, 32)
                // SKIPPED, or one bit higher SKIPPED_SALES.
                if leaf {
                    reading := shl(add(65, and(leaf, 1)), 1)
                }
            }
            default {
                reading := and(step, 0xffffffffffffffff)
                // As leafOf.
                mstore(add(preimage, 64), reading)
                mstore(0, keccak256(preimage, 96))
                leaf := keccak256(0, 32)
                reading := or(reading, PROVEN)
                // As rootOf.
                for {
                    let last := add(node, shl(5, and(head, 0x3f)))
                } lt(node, last) {
                    node := add(node, 32)
                } {
                    let sibling := calldataload(node)
                    let right := shl(5, lt(leaf, sibling))
                    mstore(sub(32, right), leaf)
                    mstore(right, sibling)
                    leaf := keccak256(0, 64)
                }
                // As slotLeaf.
                switch and(head, HAS_SALES)
                case 0 {
                    leaf := and(leaf, not(1))
                }
                default {
                    salesHash := calldataload(node)
                    node := add(node, 32)
                    mstore(0, leaf)
                    mstore(32, salesHash)
                    leaf := or(keccak256(0, 64), 1)
                }
            }
            next := node
        }
    }

    /// Root above consecutive leaves that start at index `first` of a day, with their neighbours from `nodes[used]` on. Overwrites
    /// `leaves`.
    function fold(
        bytes32[] memory leaves,
        uint256 first,
        bytes32[] calldata nodes,
        uint256 used
    ) internal pure returns (bytes32 root, uint256 usedAll) {
        assembly ("memory-safe") {
            let base := add(leaves, 32)
            let count := mload(leaves)
            let node := add(nodes.offset, shl(5, used))
            for {
                let level := 0
            } lt(level, DEPTH) {
                level := add(level, 1)
            } {
                let from := base
                let to := base
                let end := add(base, shl(5, count))
                if and(first, 1) {
                    mstore(0, calldataload(node))
                    mstore(32, mload(base))
                    mstore(base, keccak256(0, 64))
                    node := add(node, 32)
                    from := add(from, 32)
                    to := from
                }
                for {} lt(add(from, 32), end) {
                    from := add(from, 64)
                } {
                    mstore(to, keccak256(from, 64))
                    to := add(to, 32)
                }
                if lt(from, end) {
                    mstore(0, mload(from))
                    mstore(32, calldataload(node))
                    mstore(to, keccak256(0, 64))
                    node := add(node, 32)
                    to := add(to, 32)
                }
                count := shr(5, sub(to, base))
                first := shr(1, first)
            }
            root := mload(base)
            usedAll := shr(5, sub(node, nodes.offset))
        }
    }

    function _nodesOf(bytes32[] calldata nodes) private pure returns (uint256 node) {
        assembly ("memory-safe") {
            node := nodes.offset
        }
    }
}
