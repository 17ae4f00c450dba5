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

    /// Lanes of 64 bits, one for each of four neighbouring points, the first one highest.
    uint256 private constant ONES = 0x0000000000000001000000000000000100000000000000010000000000000001;
    uint256 private constant POSITION_WH = 0x0000000000ffffff0000000000ffffff0000000000ffffff0000000000ffffff;
    uint256 private constant READING_WH = 0x000000007fffffff000000007fffffff000000007fffffff000000007fffffff;
    /// No deviation reaches it: added, it keeps every lane positive.
    uint256 private constant BIAS = 0x0000000200000000000000020000000000000002000000000000000200000000;
    uint256 private constant HIGHEST_BITS = 0x8000000000000000800000000000000080000000000000008000000000000000;
    /// Every other lane: each has 128 bits then, room for signed money.
    uint256 private constant EVERY_OTHER = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;
    /// A row's place four times, as neighbours in one zone have it.
    uint256 private constant FOUR_TIMES = 0x00000001000000010000000100000001;

    /// Sets the prices of all zones. A zone without a posted price has the slot's reference price. Zones with a bit in
    /// `backedZones` have the backup supplier's tariffs for imbalance; the others the zone price and nothing better than nothing: one
    /// order can push such a price below zero, and the members' pool pays nobody for using energy. True when a price lies beyond what
    /// imbalance costs or earns in its zone (UnmetTrades): only the tariffs of a backed zone can be passed.
    function setPrices(
        ZoneRow[] memory table,
        int64[] calldata prices,
        bool cleared,
        TermsWord terms,
        uint256 backedZones
    ) internal pure returns (bool outside) {
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
                row.energy = 0;
                row.premium = 0;
                row.backed = (backedZones >> zone) & 1;
                int256 gross = price + fee;
                row.deficitPrice = row.backed == 1 ? importTariff : (gross > 0 ? gross : int256(0));
                row.surplusPrice = row.backed == 1 ? exportTariff : (price < 0 ? price : int256(0));
                if (gross > row.deficitPrice || price < row.surplusPrice) outside = true;
            }
        }
    }

    /// Where each point's row stands in memory, 4 bytes per point. `zones` one byte per point.
    function rowsOf(ZoneRow[] memory table, bytes memory zones) internal pure returns (bytes memory rows) {
        rows = new bytes(zones.length << 2);
        assembly ("memory-safe") {
            let first := add(table, 32)
            let zone := add(zones, 1)
            let row := add(rows, 32)
            let end := add(row, mload(rows))
            for {} lt(row, end) {} {
                let at_ := mload(add(first, shl(5, and(mload(zone), 0xff))))
                mstore8(row, shr(24, at_))
                mstore8(add(row, 1), shr(16, at_))
                mstore8(add(row, 2), shr(8, at_))
                mstore8(add(row, 3), at_)
                zone := add(zone, 1)
                row := add(row, 4)
            }
        }
    }

    /// Adds each point's payment to `deltas` and its energy to its zone's row. `rows` (rowsOf) and `positions` 4 bytes and
    /// `readings` 8 bytes per point, all for `deltas.length` points. Four neighbours of one zone without a missing reading are
    /// paid together, without a branch; all others one by one.
    function addPayments(
        bytes memory rows,
        bytes memory positions,
        bytes memory readings,
        int128[] memory deltas
    ) internal pure {
        unchecked {
            uint256 points = deltas.length;
            for (uint256 point = 0; point < points; point += 4) {
                if (point + 4 > points || !_addFour(rows, positions, readings, deltas, point))
                    _addEach(rows, positions, readings, deltas, point, point + 4 > points ? points : point + 4);
            }
        }
    }

    /// Pays four points from `point` on; false, and nothing is done, when they are not of one zone or a reading is missing.
    function _addFour(
        bytes memory rows,
        bytes memory positions,
        bytes memory readings,
        int128[] memory deltas,
        uint256 point
    ) private pure returns (bool plain) {
        assembly ("memory-safe") {
            let metered := mload(add(add(readings, 32), shl(3, point)))
            let row := shr(128, mload(add(add(rows, 32), shl(2, point))))
            // Quality 3 in the highest two of a reading's bits: missing.
            let missing := and(and(metered, shl(1, metered)), HIGHEST_BITS)
            plain := and(iszero(missing), eq(row, mul(and(row, 0xffffffff), FOUR_TIMES)))
            if plain {
                row := and(row, 0xffffffff)
                // Four positions of 32 bits, each in the lower half of its lane; what stands above is masked below.
                let bought := shr(128, mload(add(add(positions, 32), shl(2, point))))
                bought := and(or(bought, shl(64, bought)), EVERY_OTHER)
                bought := or(bought, shl(32, bought))
                let sold := and(bought, POSITION_WH)
                bought := and(sold, mul(and(shr(31, bought), ONES), 0xffffff))
                sold := xor(sold, bought)
                // Deviation: metered net export less net sold.
                let surplus := add(add(and(metered, READING_WH), bought), BIAS)
                surplus := sub(surplus, add(and(shr(31, metered), READING_WH), sold))
                let deficit := sub(BIAS, surplus)
                surplus := and(surplus, mul(and(shr(33, surplus), ONES), 0x1ffffffff))
                deficit := add(deficit, surplus)
                // The sum of all lanes arrives in the highest one.
                let energy := shr(192, mul(bought, ONES))
                energy := add(energy, shl(80, shr(192, mul(surplus, ONES))))
                mstore(row, add(mload(row), add(energy, shl(160, shr(192, mul(deficit, ONES))))))

                let sellPrice := mload(add(row, 32))
                let buyPrice := mload(add(row, 64))
                let deficitPrice := mload(add(row, 96))
                let surplusPrice := mload(add(row, 128))
                let delta := add(add(deltas, 32), shl(5, point))
                // The second and the fourth point, then the first and the third: two payments in each sum, the lower one signed.
                let pay := mul(and(sold, EVERY_OTHER), sellPrice)
                pay := sub(pay, mul(and(bought, EVERY_OTHER), buyPrice))
                pay := add(pay, mul(and(surplus, EVERY_OTHER), surplusPrice))
                pay := sub(pay, mul(and(deficit, EVERY_OTHER), deficitPrice))
                let low := signextend(15, pay)
                mstore(add(delta, 96), add(mload(add(delta, 96)), low)) // [25]
                mstore(add(delta, 32), add(mload(add(delta, 32)), sar(128, sub(pay, low))))
                pay := mul(and(shr(64, sold), EVERY_OTHER), sellPrice)
                pay := sub(pay, mul(and(shr(64, bought), EVERY_OTHER), buyPrice))
                pay := add(pay, mul(and(shr(64, surplus), EVERY_OTHER), surplusPrice))
                pay := sub(pay, mul(and(shr(64, deficit), EVERY_OTHER), deficitPrice))
                low := signextend(15, pay)
                mstore(add(delta, 64), add(mload(add(delta, 64)), low))
                mstore(delta, add(mload(delta), sar(128, sub(pay, low))))
            }
        }
    }

    /// Pays the points from `point` to `end` (exclusive).
    function _addEach(
        bytes memory rows,
        bytes memory positions,
        bytes memory readings,
        int128[] memory deltas,
        uint256 point,
        uint256 end
    ) private pure {
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
                int256 bought = int256(row.energy & SUM);
                int256 surplus = int256((row.energy >> 80) & SUM);
                int256 deficit = int256(row.energy >> 160);
                if (row.backed == 1) {
                    boughtWh += bought;
                    deficitWh += deficit;
                    surplusWh += surplus;
                } else {
                    // No backup: the members' pool is the other side of everything but the trades.
                    money.members += bought * fee + deficit * row.deficitPrice - surplus * row.surplusPrice;
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
