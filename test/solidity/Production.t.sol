// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ReadingRange} from "../../contracts/interfaces/IReadingArchive.sol";
import {CalendarMonth} from "../../contracts/libraries/CalendarMonth.sol";
import {CertifiedSpan, CertifiedSpans} from "../../contracts/libraries/CertifiedSpans.sol";
import {GreenSales} from "../../contracts/libraries/GreenSales.sol";
import {PackedAmounts} from "../../contracts/libraries/PackedAmounts.sol";
import {PackedEnergy} from "../../contracts/libraries/PackedEnergy.sol";
import {ReadingProof} from "../../contracts/libraries/ReadingProof.sol";

/// The libraries of archive and production against plain versions of themselves.
contract ProductionTest {
    using CertifiedSpans for CertifiedSpans.Spans;
    using PackedAmounts for mapping(uint256 => uint256);

    uint256 private constant SLOTS = 64;

    mapping(uint256 => uint256) private _amounts;
    mapping(uint256 => uint256) private _plain;
    CertifiedSpans.Spans private _spans;
    mapping(uint256 slot => bool) private _certified;
    mapping(uint256 slot => uint32) private _maintained;

    function prove(ReadingRange calldata range, uint256 word) external pure returns (uint256[] memory readings) {
        (readings, ) = ReadingProof.prove(range, word);
    }

    function shareOf(bytes calldata list, uint32 point) external pure returns (GreenSales.Share memory) {
        return GreenSales.shareOf(list, point);
    }

    function testFuzz_Amounts(uint24[23] calldata amounts, uint8 length, uint16 number, uint16 first) external {
        uint256[] memory list = new uint256[](length % 24);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = amounts[i] % 3 == 0 ? 0 : amounts[i] / 2;
            _plain[(uint256(number) << 32) | (uint256(first) + i)] += list[i];
        }
        _amounts.addAll(number, first, list);
        for (uint256 i = 0; i < list.length; ++i) {
            uint256 slot = uint256(first) + i;
            uint256 half = list[i] / 2;
            _amounts.sub(number, slot, half);
            _amounts.add(number, slot + 1, 7);
            _plain[(uint256(number) << 32) | slot] -= half;
            _plain[(uint256(number) << 32) | (slot + 1)] += 7;
        }
        for (uint256 slot = first; slot < uint256(first) + 30; ++slot) {
            require(_amounts.get(number, slot) == _plain[(uint256(number) << 32) | slot], "amount");
            require(_amounts.get(uint256(number) + 1, slot) == 0, "other number");
        }
    }

    /// Any part of a day proves against the root of the whole, and no other reading does.
    function testFuzz_DayTree(bytes32 seed, uint8 length, uint8 from, uint8 count, uint32 day) external view {
        uint256 archived = 1 + (uint256(length) % 96);
        uint256 first = uint256(from) % archived;
        uint256 firstSlot = uint256(day % 40_000_000) * 96;
        bytes32[] memory leaves = _leaves(seed, firstSlot, archived);
        uint256 word = _wordOf(leaves, archived);
        ReadingRange memory range;
        range.meter = 5;
        range.firstSlot = uint32(firstSlot + first);
        {
            uint256 slots = 1 + (uint256(count) % (archived - first));
            range.slots = _steps(seed, first, slots);
            range.nodes = _neighbours(leaves, first, first + slots - 1);
        }
        _check(range, word, seed, first);
    }

    function _wordOf(bytes32[] memory leaves, uint256 archived) private pure returns (uint256) {
        bytes32[] memory some = new bytes32[](archived);
        for (uint256 i = 0; i < archived; ++i) some[i] = leaves[i];
        return (uint256(ReadingProof.dayRoot(some)) & ~uint256(0xff)) | archived;
    }

    function _check(ReadingRange memory range, uint256 word, bytes32 seed, uint256 first) private view {
        uint256[] memory readings = this.prove(range, word);
        for (uint256 i = 0; i < readings.length; ++i) {
            require(readings[i] == (_reading(seed, first + i) | (1 << 64)), "reading");
        }
        // One bit of one reading.
        uint256 wrong = (uint256(seed) % readings.length) * 9 + 8;
        range.slots[wrong] = bytes1(uint8(range.slots[wrong]) ^ 1);
        try this.prove(range, word) {
            revert("a wrong reading was proved");
        } catch {}
    }

    /// Periods against a list of every slot, through random certifications, revocations and maintenance.
    function testFuzz_Spans(uint256 seed, uint8 maintenanceDays) external {
        uint32 origin = 1_000;
        uint16 intervalDays = maintenanceDays % 3 == 0 ? 0 : 1;
        _spans.begin(origin - 70, intervalDays);
        uint32 due = intervalDays == 0 ? type(uint32).max : origin - 70 + 96;
        uint32 expiry;
        uint32 maintained;
        for (uint32 slot = origin; slot < origin + SLOTS; ++slot) {
            _maintained[slot] = maintained;
            // What is certified of a slot by what was known before it.
            _certified[slot] = slot < expiry && slot < due;
            uint256 act = uint256(keccak256(abi.encode(seed, slot))) % 8;
            if (act == 0 && due > slot + 1) {
                expiry = slot + 2 + uint32(uint256(keccak256(abi.encode(seed, slot, "expiry"))) % 20);
                _spans.certify(slot + 1, expiry);
            } else if (act == 1) {
                _spans.end(slot);
                if (expiry > slot) expiry = slot;
                _certified[slot] = false;
            } else if (act == 2) {
                _spans.maintain(slot + 1, intervalDays);
                due = intervalDays == 0 ? type(uint32).max : slot + 1 + 96;
                maintained = slot + 1;
            }
        }
        for (uint32 slot = origin; slot < origin + SLOTS; ++slot) {
            CertifiedSpan memory span = _spans.spanAt(slot);
            require(span.certified == _certified[slot], "certified");
            require(span.untilSlot > slot, "span ends ahead");
            if (span.certified) require(span.maintainedSlot == _maintained[slot], "maintained");
            bool any = _spans.touches(slot, origin + uint32(SLOTS));
            bool expected;
            for (uint32 later = slot; later < origin + SLOTS; ++later) expected = expected || _certified[later];
            require(any == expected, "touches");
        }
    }

    struct Trade {
        bytes green;
        bytes zones;
        uint8[] rootOf;
        int256[8] soldWh;
        uint256[8] gotWh;
    }

    /// Over all buyers each seller's pieces sum to what he delivers, and over all sellers nobody gets more than he bought.
    function testFuzz_Sales(int16[8] calldata net, uint16[8] calldata delivered, uint8 islands) external view {
        Trade memory trade;
        trade.rootOf = new uint8[](2);
        trade.rootOf[1] = islands % 2;
        int256[2] memory sum;
        for (uint256 i = 0; i < 8; ++i) {
            uint256 island = trade.rootOf[i % 2];
            trade.soldWh[i] = net[i];
            // An island never buys more than it sells: the auction proves it.
            if (sum[island] + net[i] < 0) trade.soldWh[i] = -sum[island];
            sum[island] += trade.soldWh[i];
            trade.green = bytes.concat(trade.green, bytes4(uint32(PackedEnergy.encode(trade.soldWh[i]))));
            trade.zones = bytes.concat(trade.zones, bytes1(uint8(i % 2)));
        }
        bytes memory list = GreenSales.listOf(trade.green, trade.zones, trade.rootOf);
        if (list.length == 0) return;
        for (uint256 seller = 0; seller < 8; ++seller) {
            if (trade.soldWh[seller] > 0) _deliver(trade, list, seller, delivered[seller]);
        }
        for (uint256 i = 0; i < 8; ++i) {
            require(trade.soldWh[i] >= 0 || trade.gotWh[i] <= uint256(-trade.soldWh[i]), "no more than bought");
        }
    }

    function _deliver(Trade memory trade, bytes memory list, uint256 seller, uint256 meteredWh) private view {
        GreenSales.Share memory share = this.shareOf(list, uint32(seller));
        uint256 owed = share.through - share.from;
        require(owed <= uint256(trade.soldWh[seller]), "owes no more than he sold");
        if (meteredWh > owed) meteredWh = owed;
        uint256 all;
        uint256 before;
        for (uint256 buyer = 0; buyer < 8; ++buyer) {
            if (trade.soldWh[buyer] >= 0 || trade.rootOf[buyer % 2] != share.island) continue;
            uint256 boughtWh = uint256(-trade.soldWh[buyer]);
            uint256 wh = owed == 0 ? 0 : GreenSales.pieceOf(share, meteredWh, before, boughtWh);
            before += boughtWh;
            trade.gotWh[buyer] += wh;
            all += wh;
        }
        require(all == meteredWh, "all that is delivered");
    }

    /// Each day is the one after the day before.
    function testFuzz_Dates(uint24 day) external pure {
        uint256 slot = uint256(day) * 96 + (day % 96);
        (uint256 year, uint256 month, uint256 date) = CalendarMonth.dateOf(slot);
        (uint256 nextYear, uint256 nextMonth, uint256 nextDate) = CalendarMonth.dateOf(slot + 96);
        uint256 length =
            month == 2
                ? (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28)
                : (month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31);
        if (date < length) {
            require(nextYear == year && nextMonth == month && nextDate == date + 1, "next day");
        } else if (month < 12) {
            require(date == length && nextYear == year && nextMonth == month + 1 && nextDate == 1, "next month");
        } else {
            require(date == length && nextYear == year + 1 && nextMonth == 1 && nextDate == 1, "next year");
        }
        require(CalendarMonth.monthOf(slot) == uint16(12 * year + month - 1), "number of the month");
    }

    function test_Epoch() external pure {
        (uint256 year, uint256 month, uint256 day) = CalendarMonth.dateOf(0);
        require(year == 1970 && month == 1 && day == 1, "epoch");
    }

    function _reading(bytes32 seed, uint256 i) private pure returns (uint256) {
        return uint64(uint256(keccak256(abi.encode(seed, i))));
    }

    /// Reports with one reading each: their roots are the readings' leaves.
    function _leaves(bytes32 seed, uint256 firstSlot, uint256 archived) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](128);
        for (uint256 i = 0; i < archived; ++i) {
            bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(5, firstSlot + i, _reading(seed, i)))));
            leaves[i] = bytes32(uint256(leaf) & ~uint256(1));
        }
    }

    function _steps(bytes32 seed, uint256 first, uint256 slots) private pure returns (bytes memory steps) {
        for (uint256 i = first; i < first + slots; ++i) {
            steps = bytes.concat(steps, hex"00", bytes8(uint64(_reading(seed, i))));
        }
    }

    /// Overwrites `leaves`.
    function _neighbours(
        bytes32[] memory leaves,
        uint256 first,
        uint256 last
    ) private pure returns (bytes32[] memory nodes) {
        nodes = new bytes32[](14);
        uint256 used;
        for (uint256 width = 128; width > 1; width /= 2) {
            if (first & 1 == 1) nodes[used++] = leaves[first - 1];
            if (last & 1 == 0) nodes[used++] = leaves[last + 1];
            for (uint256 i = 0; i < width / 2; ++i) {
                leaves[i] = keccak256(abi.encodePacked(leaves[2 * i], leaves[2 * i + 1]));
            }
            first >>= 1;
            last >>= 1;
        }
        assembly ("memory-safe") {
            mstore(nodes, used)
        }
    }
}
