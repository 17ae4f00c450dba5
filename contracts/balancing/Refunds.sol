// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ILedger} from "../interfaces/ILedger.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IReadingArchive, ReadingRange} from "../interfaces/IReadingArchive.sol";
import {IRefunds} from "../interfaces/IRefunds.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {CalendarMonth} from "../libraries/CalendarMonth.sol";
import {ReadingProof} from "../libraries/ReadingProof.sol";
import {SharedCost} from "../libraries/SharedCost.sol";
import {SlotReadings, WholeSlots} from "../libraries/WholeSlots.sol";

/// See IRefunds for what each function does.
contract Refunds is IRefunds {
    uint256 private constant PER_WORD = 5;
    uint256 private constant BITS = 48;

    IReadingArchive public immutable archive;
    ILedger public immutable ledger;
    IMeteringPoints public immutable meteringPoints;

    /// The refund that goes on; nothing of it is paid while `nextPoint` is zero.
    struct Refund {
        uint16 month;
        uint32 nextPoint;
        uint64 beforeWh;
        uint128 membersNano;
        uint128 congestionNano;
    }

    uint32 public countedThrough;
    Refund private _refund;
    /// Wh of five points, 48 bits each.
    mapping(uint256 monthAndPage => uint256 word) private _energy;
    /// bits 159..128 number of points, 127..0 Wh of all.
    mapping(uint256 month => uint256 word) private _totals;

    constructor(IReadingArchive archive_, ILedger ledger_, IMeteringPoints meteringPoints_) {
        archive = archive_;
        ledger = ledger_;
        meteringPoints = meteringPoints_;
        uint32 genesis = ISettlement(ledger_.settlement()).genesisSlot();
        countedThrough = genesis - 1;
        _refund.month = CalendarMonth.monthOf(genesis);
    }

    function count(ReadingRange calldata leaves, SlotReadings[] calldata slots) external {
        uint32 first = leaves.firstSlot;
        if (first != countedThrough + 1) revert SlotNotNextToCount(first, countedThrough + 1);
        WholeSlots.prove(leaves, slots, archive.wordOf(first / uint32(ReadingProof.SLOTS_PER_DAY)));
        uint256 registered = meteringPoints.count();
        uint256 most;
        for (uint256 i = 0; i < slots.length; ++i) {
            uint256 points = WholeSlots.pointsOf(slots[i].points, registered);
            if (points > most) most = points;
        }
        uint256[] memory energy = new uint256[](most);
        for (uint256 i = 0; i < slots.length; ++i) _add(energy, slots[i].points);
        uint16 month = CalendarMonth.monthOf(first);
        uint256 total = _store(month, energy);
        uint32 last = first + uint32(slots.length) - 1;
        countedThrough = last;
        emit EnergyCounted(month, first, last, total);
    }

    function refund(uint32 points) external {
        Refund memory now_ = _refund;
        if (CalendarMonth.monthOf(uint256(countedThrough) + 1) <= now_.month) {
            revert MonthNotCounted(now_.month, countedThrough);
        }
        if (points == 0) revert NothingToRefund();
        uint256 all = uint128(_totals[now_.month]);
        uint32 count_ = uint32(_totals[now_.month] >> 128);
        if (now_.nextPoint == 0) {
            now_.membersNano = _held(ledger.MEMBERS());
            now_.congestionNano = _held(ledger.CONGESTION());
            emit RefundOpened(now_.month, now_.membersNano, now_.congestionNano, all);
        }
        if (all == 0) {
            _refund = Refund(now_.month + 1, 0, 0, 0, 0);
            return;
        }
        uint32 from = now_.nextPoint;
        uint32 until = points < count_ - from ? from + points : count_;
        uint256 through = _pay(now_, from, until, all);
        _refund =
            until == count_
                ? Refund(now_.month + 1, 0, 0, 0, 0)
                : Refund(now_.month, until, uint64(through), now_.membersNano, now_.congestionNano);
    }

    function energyOf(uint16 month, uint32 point) public view returns (uint256 wh) {
        return (_energy[_keyOf(month, point)] >> ((point % PER_WORD) * BITS)) & ((1 << BITS) - 1);
    }

    function totalOf(uint16 month) external view returns (uint256 wh, uint32 points) {
        uint256 word = _totals[month];
        return (uint128(word), uint32(word >> 128));
    }

    function progress() external view returns (uint16 month, uint32 nextPoint) {
        return (_refund.month, _refund.nextPoint);
    }

    function _pay(Refund memory now_, uint32 from, uint32 until, uint256 all) private returns (uint256 through) {
        uint256 count_ = until - from;
        uint256[] memory weights = new uint256[](count_);
        for (uint256 i = 0; i < count_; ++i) weights[i] = energyOf(now_.month, from + uint32(i));
        uint256[] memory members;
        uint256[] memory congestion;
        (members, through) = SharedCost.split(now_.membersNano, all, weights, now_.beforeWh);
        (congestion, ) = SharedCost.split(now_.congestionNano, all, weights, now_.beforeWh);
        uint32[] memory accounts = new uint32[](count_ + 2);
        int128[] memory deltas = new int128[](count_ + 2);
        uint256 membersNano;
        uint256 congestionNano;
        for (uint256 i = 0; i < count_; ++i) {
            accounts[i] = from + uint32(i);
            deltas[i] = int128(int256(members[i] + congestion[i]));
            membersNano += members[i];
            congestionNano += congestion[i];
        }
        (accounts[count_], deltas[count_]) = _taken(ledger.MEMBERS(), membersNano);
        (accounts[count_ + 1], deltas[count_ + 1]) = _taken(ledger.CONGESTION(), congestionNano);
        ledger.transferBetween(accounts, deltas);
        emit Refunded(now_.month, from, until, membersNano, congestionNano);
    }

    function _taken(uint32 account, uint256 nano) private view returns (uint32, int128 delta) {
        int128 balance = ledger.balanceOf(account);
        delta = -int128(int256(nano));
        if (balance < -delta) revert RefundShort(account, nano, balance);
        return (account, delta);
    }

    function _held(uint32 account) private view returns (uint128) {
        int128 balance = ledger.balanceOf(account);
        return balance > 0 ? uint128(balance) : 0;
    }

    function _add(uint256[] memory energy, bytes calldata readings) private pure {
        uint256 points = WholeSlots.pointsOf(readings, energy.length);
        for (uint256 i = 0; i < points; ++i) {
            uint256 reading = WholeSlots.readingAt(readings, i);
            if (!ReadingProof.isMetered(reading | ReadingProof.PROVEN)) continue;
            energy[i] += ReadingProof.importWh(reading) + ReadingProof.exportWh(reading);
        }
    }

    /// Adds what was counted, with one write per five points.
    function _store(uint16 month, uint256[] memory energy) private returns (uint256 total) {
        uint256 points = energy.length;
        uint256 word = _totals[month];
        for (uint256 from = 0; from < points; from += PER_WORD) {
            uint256 added;
            for (uint256 i = from; i < points && i < from + PER_WORD; ++i) {
                total += energy[i];
                added |= energy[i] << ((i % PER_WORD) * BITS);
            }
            if (added != 0) _energy[_keyOf(month, from)] += added;
        }
        total += uint128(word);
        uint256 before = word >> 128;
        _totals[month] = ((points > before ? points : before) << 128) | total;
    }

    function _keyOf(uint16 month, uint256 point) private pure returns (uint256) {
        return (uint256(month) << 32) | (point / PER_WORD);
    }
}
