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

    function payments(Slot memory slot) internal pure returns (int256[] memory nano) {
        nano = new int256[](ACCOUNTS);
        if (!slot.published || (slot.estimated && !slot.cleared)) return nano;
        Sums memory sums;
        for (uint256 i = 0; i < slot.zoneOf.length; ++i) nano[i] = _payPoint(slot, i, sums, nano);
        int256 fee = int256(uint256(slot.terms.fee));
        int256 netted = sums.deficitWh < sums.surplusWh ? sums.deficitWh : sums.surplusWh;
        (int256 T, int256 F) = (slot.terms.importTariff, slot.terms.exportTariff);
        int256 sold = slot.cleared ? int256(uint256(slot.record.backupSoldWh)) : int256(0);
        if (sold > sums.boughtWh) sold = sums.boughtWh;
        nano[MEMBERS] += netted * (T - F) + fee * (sums.boughtWh - sold);
        nano[OPERATOR] += fee * sold;
        nano[BACKUP] += (sums.deficitWh - netted) * T - (sums.surplusWh - netted) * F;
        if (!slot.cleared) return nano;
        nano[BACKUP] += slot.record.backupNano;
        nano[CONGESTION] += slot.record.congestionNano;
    }

    /// Payment of one point; the other side where the island has no backup supplier is the members' account.
    function _payPoint(
        Slot memory slot,
        uint256 i,
        Sums memory sums,
        int256[] memory nano
    ) private pure returns (int256 paid) {
        uint256 zone = slot.zoneOf[i];
        int256 price = slot.terms.reference_;
        if (slot.cleared && zone < slot.record.prices.length) price = slot.record.prices[zone];
        int256 fee = int256(uint256(slot.terms.fee));
        int256 position = slot.cleared ? positionOf(slot.record.positions, i) : int256(0);
        int256 bought = position < 0 ? -position : int256(0);
        int256 deviation = slot.estimated ? int256(0) : meteredOf(slot.readings, i, position) - position;
        int256 deficit = deviation < 0 ? -deviation : int256(0);
        int256 surplus = deviation > 0 ? deviation : int256(0);
        (int256 T, int256 F) = (int256(slot.terms.importTariff), int256(slot.terms.exportTariff));
        if ((slot.backed >> zone) & 1 == 1) {
            sums.deficitWh += deficit;
            sums.surplusWh += surplus;
            sums.boughtWh += bought;
        } else {
            T = price + fee > 0 ? price + fee : int256(0);
            F = price < 0 ? price : int256(0);
            nano[MEMBERS] += deficit * T - surplus * F + bought * fee;
        }
        return position * price - bought * fee + surplus * F - deficit * T;
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
