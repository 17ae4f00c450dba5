// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {LanePayments, LanePlan} from "../../contracts/libraries/LanePayments.sol";
import {SlotTerms} from "../../contracts/libraries/MarketTypes.sol";
import {PackedReadings} from "../../contracts/libraries/PackedReadings.sol";
import {SlotPayments, ZoneRow} from "../../contracts/libraries/SlotPayments.sol";
import {TermsWord, TermsWordLibrary} from "../../contracts/libraries/TermsWord.sol";
import {WordFees} from "../../contracts/libraries/WordFees.sol";

/// Payments in lanes against payments of one point after the other, over several slots: the same money for every point and the same
/// energy in every zone, for any readings, positions, zones and prices.
contract LanePaymentsTest {
    uint256 private constant SLOTS = 5;

    struct Case {
        uint256 seed;
        uint256 points;
        uint256 zones;
        bytes zoneOf;
        bytes positions;
        bytes readings;
        bytes plain;
        int128[] deltas;
        int128[] expected;
        /// How large prices are: 2^this.
        uint256 priceBits;
    }

    function termsOf(SlotTerms calldata terms) external pure returns (TermsWord) {
        return TermsWordLibrary.pack(1, terms);
    }

    function setPrices(
        ZoneRow[] memory table,
        int64[] calldata prices,
        TermsWord terms,
        uint256 backed
    ) external pure returns (ZoneRow[] memory, uint256) {
        (, uint256 highest) = SlotPayments.setPrices(table, prices, true, terms, backed);
        return (table, highest);
    }

    function copyTo(bytes calldata readings, bytes memory buffer, uint256 points) external pure returns (bytes memory) {
        PackedReadings.copyTo(readings, buffer, points);
        return buffer;
    }

    function testFuzz_PaysAsOneByOne(uint256 seed, uint8 points, uint8 zones, uint8 layout) external view {
        Case memory c = _case(seed, points, zones, layout);
        ZoneRow[] memory table = new ZoneRow[](c.zones);
        ZoneRow[] memory other = new ZoneRow[](c.zones);
        bytes memory rows = SlotPayments.rowsOf(table, c.zoneOf);
        bytes memory otherRows = SlotPayments.rowsOf(other, c.zoneOf);
        LanePlan memory planned = LanePayments.plan(table, c.zoneOf);
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            uint256 highest = _price(c, table, other, slot);
            _fill(c, slot);
            PackedReadings.replaceMissing(c.readings, c.positions);
            LanePayments.add(planned, highest, rows, c.positions, c.readings, c.deltas);
            SlotPayments.addPayments(otherRows, c.positions, c.plain, c.expected, 0, c.points);
            for (uint256 zone = 0; zone < c.zones; ++zone)
                require(table[zone].energy == other[zone].energy, "energy differs");
        }
        LanePayments.flush(planned, c.deltas);
        LanePayments.flush(planned, c.deltas);
        for (uint256 point = 0; point < c.points; ++point)
            require(c.deltas[point] == c.expected[point], "payment differs");
    }

    /// Every reading and position at its largest, at prices that fill the lanes.
    function test_LanesHoldTheLargest() external view {
        for (uint256 sign = 0; sign < 4; ++sign) {
            Case memory c = _case(sign, 16, 0, 0);
            ZoneRow[] memory table = new ZoneRow[](1);
            bytes memory rows = SlotPayments.rowsOf(table, c.zoneOf);
            LanePlan memory planned = LanePayments.plan(table, c.zoneOf);
            int256 price = sign & 1 == 0 ? int256(1 << 29) : -int256(1 << 29);
            (table[0].sellPrice, table[0].buyPrice, table[0].deficitPrice, table[0].surplusPrice) = (
                price,
                price,
                price,
                price
            );
            uint256 raw = sign & 2 == 0 ? PackedReadings.MAX_WH : PackedReadings.MAX_WH << 31;
            for (uint256 point = 0; point < 16; ++point) {
                _put(c.positions, point * 4, 4, 0xffffff | ((point & 1) << 31));
                _put(c.readings, point * 8, 8, raw);
                _put(c.plain, point * 8, 8, raw);
            }
            for (uint256 slot = 0; slot < 9; ++slot) {
                LanePayments.add(planned, 1 << 29, rows, c.positions, c.readings, c.deltas);
                SlotPayments.addPayments(rows, c.positions, c.plain, c.expected, 0, 16);
            }
            LanePayments.flush(planned, c.deltas);
            for (uint256 point = 0; point < 16; ++point)
                require(c.deltas[point] == c.expected[point] && c.deltas[point] != 0, "payment differs");
        }
    }

    /// A missing reading keeps its quality, counts as min(position, 0), and leaves its neighbours alone.
    function testFuzz_ReplacesMissing(uint256 seed) external pure {
        Case memory c = _case(seed, 33, 1, 0);
        _fill(c, 0);
        bool any;
        bool replaced = PackedReadings.replaceMissing(c.readings, c.positions);
        for (uint256 point = 0; point < 33; ++point) {
            uint256 raw = _get(c.plain, point * 8, 8);
            uint256 position = _get(c.positions, point * 4, 4);
            if (raw >> 62 == 3) {
                any = true;
                raw = (3 << 62) | ((position >> 31 == 1 ? position & 0xffffff : 0) << 31);
            }
            require(_get(c.readings, point * 8, 8) == raw, "reading");
        }
        require(any == replaced, "said so");
    }

    /// Readings that were not given count as missing; those of no point do not count.
    function testFuzz_CopiesWhatIsGiven(uint256 seed, uint8 points_, uint8 given_) external view {
        uint256 points = uint256(points_) % 70;
        uint256 given = uint256(given_) % 80;
        bytes memory readings = new bytes(given * 8);
        for (uint256 i = 0; i < given; ++i) _put(readings, i * 8, 8, (_random(seed, i) >> 2) >> 192);
        bytes memory buffer = this.copyTo(readings, PackedReadings.room(points), points);
        require(buffer.length == points * 8, "length");
        for (uint256 i = 0; i < points; ++i) {
            uint256 raw = _get(buffer, i * 8, 8);
            require(i < given ? raw == _get(readings, i * 8, 8) : raw >> 62 == 3, "reading");
        }
    }

    function _case(uint256 seed, uint256 points, uint256 zones, uint256 layout) private pure returns (Case memory c) {
        c.seed = seed;
        c.points = points % 70;
        c.zones = 1 + (zones % 4);
        c.zoneOf = new bytes(c.points);
        // Point by point, or neighbours together.
        for (uint256 point = 0; point < c.points; ++point)
            c.zoneOf[point] = bytes1(uint8(_random(seed, 1_000 + (point >> (layout % 6))) % c.zones));
        c.positions = new bytes(((c.points + WordFees.PAGE - 1) / WordFees.PAGE) * WordFees.PAGE * 4);
        c.readings = PackedReadings.room(c.points);
        c.plain = PackedReadings.room(c.points);
        c.deltas = new int128[](c.points);
        c.expected = new int128[](c.points);
        c.priceBits = 1 + (_random(seed, 1) % 39);
    }

    function _price(
        Case memory c,
        ZoneRow[] memory table,
        ZoneRow[] memory other,
        uint256 slot
    ) private view returns (uint256 highest) {
        SlotTerms memory terms;
        terms.importTariff = int40(_amount(c, slot, 1));
        terms.exportTariff = int40(_amount(c, slot, 2));
        if (terms.exportTariff > terms.importTariff)
            (terms.importTariff, terms.exportTariff) = (terms.exportTariff, terms.importTariff);
        terms.fee = uint32(_random(c.seed, 3 + slot) % (1 << (c.priceBits > 32 ? 32 : c.priceBits)));
        int64[] memory prices = new int64[](c.zones);
        for (uint256 zone = 0; zone < c.zones; ++zone) prices[zone] = int64(_amount(c, slot, 10 + zone));
        uint256 backed = _random(c.seed, 4 + slot);
        ZoneRow[] memory priced;
        (priced, highest) = this.setPrices(table, prices, this.termsOf(terms), backed);
        for (uint256 zone = 0; zone < c.zones; ++zone) {
            _copy(priced[zone], table[zone]);
            _copy(priced[zone], other[zone]);
            int256[4] memory each = [
                priced[zone].sellPrice,
                priced[zone].buyPrice,
                priced[zone].deficitPrice,
                priced[zone].surplusPrice
            ];
            for (uint256 i = 0; i < 4; ++i)
                require(each[i] <= int256(highest) && -each[i] <= int256(highest), "a price is higher");
        }
    }

    function _copy(ZoneRow memory from, ZoneRow memory to) private pure {
        assembly ("memory-safe") {
            mcopy(to, from, 224)
        }
    }

    function _amount(Case memory c, uint256 slot, uint256 index) private pure returns (int256) {
        uint256 word = _random(c.seed, 20 + 50 * slot + index);
        return int256((word >> 1) % (1 << c.priceBits)) * (word & 1 == 0 ? int256(1) : -1);
    }

    function _fill(Case memory c, uint256 slot) private pure {
        bool missing = _random(c.seed, 2_000 + slot) & 1 == 0;
        for (uint256 point = 0; point < c.points; ++point) {
            uint256 word = _random(c.seed, 3_000 + 100 * slot + point);
            uint256 position = word & 3 == 0 ? 0 : uint32(word >> 2);
            if (word & 12 == 0) position |= 0xffffff;
            uint256 reading = uint64(word >> 40);
            if (word & 48 == 0) reading |= PackedReadings.MAX_WH << (word & 64 == 0 ? 31 : 0);
            if (!missing) reading &= ~(uint256(1) << 63);
            _put(c.positions, point * 4, 4, position);
            _put(c.readings, point * 8, 8, reading);
            _put(c.plain, point * 8, 8, reading);
        }
    }

    function _put(bytes memory to, uint256 offset, uint256 size, uint256 value) private pure {
        for (uint256 i = 0; i < size; ++i) to[offset + i] = bytes1(uint8(value >> (8 * (size - 1 - i))));
    }

    function _get(bytes memory from, uint256 offset, uint256 size) private pure returns (uint256 value) {
        for (uint256 i = 0; i < size; ++i) value = (value << 8) | uint8(from[offset + i]);
    }

    function _random(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }
}
