// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MonthUsage} from "../interfaces/IUsage.sol";
import {Baseline} from "./Baseline.sol";
import {ReadingProof} from "./ReadingProof.sol";

/// One day of readings added to a month. Twin: services/core/usage/month.ts.
library UsageDay {
    uint256 internal constant SLOTS_PER_HOUR = 4;
    /// Slots that share a value of carbon intensity.
    uint256 internal constant SLOTS_PER_INTENSITY = 6;
    uint256 internal constant HOURS = 24;

    /// @param periods 2 bits per hour, weekdays in the lower 24 hours, then weekends
    function periodOf(uint256 slot, uint256 periods) internal pure returns (uint8) {
        uint256 hour = (slot % ReadingProof.SLOTS_PER_DAY) / SLOTS_PER_HOUR;
        if (Baseline.isWeekend(slot / ReadingProof.SLOTS_PER_DAY)) hour += HOURS;
        return uint8((periods >> (2 * hour)) & 3);
    }

    /// g CO2 per kWh in slot `index` of a day.
    function intensityAt(uint256 gramsPerKwh, uint256 index) internal pure returns (uint256) {
        return uint16(gramsPerKwh >> (16 * (index / SLOTS_PER_INTENSITY)));
    }

    /// Adds the measured ones of a day's 96 readings.
    function add(
        MonthUsage memory usage,
        uint256[] memory readings,
        uint256 firstSlot,
        uint256 periods,
        uint256 gramsPerKwh
    ) internal pure {
        for (uint256 i = 0; i < readings.length; ++i) {
            uint256 reading = readings[i];
            if (!ReadingProof.isMetered(reading)) continue;
            uint32 importWh = uint32(ReadingProof.importWh(reading));
            uint32 exportWh = uint32(ReadingProof.exportWh(reading));
            ++usage.slots;
            usage.importWh += importWh;
            usage.exportWh += exportWh;
            if (importWh > usage.peakImportWh) usage.peakImportWh = importWh;
            if (exportWh > usage.peakExportWh) usage.peakExportWh = exportWh;
            // A month of 32 days at 2 GWh per slot, 6.6e12 Wh, would pass 40 bits; no connection has a thousandth of it.
            usage.periodWh += uint160(uint256(importWh) << (40 * periodOf(firstSlot + i, periods)));
            usage.importedMg += uint48(importWh * intensityAt(gramsPerKwh, i));
        }
    }
}
