// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTerms} from "./MarketTypes.sol";

/// What the operator chooses. Prices in micro-token per kWh, signals in millionths.
struct TariffParameters {
    /// Levels that the tariffs keep.
    int40 importMin;
    int40 importMax;
    int40 exportMin;
    int40 exportMax;
    /// Most that either tariff rises or falls from one slot to the next.
    uint32 maxChange;
    uint32 fee;
    int40 bandMin;
    int40 bandMax;
    /// What a full signal (1,000,000 millionths) adds to a tariff; negative where it lowers it.
    int32 importPerScarcity;
    int32 exportPerScarcity;
    int32 importPerCongestion;
    int32 exportPerCongestion;
    int32 importPerWeather;
    int32 exportPerWeather;
    /// Congestion rent per traded kWh that counts as full congestion; 0 = congestion does not count.
    uint32 fullRent;
    /// Local time less UTC, in quarter-hours: the table is in local time.
    int8 utcOffsetQuarters;
    /// Terms of a step of `stepSlots` slots (a divisor of 96) are published from `leadSlots` slots before it on, by the clearings of the
    /// `windowSlots` slots before that moment.
    uint8 leadSlots;
    uint8 stepSlots;
    uint8 windowSlots;
    /// Tariffs by time of use before any signal: import (int32) and export (int32), for each of 24 hours or 96 quarter-hours of a
    /// weekday, then of a day of the weekend.
    bytes table;
}

/// What the tariffs of one slot are computed from.
struct TariffInputs {
    uint32 slot;
    /// Demand less supply by both, -1e6 (supply alone) to 1e6; beyond counts as the bound.
    int32 scarcityPpm;
    /// 0 to 1e6.
    int32 congestionPpm;
    /// -1e6 to 1e6.
    int32 weatherPpm;
    /// Tariffs of the slot before; without them the rate of change has no bound.
    bool hasPrevious;
    int40 previousImport;
    int40 previousExport;
}

