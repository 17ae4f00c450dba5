// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ILedger} from "../interfaces/ILedger.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IPeakCharge} from "../interfaces/IPeakCharge.sol";
import {IReadingArchive, ReadingRange} from "../interfaces/IReadingArchive.sol";
import {CalendarMonth} from "../libraries/CalendarMonth.sol";
import {ReadingProof} from "../libraries/ReadingProof.sol";
import {SharedCost} from "../libraries/SharedCost.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {SlotReadings, WholeSlots} from "../libraries/WholeSlots.sol";

/// See IPeakCharge for what each function does.
contract PeakCharge is IPeakCharge {
    uint256 public constant PEAKS = 3;
    uint256 public constant WINDOW_SLOTS = 960;
    /// 100 tokens per kW and month.
    uint64 public constant HIGHEST_PRICE = 100_000_000;
    uint256 private constant SLOTS_PER_HOUR = 4;
    uint256 private constant BITS = 80;
    uint256 private constant WH_BITS = 48;

    IReadingArchive public immutable archive;
    ILedger public immutable ledger;
    IMeteringPoints public immutable meteringPoints;
    uint64 public immutable pricePerKw;

    /// Three peaks of 80 bits, the highest in the lowest: bits 79..48 slot, 47..0 Wh.
    mapping(uint256 month => uint256 word) private _peaks;
    /// bits 135..96 peak, 95..64 next point, 63..0 import of the points before it, Wh.
    mapping(uint256 month => uint256 word) private _progress;

    constructor(IReadingArchive archive_, ILedger ledger_, IMeteringPoints meteringPoints_, uint64 pricePerKw_) {
        if (pricePerKw_ > HIGHEST_PRICE) revert PriceTooHigh(pricePerKw_, HIGHEST_PRICE);
        archive = archive_;
        ledger = ledger_;
        meteringPoints = meteringPoints_;
        pricePerKw = pricePerKw_;
        emit PriceSet(pricePerKw_);
    }

    function offer(ReadingRange calldata leaves, SlotReadings[] calldata slots) external {
        uint32 first = leaves.firstSlot;
        uint16 month = CalendarMonth.monthOf(first);
        if (_isOver(month)) revert PeakWindowOver(month);
        _prove(leaves, slots);
        uint256 word = _peaks[month];
        bool improved;
        uint32 registered = meteringPoints.count();
        for (uint256 i = 0; i < slots.length; ++i) {
            int256 wh = _netImportWh(slots[i].points, registered);
            if (wh <= 0) continue;
            uint32 slot = first + uint32(i);
            uint256 next = _inserted(word, slot, uint256(wh));
            if (next == word) continue;
            word = next;
            improved = true;
            emit PeakOffered(month, slot, uint256(wh));
        }
        if (!improved) revert NothingHigher(month, _whAt(word, PEAKS - 1));
        _peaks[month] = word;
    }

    function charge(uint16 month, ReadingRange calldata leaf, SlotReadings[] calldata slot, uint32 count) external {
        if (!_isOver(month)) revert PeakWindowOpen(month);
        (uint256 peak, uint32 from, uint256 before) = _progressOf(month);
        uint256 word = _peaks[month];
        if (peak == PEAKS || _whAt(word, peak) == 0 || count == 0) revert NothingToCharge(month);
        if (leaf.firstSlot != _slotAt(word, peak)) revert WrongPeak(_slotAt(word, peak), leaf.firstSlot);
        _prove(leaf, slot);
        bytes calldata readings = slot[0].points;
        uint32 points = uint32(WholeSlots.pointsOf(readings, meteringPoints.count()));
        uint32 until = count < points - from ? from + count : points;
        uint256 costNano = (_whAt(word, peak) * SLOTS_PER_HOUR * pricePerKw) / PEAKS;
        (uint256[] memory weights, uint256 all) = _weights(readings, points, from, until);
        (uint256[] memory shares, uint256 through) = SharedCost.split(costNano, all, weights, before);
        _progress[month] = until == points ? (peak + 1) << 96 : (peak << 96) | (uint256(until) << 64) | through;
        emit PeakCharged(month, leaf.firstSlot, from, until, _collect(from, shares));
    }

    function peaksOf(uint16 month) external view returns (uint32[3] memory slots, uint256[3] memory netImportWh) {
        uint256 word = _peaks[month];
        for (uint256 i = 0; i < PEAKS; ++i) (slots[i], netImportWh[i]) = (_slotAt(word, i), _whAt(word, i));
    }

    function progressOf(uint16 month) external view returns (uint256 peak, uint32 nextPoint) {
        (peak, nextPoint, ) = _progressOf(month);
    }

    /// Takes the shares of points from `from` on, for the backup supplier.
    function _collect(uint32 from, uint256[] memory shares) private returns (uint256 nano) {
        uint256 count = shares.length;
        uint32[] memory accounts = new uint32[](count + 1);
        int128[] memory deltas = new int128[](count + 1);
        for (uint256 i = 0; i < count; ++i) {
            accounts[i] = from + uint32(i);
            deltas[i] = -int128(int256(shares[i]));
            nano += shares[i];
        }
        accounts[count] = ledger.BACKUP();
        deltas[count] = int128(int256(nano));
        ledger.transferBetween(accounts, deltas);
    }

    function _prove(ReadingRange calldata leaves, SlotReadings[] calldata slots) private view {
        WholeSlots.prove(leaves, slots, archive.wordOf(leaves.firstSlot / uint32(ReadingProof.SLOTS_PER_DAY)));
    }

    function _isOver(uint16 month) private view returns (bool) {
        return CalendarMonth.monthOf(SlotTime.current() - WINDOW_SLOTS) > month;
    }

    function _progressOf(uint16 month) private view returns (uint256 peak, uint32 nextPoint, uint256 beforeWh) {
        uint256 word = _progress[month];
        return (word >> 96, uint32(word >> 64), uint64(word));
    }

    function _netImportWh(bytes calldata readings, uint256 registered) private pure returns (int256 wh) {
        uint256 points = WholeSlots.pointsOf(readings, registered);
        for (uint256 i = 0; i < points; ++i) wh += WholeSlots.netImportWh(WholeSlots.readingAt(readings, i));
    }

    /// Net imports of the points from `from` on and before `until`, and the sum of all points'.
    function _weights(
        bytes calldata readings,
        uint256 points,
        uint256 from,
        uint256 until
    ) private pure returns (uint256[] memory weights, uint256 all) {
        weights = new uint256[](until - from);
        for (uint256 i = 0; i < points; ++i) {
            int256 wh = WholeSlots.netImportWh(WholeSlots.readingAt(readings, i));
            if (wh <= 0) continue;
            all += uint256(wh);
            if (i >= from && i < until) weights[i - from] = uint256(wh);
        }
    }

    /// The list with a slot where it belongs; the same list when it does not, or is there already.
    function _inserted(uint256 word, uint32 slot, uint256 wh) private pure returns (uint256) {
        for (uint256 i = 0; i < PEAKS; ++i) if (_whAt(word, i) != 0 && _slotAt(word, i) == slot) return word;
        for (uint256 i = 0; i < PEAKS; ++i) {
            uint256 other = _whAt(word, i);
            if (wh < other || (wh == other && slot > _slotAt(word, i))) continue;
            uint256 shift = i * BITS;
            uint256 kept = word & ((uint256(1) << shift) - 1);
            uint256 entry = ((uint256(slot) << WH_BITS) | wh) << shift;
            uint256 lower = ((word >> shift) << (shift + BITS)) & ((uint256(1) << (PEAKS * BITS)) - 1);
            return kept | entry | lower;
        }
        return word;
    }

    function _slotAt(uint256 word, uint256 index) private pure returns (uint32) {
        return uint32(word >> (index * BITS + WH_BITS));
    }

    function _whAt(uint256 word, uint256 index) private pure returns (uint256) {
        return (word >> (index * BITS)) & ((uint256(1) << WH_BITS) - 1);
    }
}
