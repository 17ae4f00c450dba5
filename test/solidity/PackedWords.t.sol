// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingExtras} from "../../contracts/interfaces/IAuction.sol";
import {ExtraPayments} from "../../contracts/libraries/ExtraPayments.sol";
import {LanePayments, LanePlan} from "../../contracts/libraries/LanePayments.sol";
import {OrderWord, OrderWordLibrary} from "../../contracts/libraries/OrderWord.sol";
import {PackedEnergy} from "../../contracts/libraries/PackedEnergy.sol";
import {SlotPayments, ZoneRow} from "../../contracts/libraries/SlotPayments.sol";

/// What is packed reads as it was written, and nothing is read or paid beyond the end.
contract PackedWordsTest {
    function positionOf(bytes calldata packed, uint256 point) external pure returns (int256) {
        return PackedEnergy.positionOf(packed, point);
    }

    function testFuzz_OrderWordsReadAsPacked(
        uint32 point,
        uint8 sequence,
        uint8 zone,
        uint8 flags,
        uint32 energyWh,
        int40 price
    ) external pure {
        OrderWord word = OrderWordLibrary.pack(point, sequence, zone, flags, energyWh, price);
        require(word.point() == point && word.sequence() == sequence && word.zone() == zone, "who");
        require(word.flags() == flags && word.isOffer() == (flags & 1 == 1), "flags");
        require(word.energyWh() == energyWh && word.price() == price, "what");
    }

    function testFuzz_PositionsReadAsPacked(int24 soldWh, uint8 words_) external view {
        int256 wh = soldWh;
        uint256 words = words_ & 127;
        uint256 raw = PackedEnergy.encode(wh) | (words << 24);
        bytes memory packed = abi.encodePacked(uint32(raw), uint32(7), uint24(type(uint24).max));
        require(this.positionOf(packed, 0) == wh && PackedEnergy.positionOfMemory(packed, 0) == wh, "position");
        require(PackedEnergy.wordsOf(raw) == words, "words");
        require(this.positionOf(packed, 1) == 7, "second");
        require(this.positionOf(packed, 2) == 0 && PackedEnergy.positionOfMemory(packed, 2) == 0, "beyond the end");
    }

    function test_GreenEnergyOfNoPointPaysNothing() external pure {
        ExtraPayments.Slot memory slot;
        slot.table = new ZoneRow[](1);
        slot.rows = SlotPayments.rowsOf(slot.table, new bytes(1));
        slot.deltas = new int128[](1);
        slot.table[0].deficitPrice = 100;
        ClearingExtras memory extras;
        extras.greenPrices = new int64[](1);
        extras.greenPrices[0] = 30;
        extras.green = abi.encodePacked(uint32(5), uint32(9));
        // The 9 Wh are of a point that has no account: without an error.
        require(!ExtraPayments.add(slot, extras) && slot.deltas[0] == 150, "the point");
        extras.greenPrices[0] = 101;
        require(ExtraPayments.add(slot, extras), "dearer than imbalance");
    }

    /// More pages of one zone than a turn takes: the last page is paid as the first one, and counts as much.
    function test_LanesPayMorePagesThanOneTurnTakes() external pure {
        uint256 pages = (1 << 16) + 1;
        ZoneRow[] memory table = new ZoneRow[](1);
        (table[0].sellPrice, table[0].buyPrice, table[0].deficitPrice, table[0].surplusPrice) = (10, 14, 30, 6);
        ZoneRow memory its = table[0];
        uint256 row;
        assembly ("memory-safe") {
            row := its
        }
        LanePlan memory planned;
        planned.runs = new uint256[](1);
        planned.runs[0] = (row << 64) | pages;
        planned.lanes = new bytes(pages * 64);
        bytes memory positions = new bytes(pages * 32);
        bytes memory readings = new bytes(pages * 64);
        // The first point of both pages sold 5 Wh and delivered 3 Wh.
        positions[3] = positions[(pages - 1) * 32 + 3] = 0x05;
        readings[7] = readings[(pages - 1) * 64 + 7] = 0x03;
        LanePayments.add(planned, 30, "", positions, readings, new int128[](0));
        require(_laneAt(planned.lanes, 0) == -10, "first page");
        require(_laneAt(planned.lanes, pages - 1) == -10, "last page");
        require(_laneAt(planned.lanes, pages - 2) == 0, "page without energy");
        require(its.energy == uint256(4) << 160, "energy of both");
    }

    /// What the first point of a page has.
    function _laneAt(bytes memory lanes, uint256 page) private pure returns (int64 nano) {
        assembly ("memory-safe") {
            nano := signextend(7, shr(192, mload(add(add(lanes, 32), shl(6, page)))))
        }
    }
}