/// Dynamic tariffs as a pure function. For parameters that `isSound` accepts it never reverts, whatever the inputs:
///
/// 1. tariff = table + floor(sum of sensitivity x signal / 1e6), cut to its levels;
/// 2. cut to within `maxChange` of the slot before;
/// 3. the import tariff at least exportMin + fee + 1, the export tariff at most import - fee - 1.
///
/// If the slot before had the same fee and its import tariff was at least importMin, step 3 breaks neither bound: import falls by at
/// most maxChange, so import - fee - 1 does, and the export tariff before was no higher than that of then. Else (a change of
/// parameters, terms by hand) no crossing goes before the rate, and the rate before the levels.
///
/// Each tariff follows a signal in the direction of its sensitivity, the export tariff where step 3 does not cut it or both
/// sensitivities to the signal have one sign: every step keeps the order of its arguments.
library DynamicPricing {
    int256 internal constant FULL = 1e6;
    uint256 internal constant SLOTS_PER_DAY = 96;
    uint256 internal constant ENTRY_BYTES = 8;
    /// Bytes of a table by hours, and by quarter-hours.
    uint256 internal constant HOURS_TABLE = 2 * 24 * ENTRY_BYTES;
    uint256 internal constant QUARTERS_TABLE = 2 * 96 * ENTRY_BYTES;

    /// Terms of a slot. Pure; rounds the signals' sum and the reference price down.
    function tariffOf(
        TariffParameters memory parameters,
        TariffInputs memory inputs
    ) internal pure returns (SlotTerms memory terms) {
        (int256 importTariff, int256 exportTariff) = baseOf(parameters, inputs.slot);
        int256[3] memory signals = [
            clamp(inputs.scarcityPpm, -FULL, FULL),
            clamp(inputs.congestionPpm, 0, FULL),
            clamp(inputs.weatherPpm, -FULL, FULL)
        ];
        importTariff += shiftOf(
            [
                int256(parameters.importPerScarcity),
                int256(parameters.importPerCongestion),
                int256(parameters.importPerWeather)
            ],
            signals
        );
        exportTariff += shiftOf(
            [
                int256(parameters.exportPerScarcity),
                int256(parameters.exportPerCongestion),
                int256(parameters.exportPerWeather)
            ],
            signals
        );
        importTariff = clamp(importTariff, parameters.importMin, parameters.importMax);
        exportTariff = clamp(exportTariff, parameters.exportMin, parameters.exportMax);
        if (inputs.hasPrevious) {
            int256 change = int256(uint256(parameters.maxChange));
            importTariff = clamp(importTariff, inputs.previousImport - change, inputs.previousImport + change);
            exportTariff = clamp(exportTariff, inputs.previousExport - change, inputs.previousExport + change);
        }
        int256 fee = int256(uint256(parameters.fee));
        int256 lowestImport = int256(parameters.exportMin) + fee + 1;
        if (importTariff < lowestImport) importTariff = lowestImport;
        int256 highestExport = importTariff - fee - 1;
        if (exportTariff > highestExport) exportTariff = highestExport;

        terms.importTariff = int40(importTariff);
        terms.exportTariff = int40(exportTariff);
        terms.fee = parameters.fee;
        terms.bandMin = parameters.bandMin;
        terms.bandMax = parameters.bandMax;
        // An arithmetic shift rounds down.
        terms.reference_ = int40(
            clamp((exportTariff + importTariff - fee) >> 1, parameters.bandMin, parameters.bandMax)
        );
    }

    /// Tariffs of the table at a slot's local time.
    function baseOf(
        TariffParameters memory parameters,
        uint32 slot
    ) internal pure returns (int256 importTariff, int256 exportTariff) {
        // A week more changes no weekday, and keeps it positive.
        uint256 local = uint256(int256(uint256(slot) + 7 * SLOTS_PER_DAY) + parameters.utcOffsetQuarters);
        bytes memory table = parameters.table;
        uint256 perDay = table.length / (2 * ENTRY_BYTES);
        uint256 entry = ((local % SLOTS_PER_DAY) * perDay) / SLOTS_PER_DAY;
        // Day 0 was a Thursday; Monday counts as 0.
        if ((local / SLOTS_PER_DAY + 3) % 7 >= 5) entry += perDay;
        uint256 word;
        assembly ("memory-safe") {
            word := mload(add(add(table, 32), shl(3, entry)))
        }
        return (int32(uint32(word >> 224)), int32(uint32(word >> 192)));
    }

    /// Demand against supply of energy that was traded, millionths, rounded towards zero; 0 where nothing was.
    function scarcityOf(uint256 boughtWh, uint256 soldWh) internal pure returns (int32 ppm) {
        uint256 both = boughtWh + soldWh;
        if (both == 0) return 0;
        return int32(((int256(boughtWh) - int256(soldWh)) * FULL) / int256(both));
    }

    /// Rent per traded kWh against the full one, millionths, rounded down; never below zero.
    function congestionOf(int256 rentNano, uint256 tradedWh, uint32 fullRent) internal pure returns (int32 ppm) {
        if (rentNano <= 0 || tradedWh == 0 || fullRent == 0) return 0;
        uint256 part = (uint256(rentNano) * uint256(FULL)) / (tradedWh * fullRent);
        return part < uint256(FULL) ? int32(int256(part)) : int32(FULL);
    }

    /// What the signals add, rounded down.
    function shiftOf(int256[3] memory sensitivities, int256[3] memory signals) internal pure returns (int256 shift) {
        int256 sum;
        for (uint256 i = 0; i < 3; ++i) sum += sensitivities[i] * signals[i];
        shift = sum / FULL;
        if (sum % FULL < 0) --shift;
    }

    function clamp(int256 value, int256 lowest, int256 highest) internal pure returns (int256) {
        if (value < lowest) return lowest;
        return value > highest ? highest : value;
    }
}
