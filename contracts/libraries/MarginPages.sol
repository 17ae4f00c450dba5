// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PointWord} from "./PointWord.sol";

/// Up to which slot an account's margin was checked: 32 bits per point (24 bits slot, 8 bits the raises of the trading limit
/// when it was checked), 8 points per word.
library MarginPages {
    /// Slots that are margined beyond the ordered one when the balance suffices, so that most orders write nothing.
    uint32 internal constant AHEAD = 8;
    /// Raises of an entry that was dropped: no point has as many.
    uint8 internal constant DROPPED = type(uint8).max;

    /// Last margined slot, and whether no raise of the trading limit came after the check.
    function throughOf(uint256 page, uint256 point, uint8 raises) internal pure returns (uint32 through, bool current) {
        uint32 entry = uint32(page >> ((point & 7) << 5));
        return (entry >> 8, uint8(entry) == raises);
    }

    /// The page with the point's entry replaced.
    function withThrough(uint256 page, uint256 point, uint32 through, uint8 raises) internal pure returns (uint256) {
        uint256 shift = (point & 7) << 5;
        uint256 entry = (uint256(uint24(through)) << 8) | raises;
        return (page & ~(uint256(type(uint32).max) << shift)) | (entry << shift);
    }

    /// R T + L (T - F) + E max(0, -F), nano-token per slot. T at least zero, F the lowest export tariff.
    function perSlot(
        PointWord point,
        int256 highestImportTariff,
        int256 lowestExportTariff
    ) internal pure returns (uint256) {
        int256 t = highestImportTariff > 0 ? highestImportTariff : int256(0);
        int256 nano = int256(uint256(point.importLimitWh())) * t;
        nano += int256(uint256(point.tradeLimitWh())) * (highestImportTariff - lowestExportTariff); // [29]
        if (lowestExportTariff < 0) nano += int256(uint256(point.exportLimitWh())) * -lowestExportTariff;
        return uint256(nano);
    }

    /// The same where no backup supplier's tariffs bound the prices: R x (P + fee) + L x fee + E max(0, fee - p), with the highest
    /// and lowest limit P and p that a band may have, and a fee that is less than the widest spread of the tariffs.
    function perSlotUnbacked(
        PointWord point,
        int256 highestPrice,
        int256 lowestPrice,
        int256 widestSpread
    ) internal pure returns (uint256) {
        int256 dearest = highestPrice + widestSpread;
        int256 nano = dearest > 0 ? int256(uint256(point.importLimitWh())) * dearest : int256(0);
        nano += int256(uint256(point.tradeLimitWh())) * widestSpread; // [32]
        int256 cheapest = lowestPrice - widestSpread;
        if (cheapest < 0) nano += int256(uint256(point.exportLimitWh())) * -cheapest;
        return uint256(nano);
    }

    /// The largest penalty of a slot: what EnvelopeCharges charges at most.
    function penaltyPerSlot(PointWord point, uint256 penaltyPrice) internal pure returns (uint256 nano) {
        uint256 most = point.importLimitWh() > point.exportLimitWh() ? point.importLimitWh() : point.exportLimitWh();
        return most * penaltyPrice;
    }
}
