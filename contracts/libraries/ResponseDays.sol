// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Baseline} from "./Baseline.sol";
import {ReadingProof} from "./ReadingProof.sol";
import {SlotTime} from "./SlotTime.sol";

/// Which slots of which zone and day belong to an event (96 bits, keyed by zone and day), and from that which days can serve as baseline.
library ResponseDays {
    /// History days that an event can list, one byte each: how many days before the window.
    uint256 internal constant MOST = 10;
    /// Days are looked for so far before the window.
    uint256 private constant LOOKBACK = 60;

    /// The last days before today of the window's kind (weekday or weekend) without an event in any of the zones, the latest first. What is
    /// used after an event was announced never counts.
    function choose(
        mapping(uint256 key => uint256 word) storage windows,
        uint256 zones,
        uint256 firstSlot,
        uint256 genesisSlot,
        uint256 most
    ) internal view returns (uint80 daysBack, uint8 found) {
        uint256 windowDay = firstSlot / ReadingProof.SLOTS_PER_DAY;
        uint256 today = SlotTime.current() / ReadingProof.SLOTS_PER_DAY;
        bool weekend = Baseline.isWeekend(windowDay);
        for (uint256 back = windowDay - today + 1; back <= LOOKBACK && found < most; ++back) {
            if (firstSlot - back * ReadingProof.SLOTS_PER_DAY < genesisSlot) break;
            uint256 day = windowDay - back;
            if (Baseline.isWeekend(day) != weekend || _hasEvent(windows, zones, day)) continue;
            daysBack |= uint80(back << (8 * found));
            ++found;
        }
    }

    /// Marks the window in all zones.
    /// @return count of zones
    /// @return taken whether another event has some of it in `zone`
    function take(
        mapping(uint256 key => uint256 word) storage windows,
        uint256 zones,
        uint256 firstSlot,
        uint256 slots
    ) internal returns (uint256 count, bool taken, uint8 zone) {
        uint256 mask = ((1 << slots) - 1) << (firstSlot % ReadingProof.SLOTS_PER_DAY);
        for (; zones != 0; zones &= zones - 1) {
            uint256 found = lowest(zones);
            uint256 key = _keyOf(found, firstSlot / ReadingProof.SLOTS_PER_DAY);
            uint256 word = windows[key];
            if (word & mask != 0) return (count, true, uint8(found));
            windows[key] = word | mask;
            ++count;
        }
    }

    function backAt(uint80 daysBack, uint256 index) internal pure returns (uint256) {
        return uint8(daysBack >> (8 * index));
    }

    /// Lowest set bit of a mask that has one.
    function lowest(uint256 mask) internal pure returns (uint256 bit) {
        while ((mask >> bit) & 1 == 0) ++bit;
    }

    function _hasEvent(
        mapping(uint256 key => uint256 word) storage windows,
        uint256 zones,
        uint256 day
    ) private view returns (bool) {
        for (; zones != 0; zones &= zones - 1) if (windows[_keyOf(lowest(zones), day)] != 0) return true;
        return false;
    }

    function _keyOf(uint256 zone, uint256 day) private pure returns (uint256) {
        return (zone << 32) | day;
    }
}
