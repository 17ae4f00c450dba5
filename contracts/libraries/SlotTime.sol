// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// The calendar of a slot (design, section 3). A slot is 900 s of chain time, numbered unixSeconds / 900.
library SlotTime {
    uint256 internal constant SLOT_SECONDS = 900;
    /// The gate closes 2/3 of a slot before the slot starts.
    uint256 internal constant GATE_SECONDS = 600;
    /// Sealed batches are opened within 1/6 of a slot after the gate.
    uint256 internal constant OPENING_SECONDS = 150;
    /// A report is due within 8 slots after the slot's end; later the slot is *estimated*.
    uint256 internal constant REPORT_SLOTS = 8;
    /// A slot is final 96 slots after it was settled (or estimated).
    uint256 internal constant FINAL_SLOTS = 96;
    /// A higher version of a settled slot's report lands within 88 slots after settlement, so that 8 are left to resettle it.
    uint256 internal constant CORRECTION_SLOTS = FINAL_SLOTS - REPORT_SLOTS;
    /// Length of every ring buffer that is keyed by slot. Longer than the farthest order plus the longest life of a slot.
    uint256 internal constant RING = 256;
    /// Orders are taken at most this many slots ahead.
    uint256 internal constant AHEAD_SLOTS = 120;

    function current() internal view returns (uint32) {
        return uint32(block.timestamp / SLOT_SECONDS);
    }

    function startOf(uint32 slot) internal pure returns (uint256) {
        return uint256(slot) * SLOT_SECONDS;
    }

    function endOf(uint32 slot) internal pure returns (uint256) {
        return (uint256(slot) + 1) * SLOT_SECONDS;
    }

    /// Orders are accepted at block times up to and including this one.
    function gateOf(uint32 slot) internal pure returns (uint256) {
        return uint256(slot) * SLOT_SECONDS - GATE_SECONDS;
    }

    function reportDeadlineOf(uint32 slot) internal pure returns (uint256) {
        return endOf(slot) + REPORT_SLOTS * SLOT_SECONDS;
    }
}
