// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingExtras} from "../../contracts/interfaces/IAuction.sol";
import {ExtraPayments} from "../../contracts/libraries/ExtraPayments.sol";
import {SlotTerms} from "../../contracts/libraries/MarketTypes.sol";
import {PackedEnergy} from "../../contracts/libraries/PackedEnergy.sol";
import {FixedMoney, SlotPayments, ZoneRow} from "../../contracts/libraries/SlotPayments.sol";
import {TermsWord, TermsWordLibrary} from "../../contracts/libraries/TermsWord.sol";
import {TradeWord, TradeWordLibrary} from "../../contracts/libraries/TradeWord.sol";
import {UnmetTrades} from "../../contracts/libraries/UnmetTrades.sol";

/// Deviating never pays, at any zone and green price, with and without backup, whatever else the account trades: point 0 against the same
/// slot in which it did not trade what it leaves unmet. Point 1 is the other side of its bilateral trade.
contract UnmetTradesTest {
    struct Case {
        int256 t;
        int256 f;
        int256 fee;
        int256 price;
        int256 premium;
        bool backed;
        /// Net sold in the auction, the green part of it, and net sold to point 1.
        int256 auction;
        int256 green;
        int256 traded;
        /// Of point 0 and point 1; `missing`: both without reading.
        int256 metered;
        int256 other;
        bool missing;
    }

    function termsOf(SlotTerms calldata terms) external pure returns (TermsWord) {
        return TermsWordLibrary.pack(1, terms);
    }

    function setPrices(
        ZoneRow[] memory table,
        int64[] calldata prices,
        TermsWord terms,
        uint256 backed
    ) external pure returns (ZoneRow[] memory, bool) {
        (bool outside, ) = SlotPayments.setPrices(table, prices, true, terms, backed);
        return (table, outside);
    }

    function testFuzz_DeviatingNeverPays(uint256 seed) external view {
        Case memory c = _draw(seed);
        (int256 pay, int256 members) = _pay(c);
        int256 whole = c.auction + c.traded;
        int256 m = c.missing ? (whole < 0 ? whole : int256(0)) : c.metered;

        // The part of the position that is met, and the same slot with that part only.
        int256 met = m;
        if (met > (whole > 0 ? whole : int256(0))) met = whole > 0 ? whole : int256(0);
        if (met < (whole < 0 ? whole : int256(0))) met = whole < 0 ? whole : int256(0);
        int256 unmet = whole - met;
        Case memory honest = _copy(c);
        honest.missing = false;
        honest.metered = m;
        honest.auction -= unmet;
        int256 green = unmet > 0 ? (c.green > 0 ? c.green : int256(0)) : (c.green < 0 ? c.green : int256(0));
        if (unmet > 0 ? green > unmet : green < unmet) green = unmet;
        honest.green -= green;
        (int256 honestPay, int256 honestMembers) = _pay(honest);
        require(pay <= honestPay, "deviating pays");
        require(honestMembers == 0, "met trades pay nothing more");
        require(members >= 0, "the members never pay for it");
        if (whole == 0) require(members == 0, "who has no position pays the tariff");

        // Against its own position met exactly, energy more is worth at most the surplus price and energy less at least the deficit's.
        Case memory exact = _copy(honest);
        (exact.auction, exact.green, exact.metered) = (c.auction, c.green, whole);
        (int256 exactPay, ) = _pay(exact);
        (int256 t, int256 f) = _imbalancePrices(c);
        require(
            pay - exactPay <= (m > whole ? (m - whole) * f : (m - whole) * t),
            "a deviation is worth more than the tariff"
        );
        // What lies beyond the position is at the tariffs.
        if (unmet == 0) require(pay - exactPay == (m > whole ? (m - whole) * f : (m - whole) * t), "not the tariff");
    }

    function test_ByHand() external view {
        // F 60, T 300, no fee; bought 100 Wh at 10 and used 30: 70 Wh earn 10 each. Sold 100 Wh at 500, delivered 40: 60 cost 500 each.
        Case memory c = Case(300, 60, 0, 10, 0, true, -100, 0, 0, -30, 0, false);
        (int256 pay, int256 members) = _pay(c);
        require(pay == -100 * 10 + 70 * 10 && members == 70 * 50, "unused");
        (c.price, c.auction, c.metered) = (500, 100, 40);
        (pay, members) = _pay(c);
        require(pay == 100 * 500 - 60 * 500 && members == 60 * 200, "undelivered");
        // 20 of them green at 550.
        (c.premium, c.green) = (50, 20);
        (pay, members) = _pay(c);
        require(
            pay == 80 * 500 + 20 * 550 - 40 * 500 - 20 * 550 && members == 40 * 200 + 20 * 250,
            "undelivered green"
        );
    }

    function _pay(Case memory c) private view returns (int256 pay, int256 members) {
        TermsWord terms = this.termsOf(
            SlotTerms(int40(c.t), int40(c.f), uint32(uint256(c.fee)), -1_000_000, 1_000_000, 0)
        );
        ExtraPayments.Slot memory slot;
        bool outside;
        {
            int64[] memory prices = new int64[](1);
            prices[0] = int64(c.price);
            (slot.table, outside) = this.setPrices(new ZoneRow[](1), prices, terms, c.backed ? 1 : 0);
        }
        slot.rows = SlotPayments.rowsOf(slot.table, new bytes(2));
        slot.positions = abi.encodePacked(_energy(c.auction), bytes4(0));
        uint64 quality = c.missing ? uint64(3) << 62 : 0;
        slot.readings = abi.encodePacked(_reading(c.metered) | quality, _reading(c.other) | quality);
        slot.deltas = new int128[](2);
        slot.metered = true;
        SlotPayments.addPayments(slot.rows, slot.positions, slot.readings, slot.deltas, 0, 2);
        ClearingExtras memory extras = _extras(c);
        if (ExtraPayments.add(slot, extras)) outside = true;
        if (outside) members = UnmetTrades.charge(slot, extras);
        FixedMoney memory money;
        SlotPayments.fixedMoney(money, slot.table, terms, 0, 0, 0);
        money.members += members;
        // The other side of the auction: this point's position alone.
        int256 clearing = -(c.auction * c.price + c.green * c.premium);
        require(
            slot.deltas[0] +
                slot.deltas[1] +
                money.members +
                money.backup +
                money.operatorFees +
                money.congestion +
                clearing ==
                0,
            "the slot does not sum to zero"
        );
        pay = slot.deltas[0];
        // Only unmet trades at prices beyond the tariffs may need the second pass.
        if (!outside) {
            members = UnmetTrades.charge(slot, extras);
            require(members == 0, "the pass was needed");
        }
    }

    function _extras(Case memory c) private pure returns (ClearingExtras memory extras) {
        if (c.premium != 0) {
            extras.greenPrices = new int64[](1);
            extras.greenPrices[0] = int64(c.price + c.premium);
            extras.green = abi.encodePacked(_energy(c.green));
        }
        if (c.traded == 0) return extras;
        (uint32 seller, uint32 buyer) = c.traded > 0 ? (uint32(0), uint32(1)) : (uint32(1), uint32(0));
        uint256 wh = uint256(c.traded > 0 ? c.traded : -c.traded);
        extras.tradesWh = new uint32[](1);
        extras.tradesWh[0] = uint32(wh);
        TradeWord word = TradeWordLibrary.pack(seller, buyer, 0, 0, uint32(wh), 123_456, 0, false);
        extras.trades = abi.encodePacked(word);
    }

    function _draw(uint256 seed) private pure returns (Case memory c) {
        c.f = _between(seed, 1, -100_000, 300_000);
        c.fee = _random(seed, 2) % 3 == 0 ? int256(0) : _between(seed, 3, 0, 60_000);
        c.t = c.f + c.fee + 1 + _between(seed, 4, 0, 400_000);
        c.price = _between(seed, 5, -1_000_000, 1_500_000);
        c.premium = _random(seed, 6) % 2 == 0 ? int256(0) : _between(seed, 7, 1, 800_000);
        c.backed = _random(seed, 8) % 4 != 0;
        c.auction = _random(seed, 9) % 4 == 0 ? int256(0) : _between(seed, 10, -3_000, 3_000);
        if (c.premium != 0) c.green = _between(seed, 11, -4_000, 4_000);
        if (_random(seed, 12) % 2 == 0) c.traded = _between(seed, 13, -3_000, 3_000);
        c.metered = _between(seed, 14, -8_000, 8_000);
        // Point 1 meets its trade, so that what the members get is point 0's.
        c.other = -c.traded;
        c.missing = c.traded >= 0 && _random(seed, 15) % 5 == 0;
        if (_random(seed, 16) % 5 == 0) c.metered = c.auction + c.traded;
    }

    function _imbalancePrices(Case memory c) private pure returns (int256 t, int256 f) {
        if (c.backed) return (c.t, c.f);
        int256 gross = c.price + c.fee;
        return (gross > 0 ? gross : int256(0), c.price < 0 ? c.price : int256(0));
    }

    function _copy(Case memory c) private pure returns (Case memory) {
        return abi.decode(abi.encode(c), (Case));
    }

    function _energy(int256 wh) private pure returns (bytes4) {
        return bytes4(uint32(PackedEnergy.encode(wh)));
    }

    function _reading(int256 netWh) private pure returns (uint64) {
        return netWh < 0 ? uint64(uint256(-netWh)) << 31 : uint64(uint256(netWh));
    }

    function _between(uint256 seed, uint256 index, int256 low, int256 high) private pure returns (int256) {
        return low + int256(_random(seed, index) % uint256(high - low + 1));
    }

    function _random(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }
}
