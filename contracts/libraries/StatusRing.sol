// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISettlement} from "../interfaces/ISettlement.sol";
import {SlotTime} from "./SlotTime.sol";

/// State of every slot in the ring, 64 bits each, 4 per word: lap (24), since slot (24), version (8), status (8). Entries of older
/// laps read as open.
library StatusRing {
    function get(
        mapping(uint256 page => uint256 word) storage ring,
        uint32 slot
    ) internal view returns (ISettlement.Status status, uint32 sinceSlot, uint8 version) {
        return entryOf(ring[pageOf(slot)], slot);
    }

    function set(
        mapping(uint256 page => uint256 word) storage ring,
        uint32 slot,
        ISettlement.Status status,
        uint32 sinceSlot,
        uint8 version
    ) internal {
        uint256 page = pageOf(slot);
        ring[page] = withEntry(ring[page], slot, status, sinceSlot, version);
    }

    /// Page of the word that a slot's entry stands in.
    function pageOf(uint32 slot) internal pure returns (uint256) {
        unchecked {
            return (slot % SlotTime.RING) >> 2;
        }
    }

    function entryOf(
        uint256 word,
        uint32 slot
    ) internal pure returns (ISettlement.Status status, uint32 sinceSlot, uint8 version) {
        unchecked {
            uint256 entry = word >> ((slot & 3) << 6);
            if (uint24(entry >> 40) != slot / SlotTime.RING) return (ISettlement.Status.Open, 0, 0);
            return (ISettlement.Status(uint8(entry)), uint24(entry >> 16), uint8(entry >> 8));
        }
    }

    function withEntry(
        uint256 word,
        uint32 slot,
        ISettlement.Status status,
        uint32 sinceSlot,
        uint8 version
    ) internal pure returns (uint256) {
        unchecked {
            uint256 entry =
                (uint256(slot / SlotTime.RING) << 40) |
                    (uint256(uint24(sinceSlot)) << 16) |
                    (uint256(version) << 8) |
                    uint8(status);
            uint256 shift = (slot & 3) << 6;
            return (word & ~(uint256(type(uint64).max) << shift)) | (entry << shift);
        }
    }
}
