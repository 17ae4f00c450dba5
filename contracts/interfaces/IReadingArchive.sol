// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What one slot's leaf in the archive is made of.
struct SlotEvidence {
    /// Of the slot's last report; anything for a slot without one.
    bytes32 readingsHash;
    bytes32 root;
    /// abi.encode(ClearingRecord) of the accepted clearing; anything for a slot that was not cleared.
    bytes record;
}

/// Readings of one meter in consecutive slots of one UTC day, with their proof.
struct ReadingRange {
    uint32 meter;
    uint32 firstSlot;
    /// 9 bytes per slot. First byte: bits 5..0 = number of nodes from the reading's leaf to the report's root, bit 6 = green energy was
    /// traded in the slot; or 0xff = the slot is not proved, its leaf is given. Then the packed reading (PackedReadings).
    bytes slots;
    /// In order of the slots: siblings from the reading up, then the hash of the green sales if bit 6 is set; or the slot's leaf. Then,
    /// level by level, the left and the right neighbour of the range in the day's tree, where it needs one.
    bytes32[] nodes;
}

/// @title The archive: reports live in a ring of 256 slots; one word per UTC day keeps every later proof possible.
/// @notice A day is the 96 slots from 96 x day on. Its word is the root of a tree of 128 leaves in order of the slots (8 bits of it give way to
/// the number of archived slots). Leaf of a slot:
///   0                                        no report, settled as estimated, or not archived in time (then for ever);
///   report's root, lowest bit cleared        no green-only bid was filled in the slot;
///   keccak256(report's root, keccak256(sales)), lowest bit set    else; `sales` as in GreenSales.
interface IReadingArchive {
    /// `leaves` are the new ones, from slot 96 x day + `from` on. With them and the reports anyone proves every reading.
    event Archived(uint32 indexed day, uint8 from, bytes32[] leaves);

    /// The leaves given again do not lead to what the chain holds of the day.
    error ArchiveMismatch(uint32 day, uint256 slots, uint256 given);
    error NothingToArchive(uint32 day);
    error BeyondDay(uint32 day, uint256 slots);
    error SlotNotFinal(uint32 slot, uint32 finalThrough);
    error EvidenceMismatch(uint32 slot, bytes28 expected, bytes28 got);
    error SalesMismatch(uint32 slot, bytes28 expected, bytes28 got);
    error SlotNotReported(uint32 slot);

    /// Archives the next slots of a day, final ones, as many as are given; anyone. A slot that nobody archived while the rings still
    /// hold it (until 255 slots after it) gets the leaf zero.
    /// @param archived all leaves of the day so far, empty at first
    function archive(uint32 day, bytes32[] calldata archived, SlotEvidence[] calldata slots) external;

    /// Bits 255..8 root, 7..0 number of archived slots from the day's start.
    function wordOf(uint32 day) external view returns (uint256);

    /// Proves readings against the archive. Per slot the packed reading | PROVEN, or what ReadingProof says of a slot not proved.
    /// Reverts for a wrong proof (ReadingProof's errors).
    function readings(ReadingRange calldata range) external view returns (uint256[] memory);

    /// Proves one reading of a slot that is still in the ring, final or not, against the last report. Reverts for a wrong proof.
    /// @param proof siblings from the reading's leaf to the report's root
    function verifyRecent(
        uint32 meter,
        uint32 slot,
        uint64 reading,
        bytes32 readingsHash,
        bytes32[] calldata proof
    ) external view;
}
