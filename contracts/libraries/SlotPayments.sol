// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PackedEnergy} from "./PackedEnergy.sol";
import {TermsWord} from "./TermsWord.sol";

/// Money of the fixed accounts, nano-token.
struct FixedMoney {
    int256 backup;
    int256 operatorFees;
    int256 members;
    int256 congestion;
}

/// Prices of one slot in one zone, and what its accounts did. Field order is known to the assembly below.
struct ZoneRow {
    /// Wh that its accounts bought (bits 79..0), metered beyond their positions (159..80) and lacked (239..160).
    uint256 energy;
    /// What a sold, a bought, a missing and a surplus Wh cost, micro-token per kWh.
    int256 sellPrice;
    int256 buyPrice;
    int256 deficitPrice;
    int256 surplusPrice;
    uint256 backed;
    /// Green price less zone price; zero in slots that have none (ExtraPayments).
    int256 premium;
}

/// The payments of one slot, computed purely (design, sections 4 and 5). Per account, with position p (net sold) and metered
/// net export m:  p x price - fee x max(0, -p) + (m >= p ? (m - p) F : (m - p) T).  A missing reading counts as min(p, 0).
/// The other side of every payment is a fixed account, so that the slot sums to zero. Nothing here can revert.
library SlotPayments {
    /// One of the sums in a row's `energy`.
    uint256 private constant SUM = (1 << 80) - 1;

    /// Sets the prices of all zones. A zone without a posted price has the slot's reference price. Zones with a bit in
    /// `backedZones` have the backup supplier's tariffs for imbalance; the others the zone price and nothing better than nothing: one
    /// order can push such a price below zero, and the members' pool pays nobody for using energy. True when a price lies beyond what
    /// imbalance costs or earns in its zone (UnmetTrades): only the tariffs of a backed zone can be passed. No price of the table is
    /// more than `highest`, nor less than its negative.
    function setPrices(
        ZoneRow[] memory table,
        int64[] memory prices,
        bool cleared,
        TermsWord terms,
        uint256 backedZones
    ) internal pure returns (bool outside, uint256 highest) {
        int256 fee = int256(uint256(terms.fee()));
        int256 importTariff = terms.importTariff();
        int256 exportTariff = terms.exportTariff();
        int256 referencePrice = terms.reference_();
        unchecked {
            uint256 posted = cleared ? prices.length : 0;
            for (uint256 zone = 0; zone < table.length; ++zone) {
                int256 price = referencePrice;
                if (zone < posted) {
                    assembly ("memory-safe") {
                        price := mload(add(add(prices, 0x20), shl(5, zone)))
                    }
                }
                ZoneRow memory row = table[zone];
                int256 gross = price + fee;
                uint256 backed = (backedZones >> zone) & 1;
                int256 deficitPrice = backed == 1 ? importTariff : (gross > 0 ? gross : int256(0));
                int256 surplusPrice = backed == 1 ? exportTariff : (price < 0 ? price : int256(0));
                row.energy = 0;
                row.sellPrice = price;
                row.buyPrice = gross;
                row.deficitPrice = deficitPrice;
                row.surplusPrice = surplusPrice;
                row.backed = backed;
                row.premium = 0;
                if (gross > deficitPrice || price < surplusPrice) outside = true;
                uint256 amount = uint256(price < 0 ? -price : price);
                if (amount > highest) highest = amount;
            }
            // An export tariff lies below the import tariff, and is the larger amount only below zero.
            uint256 tariff = uint256(exportTariff < -importTariff ? -exportTariff : importTariff);
            highest = (highest > tariff ? highest : tariff) + uint256(fee);
        }
    }

    /// Where each point's row stands in memory, 4 bytes per point. `zones` one byte per point.
    function rowsOf(ZoneRow[] memory table, bytes memory zones) internal pure returns (bytes memory rows) {
        uint256 length = zones.length << 2;
        // The last row is written with the 28 bytes behind it.
        rows = new bytes(length + 32);
        assembly ("memory-safe") {
            mstore(rows, length)
            let first := add(table, 32)
            let zone := add(zones, 1)
            let row := add(rows, 32)
            let end := add(row, length)
            for {} lt(row, end) {} {
                mstore(row, shl(224, mload(add(first, shl(5, and(mload(zone), 0xff))))))
                zone := add(zone, 1)
                row := add(row, 4)
            }
        }
    }

    /// Adds the payment of each point from `point` to `end` (exclusive) to `deltas` and its energy to its zone's row. `rows` (rowsOf)
    /// and `positions` 4 bytes and `readings` 8 bytes per point. LanePayments does the same for many points at once.
    function addPayments(
        bytes memory rows,
        bytes memory positions,
        bytes memory readings,
        int128[] memory deltas,
        uint256 point,
        uint256 end
    ) internal pure {
        unchecked {
            for (; point < end; ++point) {
                assembly ("memory-safe") {
                    // The point's bytes are the lowest of each loaded word.
                    let row := and(mload(add(add(rows, 4), shl(2, point))), 0xffffffff)
                    let raw := mload(add(add(positions, 4), shl(2, point)))
                    // Bits 30..24 count the point's words.
                    let p := and(raw, 0xffffff)
                    let price := mload(add(row, 32))
                    let energy := 0
                    if and(raw, 0x80000000) {
                        energy := p
                        p := sub(0, p)
                        price := mload(add(row, 64))
                    }
                    raw := mload(add(add(readings, 8), shl(3, point)))
                    let d := sub(and(raw, 0x7fffffff), and(shr(31, raw), 0x7fffffff))
                    // Quality 3 in the highest two of the reading's bits: missing.
                    if gt(byte(24, raw), 191) {
                        d := mul(p, slt(p, 0))
                    }
                    d := sub(d, p)
                    let pay := mul(p, price)
                    switch slt(d, 0)
                    case 0 {
                        energy := add(energy, shl(80, d))
                        pay := add(pay, mul(d, mload(add(row, 128))))
                    }
                    default {
                        energy := sub(energy, shl(160, d))
                        pay := add(pay, mul(d, mload(add(row, 96))))
                    }
                    mstore(row, add(mload(row), energy))
                    let delta := add(add(deltas, 32), shl(5, point))
                    mstore(delta, add(mload(delta), pay)) // [25]
                }
            }
        }
    }

    /// As `addPayments` for a slot without readings: every position counts as metered.
    function addPositions(bytes memory rows, bytes memory positions, int128[] memory deltas) internal pure {
        unchecked {
            for (uint256 point = 0; point < deltas.length; ++point) {
                uint256 raw;
                ZoneRow memory row;
                assembly ("memory-safe") {
                    raw := and(mload(add(add(positions, 4), shl(2, point))), 0xffffffff)
                    row := and(mload(add(add(rows, 4), shl(2, point))), 0xffffffff)
                }
                uint256 energyWh = raw & PackedEnergy.MAX_WH;
                if (raw >> 31 == 0) {
                    deltas[point] += int128(int256(energyWh) * row.sellPrice);
                } else {
                    deltas[point] -= int128(int256(energyWh) * row.buyPrice);
                    row.energy += energyWh;
                }
            }
        }
    }

    /// The other side of the accounts' payments, into `money`. `backupNano` and `congestionNano` are the clearing's.
    function fixedMoney(
        FixedMoney memory money,
        ZoneRow[] memory table,
        TermsWord terms,
        uint256 backupSoldWh,
        int256 backupNano,
        int256 congestionNano
    ) internal pure {
        unchecked {
            int256 members;
            int256 deficitWh;
            int256 surplusWh;
            int256 boughtWh;
            int256 fee = int256(uint256(terms.fee()));
            for (uint256 zone = 0; zone < table.length; ++zone) {
                ZoneRow memory row = table[zone];
                int256 bought = int256(row.energy & SUM);
                int256 surplus = int256((row.energy >> 80) & SUM);
                int256 deficit = int256(row.energy >> 160);
                if (row.backed == 1) {
                    boughtWh += bought;
                    deficitWh += deficit;
                    surplusWh += surplus;
                } else {
                    // No backup: the members' pool is the other side of everything but the trades.
                    members += bought * fee + deficit * row.deficitPrice - surplus * row.surplusPrice;
                }
            }
            int256 nettedWh = deficitWh < surplusWh ? deficitWh : surplusWh; // [26]
            int256 importTariff = terms.importTariff();
            int256 exportTariff = terms.exportTariff();
            int256 fromBackupWh = int256(backupSoldWh) < boughtWh ? int256(backupSoldWh) : boughtWh;
            money.members = members + nettedWh * (importTariff - exportTariff) + fee * (boughtWh - fromBackupWh);
            money.operatorFees = fee * fromBackupWh;
            money.backup = backupNano + (deficitWh - nettedWh) * importTariff - (surplusWh - nettedWh) * exportTariff;
            money.congestion = congestionNano;
        }
    }

    function clearMoney(FixedMoney memory money) internal pure {
        (money.backup, money.operatorFees, money.members, money.congestion) = (0, 0, 0, 0);
    }

    function addMoney(FixedMoney memory total, FixedMoney memory money) internal pure {
        unchecked {
            total.backup += money.backup;
            total.operatorFees += money.operatorFees;
            total.members += money.members;
            total.congestion += money.congestion;
        }
    }

    /// Turns what was paid into what is taken back.
    function negate(int128[] memory deltas, FixedMoney memory total) internal pure {
        unchecked {
            for (uint256 i = 0; i < deltas.length; ++i) deltas[i] = -deltas[i];
            total.backup = -total.backup;
            total.operatorFees = -total.operatorFees;
            total.members = -total.members;
            total.congestion = -total.congestion;
        }
    }
}
