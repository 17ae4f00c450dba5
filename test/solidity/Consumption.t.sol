// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Baseline} from "../../contracts/libraries/Baseline.sol";
import {ReadingProof} from "../../contracts/libraries/ReadingProof.sol";
import {SlotReadings, WholeSlots} from "../../contracts/libraries/WholeSlots.sol";
import {ZoneImports} from "../../contracts/libraries/ZoneImports.sol";
import {ZoneTotals} from "../../contracts/libraries/ZoneTotals.sol";

/// The libraries of demand response against plain versions of themselves.
contract ConsumptionTest {
    using ZoneTotals for mapping(uint256 key => uint256 word);

    mapping(uint256 key => uint256 word) private _totals;

    function rootOf(SlotReadings calldata given, uint32 slot) external pure returns (bytes32) {
        return WholeSlots.rootOf(slot, given);
    }

    function addImports(
        bytes calldata readings,
        bytes memory zones,
        uint256[] memory gaps
    ) external pure returns (uint256[] memory sums) {
        sums = new uint256[](256);
        ZoneImports.addImports(readings, zones, sums, gaps);
    }

    function markGaps(bytes calldata readings, uint256 points, uint256[] memory gaps) external pure returns (uint256) {
        require(ZoneImports.markGaps(readings, points, gaps) || gaps[0] == 0, "found");
        return gaps[0];
    }

    function testFuzz_HighMean(uint40[10] calldata values, uint8 days_, uint8 high, bool roundUp) external pure {
        uint256 found = 1 + (uint256(days_) % 10);
        uint256 count = Baseline.highOf(found, 1 + (uint256(high) % 10), 10);
        require(count >= 1 && count <= found, "share");
        uint256[] memory totals = new uint256[](found + 1);
        totals[0] = type(uint256).max;
        uint256[] memory sorted = new uint256[](found);
        for (uint256 i = 0; i < found; ++i) {
            totals[i + 1] = values[i];
            uint256 j = i;
            for (; j > 0 && sorted[j - 1] < values[i]; --j) sorted[j] = sorted[j - 1];
            sorted[j] = values[i];
        }
        uint256 sum;
        for (uint256 i = 0; i < count; ++i) sum += sorted[i];
        uint256 mean = Baseline.highMean(totals, count, roundUp);
        require(roundUp ? mean == (sum + count - 1) / count : mean == sum / count, "mean");
    }

    function testFuzz_RootOfReadings(bytes32 seed, uint8 points, uint8 own, uint32 slot) external view {
        bytes memory readings = _bytes(seed, points % 40);
        bytes memory ownMeters = _bytes(~seed, own % 5);
        uint256 count = uint256(points % 40) + (own % 5);
        bytes32[] memory level = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            bool isOwn = i >= points % 40;
            uint256 index = isOwn ? i - (points % 40) : i;
            uint256 meter = isOwn ? (1 << 31) + index : index;
            level[i] = ReadingProof.leafOf(meter, slot, _at(isOwn ? ownMeters : readings, index));
        }
        require(this.rootOf(SlotReadings(readings, ownMeters, "", "", 0), slot) == _plainRoot(level), "root");
    }

    function testFuzz_Imports(bytes32 seed, uint8 points) external view {
        uint256 count = points % 40;
        bytes memory readings = _bytes(seed, count);
        bytes memory zones = new bytes(count);
        for (uint256 i = 0; i < count; ++i) zones[i] = bytes1(uint8(uint256(seed) >> (i * 6)) & 3);
        uint256[] memory gaps = new uint256[](1);
        uint256 bits = this.markGaps(readings, count, gaps);
        gaps[0] = uint256(keccak256(abi.encode(seed))) & 0x111111;
        uint256[] memory sums = this.addImports(readings, zones, gaps);
        uint256[4] memory expected;
        for (uint256 i = 0; i < count; ++i) {
            uint256 reading = _at(readings, i);
            require((bits >> i) & 1 == (reading >> 62 < 2 ? 0 : 1), "gap");
            if ((gaps[0] >> i) & 1 == 1 || reading >> 62 >= 2) continue;
            expected[uint8(zones[i])] += (reading << 194) >> 225;
        }
        require(bits >> count == 0, "beyond");
        for (uint256 zone = 0; zone < 4; ++zone) require(sums[zone] == expected[zone], "imports");
    }

    function testFuzz_Totals(uint40[11] calldata amounts, uint32 id, uint8 zone) external {
        for (uint256 day = 0; day < 11; ++day) {
            _totals.add(id, zone, day, amounts[day]);
            _totals.add(id, zone, day, 3);
        }
        _totals.add(id, uint256(zone) ^ 1, 4, 99);
        uint256[] memory list = _totals.get(id, zone, 11);
        for (uint256 day = 0; day < 11; ++day) require(list[day] == uint256(amounts[day]) + 3, "total");
        _totals.add(id, zone, 7, 1 << 60);
        list = _totals.get(id, zone, 11);
        require(list[7] == (1 << 48) - 1 && list[8] == uint256(amounts[8]) + 3, "highest");
    }

    function test_Weekends() external pure {
        // 1970-01-01 was a Thursday, 2030-07-06 a Saturday.
        bool[7] memory weekend = [false, false, true, true, false, false, false];
        for (uint256 day = 0; day < 7; ++day) require(Baseline.isWeekend(day) == weekend[day], "1970");
        require(!Baseline.isWeekend(22_100) && Baseline.isWeekend(22_101) && Baseline.isWeekend(22_102), "2030");
        require(!Baseline.isWeekend(22_103), "Monday");
    }

    function _bytes(bytes32 seed, uint256 count) private pure returns (bytes memory packed) {
        packed = new bytes(count * 8);
        for (uint256 i = 0; i < packed.length; ++i) packed[i] = keccak256(abi.encode(seed, i))[0];
    }

    function _at(bytes memory packed, uint256 index) private pure returns (uint256 reading) {
        for (uint256 i = 0; i < 8; ++i) reading = (reading << 8) | uint8(packed[8 * index + i]);
    }

    function _plainRoot(bytes32[] memory level) private pure returns (bytes32) {
        if (level.length == 0) return 0;
        while (level.length > 1) {
            bytes32[] memory above = new bytes32[]((level.length + 1) / 2);
            for (uint256 i = 0; i < above.length; ++i) {
                above[i] = level[2 * i];
                if (2 * i + 1 == level.length) continue;
                (bytes32 a, bytes32 b) = (level[2 * i], level[2 * i + 1]);
                above[i] = a < b ? ReadingProof.hashPair(a, b) : ReadingProof.hashPair(b, a);
            }
            level = above;
        }
        return level[0];
    }
}
