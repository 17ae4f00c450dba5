// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {FixedMoney, SlotPayments, ZoneRow} from "../../contracts/libraries/SlotPayments.sol";
import {SlotTerms} from "../../contracts/libraries/MarketTypes.sol";
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
        Case memory c;
        c.seed = seed;
        c.estimated = estimated;
        c.f = int256(_random(seed, 1) % 400_000) - 100_000;
        c.fee = int256(_random(seed, 2) % 60_000);
        c.t = c.f + c.fee + 1 + int256(_random(seed, 3) % 400_000);
        c.backed = _random(seed, 4) % 8;
        // In backed islands prices lie between the export tariff and the import tariff less the fee.
        uint256 range = uint256(c.t - c.fee - c.f) + 1;
        for (uint256 i = 0; i < ZONES; ++i) c.prices[i] = c.f + int256(_random(seed, 5 + i) % range);
        _check(c);
    }

    function _check(Case memory c) private view {
        TermsWord terms = this.termsOf(
            1,
            SlotTerms(int40(c.t), int40(c.f), uint32(uint256(c.fee)), -1_000_000, 1_000_000, 0)
        );
        int64[] memory prices = new int64[](ZONES);
        for (uint256 i = 0; i < ZONES; ++i) prices[i] = int64(c.prices[i]);
        ZoneRow[] memory table = this.setPrices(new ZoneRow[](ZONES), prices, terms, c.backed);

        bytes memory zones = new bytes(POINTS);
        bytes memory positions = new bytes(POINTS * 4);
        bytes memory readings = new bytes(POINTS * 8);
        int256[] memory expected = new int256[](POINTS);
        int256 tradedNano;
        uint256 boughtBacked;
        for (uint256 point = 0; point < POINTS; ++point) {
            uint256 zone = _random(c.seed, 100 + point) % ZONES;
            zones[point] = bytes1(uint8(zone));
            (int256 p, int256 m) = _fill(c, positions, readings, point);
            expected[point] = _expected(c, zone, p, m);
            tradedNano += p * c.prices[zone];
            if (p < 0 && (c.backed >> zone) & 1 == 1) boughtBacked += uint256(-p);
        }
        int128[] memory deltas = new int128[](POINTS);
        bytes memory rows = SlotPayments.rowsOf(table, zones);
        if (c.estimated) SlotPayments.addPositions(rows, positions, deltas);
        else SlotPayments.addPayments(rows, positions, readings, deltas);

        // The backup and the congestion rent are the other side of the trades.
        uint256 backupSold = boughtBacked == 0 ? 0 : _random(c.seed, 300) % (2 * boughtBacked);
        FixedMoney memory money = SlotPayments.fixedMoney(table, terms, backupSold, -tradedNano - 12_345, 12_345);
        int256 sum = money.backup + money.operatorFees + money.members + money.congestion;
        for (uint256 point = 0; point < POINTS; ++point) {
            require(deltas[point] == expected[point], "payment differs from the rule");
            sum += deltas[point];
        }
        require(sum == 0, "the slot does not sum to zero");
        require(money.operatorFees >= 0, "fees are never negative");
    }

    function _fill(
        Case memory c,
        bytes memory positions,
        bytes memory readings,
        uint256 point
    ) private pure returns (int256 p, int256 m) {
        uint256 word = _random(c.seed, 200 + point);
        uint256 energy = word % 3 == 0 ? 0 : (word >> 8) % 0xffffff;
        bool bought = (word >> 60) & 1 == 1;
        p = bought ? -int256(energy) : int256(energy);
        // The count of words means nothing to settlement.
        uint256 raw = energy | (bought ? uint256(1) << 31 : 0) | (((word >> 64) & 0x7f) << 24);
        for (uint256 i = 0; i < 4; ++i) positions[point * 4 + i] = bytes1(uint8(raw >> (24 - 8 * i)));
        uint256 reading = uint64(word >> 100);
        if ((word >> 61) & 3 == 0) reading = energy | (reading & (uint256(3) << 62));
        for (uint256 i = 0; i < 8; ++i) readings[point * 8 + i] = bytes1(uint8(reading >> (56 - 8 * i)));
        m = int256(reading & 0x7fffffff) - int256((reading >> 31) & 0x7fffffff);
        if (reading >> 62 == 3) m = p < 0 ? p : int256(0);
        if (c.estimated) m = p;
    }

    function _expected(Case memory c, uint256 zone, int256 p, int256 m) private pure returns (int256 pay) {
        bool backed = (c.backed >> zone) & 1 == 1;
        int256 price = c.prices[zone];
        int256 t = backed ? c.t : (price + c.fee < 0 ? int256(0) : price + c.fee);
        int256 f = backed ? c.f : (price < 0 ? price : int256(0));
        int256 d = m - p;
        pay = p * price + (p < 0 ? p * c.fee : int256(0)) + (d >= 0 ? d * f : d * t);
        if (!backed) return pay;
        int256 tariff = m >= 0 ? m * f : m * t;
        int256 slack = (d < 0 ? -d : d) * (t - f);
        require(pay >= tariff - slack, "worse than the tariff by more than the imbalance costs");
    }

    function _random(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }
}
