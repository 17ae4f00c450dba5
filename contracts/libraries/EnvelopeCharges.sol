// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IEnvelopes} from "../interfaces/IEnvelopes.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {PackedReadings} from "./PackedReadings.sol";
import {PointWord} from "./PointWord.sol";
import {SlotTime} from "./SlotTime.sol";

/// What metered energy beyond a connection's operating envelope costs (IEnvelopes). Per point, with metered net export m, rating R (import)
/// and E (export), and limits r and e of its envelope (its own entry, else its zone's, else none):
///
///     beyond = m - min(e, E) for m >= 0, else -m - min(r, R);  charge = min(max(0, beyond), max(R, E)) x penalty price
///
/// The cap is what the margin holds (MarginPages.penaltyPerSlot). A missing reading is not charged: nothing was metered. Nothing here can
/// revert, and no position counts: who sold more than its envelope takes chooses between an undelivered sale and the penalty.
library EnvelopeCharges {
    /// Micro-token per kWh. Ten times what energy costs at its dearest, and bounded so that margins stay payable.
    uint256 internal constant HIGHEST_PRICE = 10_000_000;

    uint256 internal constant ENTRY_BYTES = 14;
    uint256 internal constant LINE = 1 << 30;
    uint256 internal constant POINT = 1 << 31;
    uint256 private constant LIMITS = (1 << 48) - 1;

    /// What settlement keeps over the slots of one transaction.
    struct Work {
        IEnvelopes envelopes;
        IMeteringPoints meteringPoints;
        uint256 price;
        /// Which of the 256 slots of a page have a list; `page` plus one, 0 = none read yet.
        uint256 page;
        uint256 bits;
        /// A PointWord per point, read for the first slot that has a list.
        uint256[] words;
    }

    function open(
        address envelopes,
        IMeteringPoints meteringPoints,
        uint256 price
    ) internal pure returns (Work memory work) {
        work.envelopes = IEnvelopes(envelopes);
        work.meteringPoints = meteringPoints;
        work.price = price;
    }

    /// As `charge`, for a slot that may have no list: that costs no more than its bit.
    function chargeSlot(
        Work memory work,
        uint32 slot,
        bytes memory readings,
        int128[] memory deltas
    ) internal view returns (int256 chargedNano) {
        uint256 page = slot / SlotTime.RING + 1;
        if (work.page != page) {
            work.page = page;
            work.bits = work.envelopes.pageOf(uint32(page - 1));
        }
        if ((work.bits >> (slot % SlotTime.RING)) & 1 == 0) return 0;
        if (work.words.length == 0) {
            uint256[] memory keys = new uint256[](deltas.length);
            for (uint256 point = 0; point < keys.length; ++point) keys[point] = point;
            work.words = work.meteringPoints.orderTermsBatch(keys);
        }
        return charge(work.envelopes.listOf(slot), work.words, readings, deltas, work.price);
    }

    /// Takes the charges of one slot from `deltas`, for a slot on readings.
    /// @param list the slot's envelopes
    /// @param words one PointWord per point
    /// @param readings 8 bytes per point
    /// @return chargedNano their sum
    function charge(
        bytes memory list,
        uint256[] memory words,
        bytes memory readings,
        int128[] memory deltas,
        uint256 price
    ) internal pure returns (int256 chargedNano) {
        uint256[] memory limits = limitsOf(list, words);
        unchecked {
            for (uint256 point = 0; point < words.length; ++point) {
                uint256 raw;
                assembly ("memory-safe") {
                    raw := shr(192, mload(add(add(readings, 32), shl(3, point))))
                }
                uint256 beyondWh = beyond(PointWord.wrap(words[point]), limits[point], raw);
                if (beyondWh == 0) continue;
                deltas[point] -= int128(int256(beyondWh * price));
                chargedNano += int256(beyondWh * price);
            }
        }
    }

    /// Import and export limit of every point, 24 bits each; all ones where the list has none.
    function limitsOf(bytes memory list, uint256[] memory words) internal pure returns (uint256[] memory limits) {
        unchecked {
            uint256 points = words.length;
            limits = new uint256[](points);
            uint256[] memory ofZone = new uint256[](256);
            for (uint256 zone = 0; zone < 256; ++zone) ofZone[zone] = LIMITS;
            // Zones stand first.
            uint256 at = 0;
            for (; at < list.length; at += ENTRY_BYTES) {
                (uint256 entry, uint256 limit) = entryAt(list, at);
                if (entry >= LINE) break;
                if (entry < 256) ofZone[entry] = limit;
            }
            for (uint256 point = 0; point < points; ++point)
                limits[point] = ofZone[PointWord.wrap(words[point]).zone()];
            for (; at < list.length; at += ENTRY_BYTES) {
                (uint256 entry, uint256 limit) = entryAt(list, at);
                if (entry >= POINT && entry - POINT < points) limits[entry - POINT] = limit;
            }
        }
    }

    /// Wh that are charged. `raw` a packed reading.
    function beyond(PointWord word, uint256 limit, uint256 raw) internal pure returns (uint256 wh) {
        unchecked {
            if (raw >> 62 == PackedReadings.MISSING) return 0;
            uint256 importWh = (raw >> 31) & PackedReadings.MAX_WH;
            uint256 exportWh = raw & PackedReadings.MAX_WH;
            uint256 importLimit = word.importLimitWh();
            uint256 exportLimit = word.exportLimitWh();
            uint256 most = importLimit > exportLimit ? importLimit : exportLimit;
            if (importLimit > limit >> 24) importLimit = limit >> 24;
            if (exportLimit > limit & 0xffffff) exportLimit = limit & 0xffffff;
            (uint256 net, uint256 allowed) = exportWh >= importWh
                ? (exportWh - importWh, exportLimit)
                : (importWh - exportWh, importLimit);
            if (net <= allowed) return 0;
            wh = net - allowed;
            if (wh > most) wh = most;
        }
    }

    /// Number and limits of the entry at a byte offset.
    function entryAt(bytes memory list, uint256 offset) internal pure returns (uint256 entry, uint256 limit) {
        assembly ("memory-safe") {
            let word := mload(add(add(list, 32), offset))
            entry := shr(224, word)
            limit := and(shr(176, word), 0xffffffffffff)
        }
    }
}
