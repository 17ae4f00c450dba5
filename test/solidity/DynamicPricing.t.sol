// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DynamicPricing, TariffInputs, TariffParameters} from "../../contracts/libraries/DynamicPricing.sol";
import {SlotTerms} from "../../contracts/libraries/MarketTypes.sol";

/// What dynamic tariffs promise, for any parameters that the contract takes and any inputs at all.
contract DynamicPricingTest {
    int256 private constant LOWEST = -2e6;
    int256 private constant HIGHEST = 5e6;
    uint256 private _seed;

    function testFuzz_LevelsAndRateHold(uint256 seed) external {
        _seed = seed;
        (TariffParameters memory p, TariffInputs memory x) = _draw();
        int256 change = int256(uint256(p.maxChange));
        int256 fee = int256(uint256(p.fee));
        // From anything that may have been published by these parameters, slot by slot.
        int256 importBefore = _between(p.importMin, p.importMax);
        int256 highestExport = importBefore - fee - 1 < p.exportMax ? importBefore - fee - 1 : p.exportMax;
        int256 exportBefore = _between(p.exportMin, highestExport);
        x.hasPrevious = true;
        for (uint256 i = 0; i < 4; ++i) {
            x.previousImport = int40(importBefore);
            x.previousExport = int40(exportBefore);
            SlotTerms memory t = DynamicPricing.tariffOf(p, x);
            assert(t.importTariff >= p.importMin && t.importTariff <= p.importMax);
            assert(t.exportTariff >= p.exportMin && t.exportTariff <= p.exportMax);
            assert(t.importTariff >= importBefore - change && t.importTariff <= importBefore + change);
            assert(t.exportTariff >= exportBefore - change && t.exportTariff <= exportBefore + change);
            _publishable(p, t);
            (importBefore, exportBefore) = (t.importTariff, t.exportTariff);
            x.slot += 1;
            x.scarcityPpm = int32(uint32(_next()));
            x.weatherPpm = int32(uint32(_next()));
        }
    }

    /// Whatever was published before: what comes next can be published, moves no further than it may unless that would cross, and
    /// towards the levels.
    function testFuzz_AlwaysPublishable(uint256 seed) external {
        _seed = seed;
        (TariffParameters memory p, TariffInputs memory x) = _draw();
        x.hasPrevious = _next() % 4 != 0;
        int256 feeBefore = _between(0, 1e6);
        x.previousExport = int40(_between(LOWEST, HIGHEST - feeBefore - 1));
        x.previousImport = int40(_between(x.previousExport + feeBefore + 1, HIGHEST));
        SlotTerms memory t = DynamicPricing.tariffOf(p, x);
        _publishable(p, t);
        if (!x.hasPrevious) {
            assert(t.importTariff >= p.importMin && t.importTariff <= p.importMax);
            assert(t.exportTariff >= p.exportMin && t.exportTariff <= p.exportMax);
            return;
        }
        int256 change = int256(uint256(p.maxChange));
        int256 fee = int256(uint256(p.fee));
        assert(t.importTariff <= x.previousImport + change || t.importTariff == p.exportMin + fee + 1);
        assert(t.importTariff >= x.previousImport - change);
        assert(t.exportTariff <= x.previousExport + change);
        int256 raised = fee > feeBefore ? fee - feeBefore : int256(0);
        assert(t.exportTariff >= x.previousExport - change - raised);
        if (x.previousImport > p.importMax) assert(t.importTariff <= x.previousImport);
        if (x.previousImport < p.importMin) assert(t.importTariff >= x.previousImport);
    }

    /// A signal moves the import tariff in the direction of its sensitivity, and the export tariff too where both go one way.
    function testFuzz_Monotone(uint256 seed) external {
        _seed = seed;
        (TariffParameters memory p, TariffInputs memory x) = _draw();
        p.exportPerScarcity = _likeSign(p.exportPerScarcity, p.importPerScarcity);
        x.hasPrevious = _next() % 2 == 0;
        x.previousImport = int40(_between(p.importMin, p.importMax));
        x.previousExport = int40(_between(p.exportMin, p.exportMax));
        SlotTerms memory low = DynamicPricing.tariffOf(p, x);
        TariffInputs memory y = TariffInputs(
            x.slot,
            int32(_between(x.scarcityPpm, type(int32).max)),
            x.congestionPpm,
            x.weatherPpm,
            x.hasPrevious,
            x.previousImport,
            x.previousExport
        );
        SlotTerms memory high = DynamicPricing.tariffOf(p, y);
        if (p.importPerScarcity >= 0) assert(high.importTariff >= low.importTariff);
        if (p.importPerScarcity <= 0) assert(high.importTariff <= low.importTariff);
        if (p.importPerScarcity >= 0 && p.exportPerScarcity >= 0) assert(high.exportTariff >= low.exportTariff);
        if (p.importPerScarcity <= 0 && p.exportPerScarcity <= 0) assert(high.exportTariff <= low.exportTariff);
        y.scarcityPpm = x.scarcityPpm;
        y.weatherPpm = int32(_between(x.weatherPpm, type(int32).max));
        high = DynamicPricing.tariffOf(p, y);
        if (p.importPerWeather >= 0) assert(high.importTariff >= low.importTariff);
        if (p.importPerWeather <= 0) assert(high.importTariff <= low.importTariff);
        y.weatherPpm = x.weatherPpm;
        y.congestionPpm = int32(_between(x.congestionPpm, type(int32).max));
        high = DynamicPricing.tariffOf(p, y);
        if (p.importPerCongestion >= 0) assert(high.importTariff >= low.importTariff);
        if (p.importPerCongestion <= 0) assert(high.importTariff <= low.importTariff);
    }

    function testFuzz_Signals(uint96 boughtWh, uint96 soldWh, int128 rentNano, uint32 fullRent) external pure {
        int32 scarcity = DynamicPricing.scarcityOf(boughtWh, soldWh);
        assert(scarcity >= -1e6 && scarcity <= 1e6);
        assert(boughtWh < soldWh || scarcity >= 0);
        assert(boughtWh > soldWh || scarcity <= 0);
        int32 congestion = DynamicPricing.congestionOf(rentNano, boughtWh, fullRent);
        assert(congestion >= 0 && congestion <= 1e6);
        assert(rentNano > 0 || congestion == 0);
    }

    /// As Tariffs checks it.
    function _publishable(TariffParameters memory p, SlotTerms memory t) private pure {
        assert(t.exportTariff < int256(t.importTariff) - int256(uint256(t.fee)));
        assert(t.importTariff >= LOWEST && t.importTariff <= HIGHEST);
        assert(t.exportTariff >= LOWEST && t.exportTariff <= HIGHEST);
        assert(t.reference_ >= p.bandMin && t.reference_ <= p.bandMax);
        assert(t.fee == p.fee && t.bandMin == p.bandMin && t.bandMax == p.bandMax);
    }

    function _draw() private returns (TariffParameters memory p, TariffInputs memory x) {
        p.fee = uint32(uint256(_between(0, 1e6)));
        int256 exportMin = _between(LOWEST, HIGHEST - int256(uint256(p.fee)) - 1);
        p.exportMin = int40(exportMin);
        p.exportMax = int40(_between(exportMin, HIGHEST));
        p.importMin = int40(_between(exportMin + int256(uint256(p.fee)) + 1, HIGHEST));
        p.importMax = int40(_between(p.importMin, HIGHEST));
        p.maxChange = uint32(_next() % 3 == 0 ? _next() : _next() % 100_000);
        p.bandMin = int40(_between(-1e7, 1e7));
        p.bandMax = int40(_between(p.bandMin, 1e7));
        p.importPerScarcity = _sensitivity();
        p.exportPerScarcity = _sensitivity();
        p.importPerCongestion = _sensitivity();
        p.exportPerCongestion = _sensitivity();
        p.importPerWeather = _sensitivity();
        p.exportPerWeather = _sensitivity();
        p.utcOffsetQuarters = int8(uint8(_next()));
        p.table = new bytes(_next() % 2 == 0 ? DynamicPricing.HOURS_TABLE : DynamicPricing.QUARTERS_TABLE);
        bytes memory table = p.table;
        // Sometimes any 32 bits, else tariffs below 1,048,576.
        uint256 mask = _next() % 4 == 0 ? type(uint256).max : (type(uint256).max / type(uint32).max) * 0xfffff;
        for (uint256 i = 32; i <= table.length; i += 32) {
            uint256 word = uint256(keccak256(abi.encode(_seed, i))) & mask;
            assembly ("memory-safe") {
                mstore(add(table, i), word)
            }
        }
        x.slot = uint32(_next());
        if (x.slot > type(uint32).max - 8) x.slot -= 8;
        x.scarcityPpm = int32(uint32(_next()));
        x.congestionPpm = int32(uint32(_next()));
        x.weatherPpm = int32(uint32(_next()));
        if (_next() % 2 == 0) {
            x.scarcityPpm %= 1e6;
            x.congestionPpm %= 1e6;
            x.weatherPpm %= 1e6;
        }
    }

    function _sensitivity() private returns (int32) {
        if (_next() % 8 == 0) return int32(uint32(_next()));
        return int32(_between(-200_000, 200_000));
    }

    function _likeSign(int32 value, int32 like) private pure returns (int32) {
        if (value == type(int32).min) value = 0;
        return (value < 0) == (like < 0) ? value : -value;
    }

    function _between(int256 lowest, int256 highest) private returns (int256) {
        return lowest + int256(_next() % uint256(highest - lowest + 1));
    }

    function _next() private returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return _seed >> 64;
    }
}
