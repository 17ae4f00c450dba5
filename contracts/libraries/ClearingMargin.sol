// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BookTable} from "./ClearingBook.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// Shares posted marginal totals out among the orders at the price.
///
/// Pro rata: floor(energy x total / available), and the remainder as one Wh each to the first orders by order of append. In an
/// island without backup the bids of a zone that cannot all be filled share by priority class first: class c gets the ratio
/// min(1, theta x weight) of its Wh, the same theta for all, and within the class it is pro rata again.
///
/// Offsets of the fields of a ZoneTally: bidMarginWh 0xa0, bidFilledWh 0xc0, bidRestWh 0xe0, bidUnit 0x120, those of offers 0x160 behind,
/// classes 0x360; its size, which leads from a zone to its twin, is 0x380. The share of a class has its three fields as far apart, from
/// its own offset on.
library ClearingMargin {
    uint256 private constant CLASSES = 4;
    /// Bytes from the share of one class to that of the next.
    uint256 private constant CLASS_BYTES = 0x100;
    /// A byte per class: normal, opportunistic, critical, emergency.
    uint256 private constant WEIGHTS = 0x08040102;
    /// Classes by urgency, 2 bits each, the most urgent lowest.
    uint256 private constant URGENCY = (1 << 6) | (0 << 4) | (2 << 2) | 3;

    /// Callers have checked total <= available for every record.
    /// @param zones records of `count` zones, then of their twins if green orders trade apart
    /// @param margin calldata offsets of the words at the price, the last appended first
    function fill(
        BookTable memory table,
        ZoneTally[] memory zones,
        uint256 count,
        uint256[] memory margin
    ) internal pure {
        unchecked {
            bool shared;
            bool rationed;
            for (uint256 i = 0; i < zones.length; ++i) {
                ZoneTally memory zone = zones[i];
                zone.bidRestWh = zone.bidFilledWh;
                zone.offerRestWh = zone.offerFilledWh;
                bool bids = zone.bidFilledWh != 0 && zone.bidFilledWh != zone.bidMarginWh;
                bool offers = zone.offerFilledWh != 0 && zone.offerFilledWh != zone.offerMarginWh;
                shared = shared || bids || offers;
                if (bids && zone.bidCap == type(int256).max) {
                    rationed = true;
                    zone.classes = _room();
                }
            }
            uint256 apart = zones.length > count ? 0x1c0 : 0;
            if (rationed) _ration(zones, margin, apart);
            if (shared) _takeShares(zones, margin, apart);
            _handOut(table, zones, margin, apart);
        }
    }

    /// Clean shares of four classes.
    function _room() private pure returns (uint256 classes) {
        assembly ("memory-safe") {
            classes := mload(0x40)
            calldatacopy(classes, calldatasize(), 0x400)
            mstore(0x40, add(classes, 0x400))
        }
    }

    /// Splits the totals of records with room for classes among them. [45]
    function _ration(ZoneTally[] memory zones, uint256[] memory margin, uint256 apart) private pure {
        assembly ("memory-safe") {
            let end := add(add(margin, 0x20), shl(5, mload(margin)))
            for {
                let item := add(margin, 0x20)
            } lt(item, end) {
                item := add(item, 0x20)
            } {
                let word := calldataload(mload(item))
                let flags := byte(6, word)
                let zone := mload(add(add(zones, 0x20), shl(5, byte(5, word))))
                zone := add(zone, mul(and(flags, 2), apart))
                let classes := mul(mload(add(zone, 0x360)), iszero(and(flags, 1)))
                if classes {
                    let class := add(classes, shl(8, and(shr(2, flags), 3)))
                    mstore(class, add(mload(class), and(shr(168, word), 0xffffffff)))
                }
            }
        }
        for (uint256 i = 0; i < zones.length; ++i) {
            ZoneTally memory zone = zones[i];
            if (zone.classes == 0) continue;
            uint256[CLASSES] memory availableWh;
            uint256 present;
            for (uint256 c = 0; c < CLASSES; ++c) {
                availableWh[c] = _read(zone.classes + c * CLASS_BYTES);
                if (availableWh[c] != 0) ++present;
            }
            if (present == 1) {
                zone.classes = 0;
                continue;
            }
            uint256[CLASSES] memory sharesWh = shareOut(availableWh, zone.bidFilledWh);
            for (uint256 c = 0; c < CLASSES; ++c) {
                _write(zone.classes + c * CLASS_BYTES + 0x20, sharesWh[c]);
                _write(zone.classes + c * CLASS_BYTES + 0x40, sharesWh[c]);
            }
        }
    }

    /// Shares `totalWh` among classes: the same theta for all, a class whose ratio reaches one is full, ratios are rounded down; what
    /// rounding leaves goes Wh by Wh to the classes by urgency.
    /// @param availableWh per class, below 2^128; together at least `totalWh`
    function shareOut(
        uint256[CLASSES] memory availableWh,
        uint256 totalWh
    ) internal pure returns (uint256[CLASSES] memory sharesWh) {
        unchecked {
            uint256 restWh = totalWh;
            uint256 open = 15;
            while (open != 0) {
                uint256 sum = 0;
                for (uint256 c = 0; c < CLASSES; ++c) {
                    if ((open >> c) & 1 != 0) sum += _weightOf(c) * availableWh[c];
                }
                if (sum == 0) break;
                uint256 full = 0;
                uint256 fullWh = 0;
                for (uint256 c = 0; c < CLASSES; ++c) {
                    if ((open >> c) & 1 == 0) continue;
                    sharesWh[c] = (restWh * _weightOf(c) * availableWh[c]) / sum;
                    if (sharesWh[c] < availableWh[c]) continue;
                    full |= 1 << c;
                    fullWh += availableWh[c];
                    sharesWh[c] = availableWh[c];
                }
                if (full == 0) break;
                open &= ~full;
                restWh -= fullWh;
            }
            restWh = totalWh;
            for (uint256 c = 0; c < CLASSES; ++c) restWh -= sharesWh[c];
            for (uint256 order = URGENCY; restWh != 0; order = order < 4 ? URGENCY : order >> 2) {
                uint256 c = order & 3;
                if (sharesWh[c] == availableWh[c]) continue;
                ++sharesWh[c];
                --restWh;
            }
        }
    }

    /// Takes every floor of the pro rata shares off the rests.
    function _takeShares(ZoneTally[] memory zones, uint256[] memory margin, uint256 apart) private pure {
        assembly ("memory-safe") {
            let end := add(add(margin, 0x20), shl(5, mload(margin)))
            for {
                let item := add(margin, 0x20)
            } lt(item, end) {
                item := add(item, 0x20)
            } {
                let word := calldataload(mload(item))
                let flags := byte(6, word)
                let zone := mload(add(add(zones, 0x20), shl(5, byte(5, word))))
                zone := add(zone, mul(and(flags, 2), apart))
                let side := add(add(zone, 0xa0), mul(0x160, and(flags, 1)))
                if mul(mload(add(zone, 0x360)), iszero(and(flags, 1))) {
                    side := add(mload(add(zone, 0x360)), shl(8, and(shr(2, flags), 3)))
                }
                let share := div(mul(and(shr(168, word), 0xffffffff), mload(add(side, 0x20))), mload(side))
                mstore(add(side, 0x40), sub(mload(add(side, 0x40)), share))
            }
        }
    }

    /// Fills the words into the table, in order of append: the list begins with the last word.
    function _handOut(
        BookTable memory table,
        ZoneTally[] memory zones,
        uint256[] memory margin,
        uint256 apart
    ) private pure {
        assembly ("memory-safe") {
            let entries := mload(table)
            for {
                let item := add(margin, shl(5, mload(margin)))
            } gt(item, margin) {
                item := sub(item, 0x20)
            } {
                let word := calldataload(mload(item))
                let flags := byte(6, word)
                let zone := mload(add(add(zones, 0x20), shl(5, byte(5, word))))
                zone := add(zone, mul(and(flags, 2), apart))
                let side := add(add(zone, 0xa0), mul(0x160, and(flags, 1)))
                if mul(mload(add(zone, 0x360)), iszero(and(flags, 1))) {
                    side := add(mload(add(zone, 0x360)), shl(8, and(shr(2, flags), 3)))
                }
                let share := and(shr(168, word), 0xffffffff)
                let total := mload(add(side, 0x20))
                let available := mload(side)
                if xor(total, available) {
                    let rest := add(side, 0x40)
                    let extra := iszero(iszero(mload(rest)))
                    share := add(div(mul(share, total), available), extra) // [7]
                    mstore(rest, sub(mload(rest), extra))
                }
                let entry := add(entries, shl(5, shr(224, word)))
                let unit := mload(add(add(zone, 0x120), mul(0x160, and(flags, 1))))
                mstore(entry, add(mload(entry), mul(share, unit)))
            }
        }
    }

    function _weightOf(uint256 class) private pure returns (uint256) {
        return (WEIGHTS >> (8 * class)) & 0xff;
    }

    function _read(uint256 offset) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(offset)
        }
    }

    function _write(uint256 offset, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(offset, value)
        }
    }
}
