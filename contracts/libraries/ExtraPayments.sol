// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingExtras} from "../interfaces/IAuction.sol";
import {PackedEnergy} from "./PackedEnergy.sol";
import {PackedReadings} from "./PackedReadings.sol";
import {ZoneRow} from "./SlotPayments.sol";
import {TradeWord} from "./TradeWord.sol";

/// What only some slots pay, on top of SlotPayments: the green premium and bilateral trades. The extras are part of the record that the
/// auction keeps by its hash, so they are what the proof derived. Nothing here can revert.
library ExtraPayments {
    /// What one slot's payments need. Positions and readings as SlotPayments has them; `metered`: on readings, else every position
    /// counts as metered.
    struct Slot {
        ZoneRow[] table;
        bytes rows;
        bytes positions;
        bytes readings;
        int128[] deltas;
        bool metered;
    }

    /// Adds what the extras of a cleared slot pay, after the positions are paid. True when a green price lies beyond what imbalance costs
    /// or earns in its zone (UnmetTrades).
    function add(Slot memory slot, ClearingExtras memory extras) internal pure returns (bool outside) {
        if (extras.greenPrices.length != 0) outside = addGreen(slot.table, slot.rows, extras, slot.deltas);
        if (extras.tradesWh.length != 0) addTrades(slot, extras);
    }

    /// Net green sold g of a point is paid at its zone's green price q instead of the zone price: g (q - price). The premium is one
    /// in an island, and where it is not zero the island's green bids and offers fill the same energy: the sum is zero.
    function addGreen(
        ZoneRow[] memory table,
        bytes memory rows,
        ClearingExtras memory extras,
        int128[] memory deltas
    ) internal pure returns (bool outside) {
        unchecked {
            for (uint256 zone = 0; zone < table.length; ++zone) {
                ZoneRow memory row = table[zone];
                row.premium = zone < extras.greenPrices.length ? extras.greenPrices[zone] - row.sellPrice : int256(0);
                if (row.premium == 0) continue;
                if (row.buyPrice + row.premium > row.deficitPrice || row.sellPrice + row.premium < row.surplusPrice)
                    outside = true;
            }
            uint256 points = extras.green.length / PackedEnergy.BYTES;
            if (points > deltas.length) points = deltas.length;
            for (uint256 point = 0; point < points; ++point) {
                int256 greenWh = PackedEnergy.positionOfMemory(extras.green, point);
                if (greenWh != 0) deltas[point] += int128(greenWh * rowOf(rows, point).premium); // [83]
            }
        }
    }

    /// The filled energy counts as sold by the seller and bought by the buyer. One pays and the other gets the agreed price; what
    /// zone prices differ by, which the clearing took for it, is on top for the one who bears it.
    function addTrades(Slot memory slot, ClearingExtras memory extras) internal pure {
        unchecked {
            for (uint256 i = 0; i < extras.tradesWh.length; ++i) {
                int256 filledWh = int256(uint256(extras.tradesWh[i]));
                if (filledWh == 0) continue;
                TradeWord word = _wordAt(extras.trades, i);
                int256 spread = slot.table[word.to()].sellPrice - slot.table[word.from()].sellPrice;
                int256 received = word.price() - (word.sellerBearsSpread() ? spread : int256(0));
                slot.deltas[word.seller()] += int128(filledWh * received); // [84]
                slot.deltas[word.buyer()] -= int128(filledWh * (received + spread));
            }
            if (!slot.metered) return;
            int256[] memory soldWh = tradedWh(slot, extras);
            for (uint256 i = 0; i < extras.tradesWh.length; ++i) {
                TradeWord word = _wordAt(extras.trades, i);
                _move(slot, word.seller(), soldWh);
                _move(slot, word.buyer(), soldWh);
            }
        }
    }

    /// Sold less bought in bilateral trades, by point.
    function tradedWh(Slot memory slot, ClearingExtras memory extras) internal pure returns (int256[] memory soldWh) {
        unchecked {
            soldWh = new int256[](slot.deltas.length);
            for (uint256 i = 0; i < extras.tradesWh.length; ++i) {
                int256 filledWh = int256(uint256(extras.tradesWh[i]));
                TradeWord word = _wordAt(extras.trades, i);
                soldWh[word.seller()] += filledWh;
                soldWh[word.buyer()] -= filledWh;
            }
        }
    }

    /// Metered net export as payments count it; `position` with trades.
    function meteredWh(bytes memory readings, uint256 point, int256 position) internal pure returns (int256 netWh) {
        unchecked {
            uint64 raw;
            assembly ("memory-safe") {
                raw := shr(192, mload(add(add(readings, 32), shl(3, point))))
            }
            (uint8 quality, uint32 importWh, uint32 exportWh) = PackedReadings.decode(raw);
            if (quality == PackedReadings.MISSING) return position < 0 ? position : int256(0);
            return int256(uint256(exportWh)) - int256(uint256(importWh));
        }
    }

    /// Pays the imbalance of a point against its position with trades, instead of the one without them.
    function _move(Slot memory slot, uint256 point, int256[] memory soldWh) private pure {
        unchecked {
            if (soldWh[point] == 0) return;
            int256 position = PackedEnergy.positionOfMemory(slot.positions, point);
            ZoneRow memory row = rowOf(slot.rows, point);
            (uint256 energy, int256 paid) = _imbalance(slot.readings, point, position, row);
            row.energy -= energy;
            slot.deltas[point] -= int128(paid);
            (energy, paid) = _imbalance(slot.readings, point, position + soldWh[point], row);
            row.energy += energy;
            slot.deltas[point] += int128(paid);
            soldWh[point] = 0;
        }
    }

    /// As SlotPayments.addPayments counts and pays it.
    function _imbalance(
        bytes memory readings,
        uint256 point,
        int256 position,
        ZoneRow memory row
    ) private pure returns (uint256 energy, int256 paid) {
        unchecked {
            int256 d = meteredWh(readings, point, position) - position;
            if (d >= 0) return (uint256(d) << 80, d * row.surplusPrice);
            return (uint256(-d) << 160, d * row.deficitPrice);
        }
    }

    /// The row of the point's zone.
    function rowOf(bytes memory rows, uint256 point) internal pure returns (ZoneRow memory row) {
        assembly ("memory-safe") {
            row := and(mload(add(add(rows, 4), shl(2, point))), 0xffffffff)
        }
    }

    function _wordAt(bytes memory trades, uint256 index) private pure returns (TradeWord word) {
        assembly ("memory-safe") {
            word := mload(add(add(trades, 32), shl(5, index)))
        }
    }
}
