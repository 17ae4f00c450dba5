// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingExtras} from "../../contracts/interfaces/IAuction.sol";
import {ExtraPayments} from "../../contracts/libraries/ExtraPayments.sol";
import {TradeWord, TradeWordLibrary} from "../../contracts/libraries/TradeWord.sol";
import {FixedMoney, SlotPayments, ZoneRow} from "../../contracts/libraries/SlotPayments.sol";
import {SlotTerms} from "../../contracts/libraries/MarketTypes.sol";
import {PackedEnergy} from "../../contracts/libraries/PackedEnergy.sol";
import {TermsWord, TermsWordLibrary} from "../../contracts/libraries/TermsWord.sol";

/// The money of one slot against a plain recomputation, for any readings and positions: it sums to zero, each account pays
/// what the rule says, and never more than its tariff payment plus |imbalance| (T - F).
contract SlotPaymentsTest {
    uint256 private constant POINTS = 9;
    uint256 private constant ZONES = 3;

    struct Case {
        int256 t;
        int256 f;
        int256 fee;
        int256[3] prices;
        uint256 backed;
        uint256 seed;
        bool estimated;
        /// Green price less zone price, and net green sold per point; both zero without green orders.
        int256 premium;
        int256[9] greenWh;
        /// Net sold per point in bilateral trades, and what they pay.
        int256[9] tradedWh;
        int256[9] tradeNano;
    }

    function termsOf(uint32 slot, SlotTerms calldata terms) external pure returns (TermsWord) {
        return TermsWordLibrary.pack(slot, terms);
    }

    function setPrices(
        ZoneRow[] memory table,
        int64[] calldata prices,
        TermsWord terms,
        uint256 backed
    ) external pure returns (ZoneRow[] memory) {
        SlotPayments.setPrices(table, prices, true, terms, backed);
        return table;
    }

    function testFuzz_SumsToZeroAndKeepsTheBound(uint256 seed, bool estimated) external view {
        _check(_case(seed, estimated), false);
    }

    function testFuzz_SumsToZeroWithGreenAndTrades(uint256 seed, bool estimated) external view {
        _check(_case(seed, estimated), true);
    }

    function _case(uint256 seed, bool estimated) private pure returns (Case memory c) {
        c.seed = seed;
        c.estimated = estimated;
        c.f = int256(_random(seed, 1) % 400_000) - 100_000;
        c.fee = int256(_random(seed, 2) % 60_000);
        c.t = c.f + c.fee + 1 + int256(_random(seed, 3) % 400_000);
        c.backed = _random(seed, 4) % 8;
        // In backed islands prices lie between the export tariff and the import tariff less the fee.
        uint256 range = uint256(c.t - c.fee - c.f) + 1;
        for (uint256 i = 0; i < ZONES; ++i) c.prices[i] = c.f + int256(_random(seed, 5 + i) % range);
    }

    function _check(Case memory c, bool apart) private view {
        TermsWord terms = this.termsOf(
            1,
            SlotTerms(int40(c.t), int40(c.f), uint32(uint256(c.fee)), -1_000_000, 1_000_000, 0)
        );
        ExtraPayments.Slot memory slot;
        slot.metered = !c.estimated;
        slot.table = _pricedTable(c, terms);
        bytes memory zones = new bytes(POINTS);
        slot.positions = new bytes(POINTS * 4);
        slot.readings = new bytes(POINTS * 8);
        slot.deltas = new int128[](POINTS);
        int256 tradedNano;
        uint256 boughtBacked;
        for (uint256 point = 0; point < POINTS; ++point) {
            // Neighbours are often of one zone: they are paid together.
            uint256 zone = _random(c.seed, 100 + (c.seed & 1 == 1 ? point : point >> 2)) % ZONES;
            zones[point] = bytes1(uint8(zone));
            int256 p = _fill(c, slot.positions, slot.readings, point);
            tradedNano += p * c.prices[zone];
            if (p < 0 && (c.backed >> zone) & 1 == 1) boughtBacked += uint256(-p);
        }
        slot.rows = SlotPayments.rowsOf(slot.table, zones);
        if (c.estimated) SlotPayments.addPositions(slot.rows, slot.positions, slot.deltas);
        else SlotPayments.addPayments(slot.rows, slot.positions, slot.readings, slot.deltas, 0, POINTS);
        if (apart) {
            ClearingExtras memory extras;
            (extras, tradedNano) = _extras(c, zones, tradedNano);
            ExtraPayments.add(slot, extras);
        }
        // The backup and the congestion rent are the other side of the trades.
        uint256 backupSold = boughtBacked == 0 ? 0 : _random(c.seed, 300) % (2 * boughtBacked);
        FixedMoney memory money;
        SlotPayments.fixedMoney(money, slot.table, terms, backupSold, -tradedNano - 12_345, 12_345);
        int256 sum = money.backup + money.operatorFees + money.members + money.congestion;
        for (uint256 point = 0; point < POINTS; ++point) {
            int256 expected = _expectedAt(c, uint8(zones[point]), slot.positions, slot.readings, point);
            require(slot.deltas[point] == expected, "payment differs from the rule");
            sum += slot.deltas[point];
        }
        require(sum == 0, "the slot does not sum to zero");
        require(money.operatorFees >= 0, "fees are never negative");
    }

    function _pricedTable(Case memory c, TermsWord terms) private view returns (ZoneRow[] memory) {
        int64[] memory prices = new int64[](ZONES);
        for (uint256 i = 0; i < ZONES; ++i) prices[i] = int64(c.prices[i]);
        return this.setPrices(new ZoneRow[](ZONES), prices, terms, c.backed);
    }

    /// Green energy that is bought as it is sold, and three trades; gives what zone prices pay with the trades.
    function _extras(
        Case memory c,
        bytes memory zones,
        int256 tradedNano
    ) private pure returns (ClearingExtras memory extras, int256) {
        c.premium = int256(_random(c.seed, 400) % 50_000);
        extras.greenPrices = new int64[](ZONES);
        for (uint256 i = 0; i < ZONES; ++i) extras.greenPrices[i] = int64(c.prices[i] + c.premium);
        extras.green = new bytes(POINTS * 4);
        int256 left;
        for (uint256 point = 0; point < POINTS; ++point) {
            int256 wh = int256(_random(c.seed, 410 + point) % 2_000_000) - 1_000_000;
            if (point == POINTS - 1) wh = -left;
            left += wh;
            c.greenWh[point] = wh;
            uint256 raw = PackedEnergy.encode(wh);
            for (uint256 i = 0; i < 4; ++i) extras.green[point * 4 + i] = bytes1(uint8(raw >> (24 - 8 * i)));
        }
        extras.tradesWh = new uint32[](3);
        for (uint256 i = 0; i < 3; ++i) tradedNano -= _trade(c, zones, extras, i);
        return (extras, tradedNano);
    }

    /// Adds one filled trade; gives what its zone prices differ by.
    function _trade(
        Case memory c,
        bytes memory zones,
        ClearingExtras memory extras,
        uint256 i
    ) private pure returns (int256) {
        uint256 word = _random(c.seed, 430 + i);
        uint256 seller = word % POINTS;
        uint256 buyer = (seller + 1 + ((word >> 8) % (POINTS - 1))) % POINTS;
        int256 wh = int256((word >> 16) & 0xffffff);
        int256 price = int256((word >> 60) % 1_000_000) - 300_000;
        extras.tradesWh[i] = uint32(uint256(wh));
        extras.trades = bytes.concat(
            extras.trades,
            bytes32(
                TradeWord.unwrap(
                    TradeWordLibrary.pack(
                        uint32(seller),
                        uint32(buyer),
                        uint8(zones[seller]),
                        uint8(zones[buyer]),
                        type(uint24).max,
                        int40(price),
                        0,
                        (word >> 90) & 1 == 1
                    )
                )
            )
        );
        int256 spread = c.prices[uint8(zones[buyer])] - c.prices[uint8(zones[seller])];
        c.tradedWh[seller] += wh;
        c.tradedWh[buyer] -= wh;
        if ((word >> 90) & 1 == 1) price -= spread;
        c.tradeNano[seller] += wh * price;
        c.tradeNano[buyer] -= wh * (price + spread);
        return wh * spread;
    }

    function _expectedAt(
        Case memory c,
        uint256 zone,
        bytes memory positions,
        bytes memory readings,
        uint256 point
    ) private pure returns (int256) {
        int256 p = PackedEnergy.positionOfMemory(positions, point);
        int256 whole = p + c.tradedWh[point];
        uint64 reading;
        for (uint256 i = 0; i < 8; ++i) reading = (reading << 8) | uint8(readings[point * 8 + i]);
        int256 m = int256(uint256(reading & 0x7fffffff)) - int256(uint256((reading >> 31) & 0x7fffffff));
        if (reading >> 62 == 3) m = whole < 0 ? whole : int256(0);
        if (c.estimated) m = whole;
        return _expected(c, zone, p, c.tradedWh[point], m) + c.tradeNano[point] + c.greenWh[point] * c.premium;
    }

    function _fill(
        Case memory c,
        bytes memory positions,
        bytes memory readings,
        uint256 point
    ) private pure returns (int256 p) {
        uint256 word = _random(c.seed, 200 + point);
        uint256 energy = word % 3 == 0 ? 0 : (word >> 8) % 0xffffff;
        bool bought = (word >> 60) & 1 == 1;
        p = bought ? -int256(energy) : int256(energy);
        // The count of words means nothing to settlement.
        uint256 raw = energy | (bought ? uint256(1) << 31 : 0) | (((word >> 64) & 0x7f) << 24);
        for (uint256 i = 0; i < 4; ++i) positions[point * 4 + i] = bytes1(uint8(raw >> (24 - 8 * i)));
        uint256 reading = uint64(word >> 100);
        // Every fourth seed has no missing readings.
        if ((c.seed >> 1) & 3 == 0) reading &= ~(uint256(1) << 62);
        if ((word >> 61) & 3 == 0) reading = energy | (reading & (uint256(3) << 62));
        for (uint256 i = 0; i < 8; ++i) readings[point * 8 + i] = bytes1(uint8(reading >> (56 - 8 * i)));
    }

    function _expected(
        Case memory c,
        uint256 zone,
        int256 p,
        int256 tradedWh,
        int256 m
    ) private pure returns (int256 pay) {
        bool backed = (c.backed >> zone) & 1 == 1;
        int256 price = c.prices[zone];
        int256 t = backed ? c.t : (price + c.fee < 0 ? int256(0) : price + c.fee);
        int256 f = backed ? c.f : (price < 0 ? price : int256(0));
        int256 d = m - p - tradedWh;
        pay = p * price + (p < 0 ? p * c.fee : int256(0)) + (d >= 0 ? d * f : d * t);
        if (!backed || tradedWh != 0) return pay;
        int256 tariff = m >= 0 ? m * f : m * t;
        int256 slack = (d < 0 ? -d : d) * (t - f);
        require(pay >= tariff - slack, "worse than the tariff by more than the imbalance costs");
    }

    function _random(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }
}
