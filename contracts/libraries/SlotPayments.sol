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
    /// What a sold, a bought, a missing and a surplus Wh cost, micro-token per kWh.
    int256 sellPrice;
    int256 buyPrice;
    int256 deficitPrice;
    int256 surplusPrice;
    uint256 boughtWh;
    /// Sum of all deficits, zero or negative.
    int256 deficitWh;
    int256 surplusWh;
    uint256 backed;
}

/// The payments of one slot, computed purely (design, sections 4 and 5). Per account, with position p (net sold) and metered
/// net export m:  p x price - fee x max(0, -p) + (m >= p ? (m - p) F : (m - p) T).  A missing reading counts as min(p, 0).
/// The other side of every payment is a fixed account, so that the slot sums to zero. Nothing here can revert.
library SlotPayments {
    /// Sets the prices of all zones. A zone without a posted price has the slot's reference price. Zones with a bit in
    /// `backedZones` have the backup supplier's tariffs for imbalance; the others the zone price and nothing better than nothing: one
    /// order can push such a price below zero, and the members' pool pays nobody for using energy.
    function setPrices(
        ZoneRow[] memory table,
        int64[] calldata prices,
        bool cleared,
        TermsWord terms,
        uint256 backedZones
    ) internal pure {
        int256 fee = int256(uint256(terms.fee()));
        int256 importTariff = terms.importTariff();
        int256 exportTariff = terms.exportTariff();
        int256 referencePrice = terms.reference_();
        unchecked {
            for (uint256 zone = 0; zone < table.length; ++zone) {
                int256 price = cleared && zone < prices.length ? int256(prices[zone]) : referencePrice;
                ZoneRow memory row = table[zone];
                row.sellPrice = price;
                row.buyPrice = price + fee;
                row.boughtWh = 0;
                row.deficitWh = 0;
                row.surplusWh = 0;
                row.backed = (backedZones >> zone) & 1;
                int256 gross = price + fee;
                row.deficitPrice = row.backed == 1 ? importTariff : (gross > 0 ? gross : int256(0));
                row.surplusPrice = row.backed == 1 ? exportTariff : (price < 0 ? price : int256(0));
            }
        }
    }

    /// Adds each point's payment to `deltas` and its energy to its zone's row. `zones` one byte, `positions` 4 and `readings`
    /// 8 bytes per point, all for `deltas.length` points.
    function addPayments(
        ZoneRow[] memory table,
        bytes memory zones,
        bytes memory positions,
        bytes memory readings,
        int128[] memory deltas
    ) internal pure {
        assembly ("memory-safe") {
            // Each pointer stands so that the point's bytes are the lowest of the word it loads.
            let rows := add(table, 32)
            let zone := add(zones, 1)
            let position := add(positions, 4)
            let reading := add(readings, 8)
            let delta := add(deltas, 32)
            let end := add(delta, shl(5, mload(deltas)))
            for {} lt(delta, end) {} {
                let row := mload(add(rows, shl(5, and(mload(zone), 0xff))))
                let energyWh := mload(position)
                let bought := and(shr(31, energyWh), 1)
                // Bits 30..24 count the point's words.
                energyWh := and(energyWh, 0xffffff)
                let p := mul(energyWh, sub(1, shl(1, bought)))
                // The sell price, or the buy price 32 bytes behind it.
                let pay := mul(p, mload(add(row, shl(5, bought))))
                let at_ := add(row, 128)
                mstore(at_, add(mload(at_), mul(energyWh, bought)))
                let raw := mload(reading)
                let d := sub(sub(and(raw, 0x7fffffff), and(shr(31, raw), 0x7fffffff)), p)
                if eq(and(shr(62, raw), 3), 3) {
                    d := sub(0, mul(energyWh, iszero(bought)))
                }
                // The surplus price and sum, or the deficit's 32 bytes before them.
                at_ := sub(row, shl(5, slt(d, 0)))
                pay := add(pay, mul(d, mload(add(at_, 96))))
                at_ := add(at_, 192)
                mstore(at_, add(mload(at_), d))
                mstore(delta, add(mload(delta), pay)) // [25]
                zone := add(zone, 1)
                position := add(position, 4)
                reading := add(reading, 8)
                delta := add(delta, 32)
            }
        }
    }

    /// As `addPayments` for a slot without readings: every position counts as metered.
    function addPositions(
        ZoneRow[] memory table,
        bytes memory zones,
        bytes memory positions,
        int128[] memory deltas
    ) internal pure {
        unchecked {
            for (uint256 point = 0; point < deltas.length; ++point) {
                uint256 raw;
                uint256 zone;
                assembly ("memory-safe") {
                    raw := and(mload(add(add(positions, 4), shl(2, point))), 0xffffffff)
                    zone := and(mload(add(add(zones, 1), point)), 0xff)
                }
                ZoneRow memory row = table[zone];
                uint256 energyWh = raw & PackedEnergy.MAX_WH;
                if (raw >> 31 == 0) {
                    deltas[point] += int128(int256(energyWh) * row.sellPrice);
                } else {
                    deltas[point] -= int128(int256(energyWh) * row.buyPrice);
                    row.boughtWh += energyWh;
                }
            }
        }
    }

    /// The other side of the accounts' payments. `backupNano` and `congestionNano` are the clearing's.
    function fixedMoney(
        ZoneRow[] memory table,
        TermsWord terms,
        uint256 backupSoldWh,
        int256 backupNano,
        int256 congestionNano
    ) internal pure returns (FixedMoney memory money) {
        unchecked {
            int256 deficitWh;
            int256 surplusWh;
            int256 boughtWh;
            int256 fee = int256(uint256(terms.fee()));
            for (uint256 zone = 0; zone < table.length; ++zone) {
                ZoneRow memory row = table[zone];
                if (row.backed == 1) {
                    boughtWh += int256(row.boughtWh);
                    deficitWh -= row.deficitWh;
                    surplusWh += row.surplusWh;
                } else {
                    // No backup: the members' pool is the other side of everything but the trades.
                    money.members +=
                        int256(row.boughtWh) * fee -
                        row.deficitWh * row.deficitPrice -
                        row.surplusWh * row.surplusPrice;
                }
            }
            int256 nettedWh = deficitWh < surplusWh ? deficitWh : surplusWh; // [26]
            int256 importTariff = terms.importTariff();
            int256 exportTariff = terms.exportTariff();
            int256 fromBackupWh = int256(backupSoldWh) < boughtWh ? int256(backupSoldWh) : boughtWh;
            money.members += nettedWh * (importTariff - exportTariff) + fee * (boughtWh - fromBackupWh);
            money.operatorFees = fee * fromBackupWh;
            money.backup = backupNano + (deficitWh - nettedWh) * importTariff - (surplusWh - nettedWh) * exportTariff;
            money.congestion = congestionNano;
        }
    }
}
