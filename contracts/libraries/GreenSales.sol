// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PackedEnergy} from "./PackedEnergy.sol";

/// Who sold green energy to whom in one slot. Certificates have no auction of their own: within an island the energy of green-only
/// bids is taken from all green sellers in proportion, and both sides meet in order of their points, so that a slot has at most
/// sellers + buyers - 1 pairs.
///
/// A list of sales: 9 bytes per point with green energy, ascending: point 4, root zone of its island 1, net green energy 4 (PackedEnergy).
library GreenSales {
    uint256 internal constant ENTRY_BYTES = 9;

    /// What a seller owes to its island's green-only bids: the Wh from `from` to `through` of all that they bought.
    struct Share {
        uint256 from;
        uint256 through;
        uint256 island;
    }

    /// @param green net green energy of every point, 4 bytes each, as the clearing's record has it
    /// @param zones zone of every point, one byte each
    /// @param rootOf root of the island of every zone
    /// @return list empty when no green-only bid was filled
    function listOf(
        bytes memory green,
        bytes memory zones,
        uint8[] memory rootOf
    ) internal pure returns (bytes memory list) {
        uint256 points = green.length / PackedEnergy.BYTES;
        list = new bytes(points * ENTRY_BYTES + 32);
        uint256 used;
        bool bought;
        unchecked {
            for (uint256 point = 0; point < points; ++point) {
                uint256 raw;
                assembly ("memory-safe") {
                    raw := shr(224, mload(add(add(green, 32), shl(2, point))))
                }
                if (raw == 0) continue;
                int256 soldWh = PackedEnergy.decode(raw);
                if (soldWh == 0) continue;
                if (soldWh < 0) bought = true;
                uint256 entry = (point << 40) | PackedEnergy.encode(soldWh);
                entry |= uint256(rootOf[uint8(zones[point])]) << 32;
                assembly ("memory-safe") {
                    // Writes 32 bytes, of which nine count: the next entry overwrites the rest.
                    mstore(add(add(list, 32), used), shl(184, entry))
                }
                used += ENTRY_BYTES;
            }
        }
        if (!bought) used = 0;
        assembly ("memory-safe") {
            mstore(list, used)
        }
    }

    /// What `point` owes, nothing if it sold no green energy.
    function shareOf(bytes calldata list, uint32 point) internal pure returns (Share memory share) {
        uint256 own;
        (share.island, own) = _find(list, point);
        if (own == 0) return share;
        uint256 before;
        uint256 soldWh;
        uint256 boughtWh;
        for (uint256 offset = 0; offset < list.length; offset += ENTRY_BYTES) {
            (uint256 other, uint256 island, int256 wh) = entryAt(list, offset);
            if (island != share.island) continue;
            if (wh < 0) boughtWh += uint256(-wh);
            else soldWh += uint256(wh);
            if (wh > 0 && other < point) before += uint256(wh);
        }
        // A buyer has at most what sellers sold: the auction proves it.
        share.from = (before * boughtWh) / soldWh;
        share.through = ((before + own) * boughtWh) / soldWh;
    }

    /// The entry at byte `offset`.
    function entryAt(
        bytes calldata list,
        uint256 offset
    ) internal pure returns (uint256 point, uint256 island, int256 soldWh) {
        uint256 entry;
        assembly ("memory-safe") {
            entry := shr(184, calldataload(add(list.offset, offset)))
        }
        return (entry >> 40, uint8(entry >> 32), PackedEnergy.decode(uint32(entry)));
    }

    /// Of the `share`, of which `deliveredWh` can be certified, what belongs to the buyer who stands from `before` to `before` +
    /// `boughtWh` in its island's row of buyers. Sums to `deliveredWh` over all buyers.
    function pieceOf(
        Share memory share,
        uint256 deliveredWh,
        uint256 before,
        uint256 boughtWh
    ) internal pure returns (uint256) {
        uint256 from = before < share.from ? share.from : before;
        uint256 through = before + boughtWh < share.through ? before + boughtWh : share.through;
        if (through <= from) return 0;
        uint256 owed = share.through - share.from;
        return ((through - share.from) * deliveredWh) / owed - ((from - share.from) * deliveredWh) / owed;
    }

    function _find(bytes calldata list, uint32 point) private pure returns (uint256 island, uint256 soldWh) {
        for (uint256 offset = 0; offset < list.length; offset += ENTRY_BYTES) {
            (uint256 other, uint256 root, int256 wh) = entryAt(list, offset);
            if (other == point && wh > 0) return (root, uint256(wh));
        }
    }
}
