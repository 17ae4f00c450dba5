// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingExtras, ClearingRecord} from "../../../contracts/interfaces/IAuction.sol";
import {SlotTerms} from "../../../contracts/libraries/MarketTypes.sol";

/// The money of one slot by the text of docs/internals.md ("Money of a settled slot"), point by point, in 256 bits, with nothing of the
/// contracts' code. Slow and plain on purpose.
library Model {
    /// Fixed accounts behind the points.
    uint256 internal constant MOST_POINTS = 8;
    uint256 internal constant BACKUP = 8;
    uint256 internal constant OPERATOR = 9;
    uint256 internal constant MEMBERS = 10;
    uint256 internal constant CONGESTION = 11;
    uint256 internal constant FUND = 12;
    uint256 internal constant ACCOUNTS = 13;

    struct Slot {
        SlotTerms terms;
        bool published;
        bool cleared;
        /// Settled by positions, without readings.
        bool estimated;
        ClearingRecord record;
        bytes readings;
        uint8[] zoneOf;
        /// A bit per zone whose island has the backup supplier, when the slot's network was in force.
        uint256 backed;
    }

    struct Sums {
        int256 deficitWh;
        int256 surplusWh;
        int256 boughtWh;
    }

    /// What the payments of a slot are made of.
    struct Work {
        Sums sums;
        ClearingExtras extras;
        /// Net sold in bilateral trades, and their money between the two sides, by point.
        int256[] tradedWh;
        int256[] tradedNano;
    }

    /// Payments by account, and what of them points pay because they did not keep to what they sold or bought (decision 12).
    function payments(Slot memory slot) internal pure returns (int256[] memory nano, int256[] memory unmet) {
        nano = new int256[](ACCOUNTS);
        unmet = new int256[](ACCOUNTS);
        if (!slot.published || (slot.estimated && !slot.cleared)) return (nano, unmet);
        Work memory w;
        w.tradedWh = new int256[](ACCOUNTS);
        w.tradedNano = new int256[](ACCOUNTS);
        if (slot.cleared && slot.record.extras.length != 0) {
            w.extras = abi.decode(slot.record.extras, (ClearingExtras));
            _trade(slot, w);
        }
        for (uint256 i = 0; i < slot.zoneOf.length; ++i) {
            (int256 paid, int256 extra) = _payPoint(slot, w, i, nano);
            (nano[i], unmet[i]) = (paid - extra, extra);
            nano[MEMBERS] += extra;
        }
        Sums memory sums = w.sums;
        int256 fee = int256(uint256(slot.terms.fee));
        int256 netted = sums.deficitWh < sums.surplusWh ? sums.deficitWh : sums.surplusWh;
        (int256 T, int256 F) = (slot.terms.importTariff, slot.terms.exportTariff);
        int256 sold = slot.cleared ? int256(uint256(slot.record.backupSoldWh)) : int256(0);
        if (sold > sums.boughtWh) sold = sums.boughtWh;
        nano[MEMBERS] += netted * (T - F) + fee * (sums.boughtWh - sold);
        nano[OPERATOR] += fee * sold;
        nano[BACKUP] += (sums.deficitWh - netted) * T - (sums.surplusWh - netted) * F;
        if (!slot.cleared) return (nano, unmet);
        nano[BACKUP] += slot.record.backupNano;
        nano[CONGESTION] += slot.record.congestionNano;
    }

    /// seller += t A, buyer -= t (A + s), s the buyer's zone price less the seller's; or the seller bears s.
    function _trade(Slot memory slot, Work memory w) private pure {
        for (uint256 i = 0; i < w.extras.tradesWh.length; ++i) {
            int256 filledWh = int256(uint256(w.extras.tradesWh[i]));
            bytes memory words = w.extras.trades;
            (uint256 seller, uint256 buyer) = (_number(words, 32 * i, 4), _number(words, 32 * i + 4, 4));
            int256 agreed = int40(uint40(_number(words, 32 * i + 14, 5)));
            int256 spread = int256(slot.record.prices[slot.zoneOf[buyer]]) - slot.record.prices[slot.zoneOf[seller]];
            bool sellerBears = _number(words, 32 * i + 31, 1) % 2 == 1;
            w.tradedWh[seller] += filledWh;
            w.tradedWh[buyer] -= filledWh;
            w.tradedNano[seller] += filledWh * (sellerBears ? agreed - spread : agreed);
            w.tradedNano[buyer] -= filledWh * (sellerBears ? agreed : agreed + spread);
        }
    }

    /// Prices of one zone in the slot.
    struct Prices {
        int256 price;
        int256 fee;
        /// What a Wh costs that lacks, and what one earns that is too many.
        int256 T;
        int256 F;
        int256 premium;
        bool backed;
    }

    function _pricesOf(Slot memory slot, Work memory w, uint256 zone) private pure returns (Prices memory p) {
        p.price = slot.terms.reference_;
        if (slot.cleared && zone < slot.record.prices.length) p.price = slot.record.prices[zone];
        p.fee = int256(uint256(slot.terms.fee));
        (p.T, p.F) = (slot.terms.importTariff, slot.terms.exportTariff);
        p.backed = (slot.backed >> zone) & 1 == 1;
        if (!p.backed) {
            p.T = p.price + p.fee > 0 ? p.price + p.fee : int256(0);
            p.F = p.price < 0 ? p.price : int256(0);
        }
        if (w.extras.greenPrices.length != 0) p.premium = w.extras.greenPrices[zone] - p.price;
    }

    /// Payment of one point; the other side where the island has no backup supplier is the members' account.
    function _payPoint(
        Slot memory slot,
        Work memory w,
        uint256 i,
        int256[] memory nano
    ) private pure returns (int256 paid, int256 extra) {
        Prices memory p = _pricesOf(slot, w, slot.zoneOf[i]);
        int256 position = slot.cleared ? positionOf(slot.record.positions, i) : int256(0);
        int256 bought = position < 0 ? -position : int256(0);
        int256 whole = position + w.tradedWh[i];
        int256 deviation = slot.estimated ? int256(0) : meteredOf(slot.readings, i, whole) - whole;
        int256 imbalance = deviation * (deviation < 0 ? p.T : p.F);
        if (!p.backed) nano[MEMBERS] += bought * p.fee - imbalance;
        else {
            w.sums.boughtWh += bought;
            if (deviation < 0) w.sums.deficitWh -= deviation;
            else w.sums.surplusWh += deviation;
        }
        int256 greenWh = positionOf(w.extras.green, i);
        paid = position * p.price - bought * p.fee + imbalance + greenWh * p.premium + w.tradedNano[i];
        if (slot.cleared && !slot.estimated) extra = _unmet(whole, deviation, greenWh, p);
    }

    /// u max(0, price + fee - T) for u not delivered of what was sold, u max(0, F - price) for u not used of what was bought; the first of them
    /// at the green price, as far as the position is green.
    function _unmet(int256 whole, int256 deviation, int256 greenWh, Prices memory p) private pure returns (int256) {
        if (whole == 0 || deviation == 0 || whole > 0 == deviation > 0) return 0;
        bool sells = whole > 0;
        int256 u = sells ? -deviation : deviation;
        if (u > (sells ? whole : -whole)) u = sells ? whole : -whole;
        int256 greens = sells ? greenWh : -greenWh;
        if (greens < 0) greens = 0;
        if (greens > u) greens = u;
        int256 plain = sells ? p.price + p.fee - p.T : p.F - p.price;
        int256 green = sells ? plain + p.premium : plain - p.premium;
        return (plain > 0 ? (u - greens) * plain : int256(0)) + (green > 0 ? greens * green : int256(0));
    }

    /// Net Wh sold: 4 bytes per point, bit 31 bought, bits 30..24 words, the rest Wh.
    function positionOf(bytes memory packed, uint256 point) internal pure returns (int256 soldWh) {
        uint256 raw = _number(packed, 4 * point, 4);
        soldWh = int256(raw % 2 ** 24);
        if (raw >= 2 ** 31) soldWh = -soldWh;
    }

    function wordsOf(bytes memory packed, uint256 point) internal pure returns (uint256) {
        return (_number(packed, 4 * point, 4) % 2 ** 31) >> 24;
    }

    /// Metered net export: 8 bytes per point, quality 2 bits, import and export 31 bits. What is missing counts against its owner.
    function meteredOf(bytes memory readings, uint256 point, int256 position) internal pure returns (int256) {
        uint256 raw = _number(readings, 8 * point, 8);
        if (8 * point >= readings.length || raw >> 62 == 3) return position < 0 ? position : int256(0);
        return int256(raw % 2 ** 31) - int256((raw >> 31) % 2 ** 31);
    }

    /// `length` bytes from `from` on as a number; zero beyond the end.
    function _number(bytes memory data, uint256 from, uint256 length) private pure returns (uint256 number) {
        for (uint256 i = from; i < from + length; ++i) {
            number = (number << 8) | (i < data.length ? uint8(data[i]) : 0);
        }
    }

    /// What a slot can take from an account that keeps to its orders and ratings, by the text of design, section 4:
    /// R T + L (T - F) + E max(0, -F), in a zone that is ever without the backup supplier at least R (P + S) + L S + E max(0, S - p) with S = T - F,
    /// and the fee of 15 x 8 words and the largest penalty.
    function marginPerSlot(Rating memory r, Bounds memory b) internal pure returns (int256 nano) {
        int256 spread = b.highestImport - b.lowestExport;
        nano = r.importWh * (b.highestImport > 0 ? b.highestImport : int256(0)) + r.tradeWh * spread;
        if (b.lowestExport < 0) nano -= r.exportWh * b.lowestExport;
        if (r.unbacked) {
            int256 other = r.importWh * (b.highestPrice + spread) + r.tradeWh * spread;
            if (b.lowestPrice < spread) other += r.exportWh * (spread - b.lowestPrice);
            if (other > nano) nano = other;
        }
        nano += 15 * 8 * b.wordFee + (r.importWh > r.exportWh ? r.importWh : r.exportWh) * b.penalty;
    }

    struct Rating {
        int256 importWh;
        int256 exportWh;
        int256 tradeWh;
        bool unbacked;
    }

    struct Bounds {
        int256 highestImport;
        int256 lowestExport;
        int256 lowestPrice;
        int256 highestPrice;
        int256 wordFee;
        int256 penalty;
    }
}
