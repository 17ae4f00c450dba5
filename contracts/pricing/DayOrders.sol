// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {DayHash} from "../libraries/DayHash.sol";
import {DayLanes} from "../libraries/DayLanes.sol";
import {DayLog} from "../libraries/DayLog.sol";
import {DaySpans} from "../libraries/DaySpans.sol";
import {DaySteps} from "../libraries/DaySteps.sol";
import {DayTable} from "../libraries/DayTable.sol";
import {OrderHash} from "../libraries/OrderHash.sol";
import {PackedDays} from "../libraries/PackedDays.sol";
import {PointWord} from "../libraries/PointWord.sol";
import {ReplayPages} from "../libraries/ReplayPages.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {BookMargin} from "./BookMargin.sol";

/// The part of DayBook that takes a single order: whether it is signed and margined, its words in the table of slots, the sequence
/// that it leaves there, and what the log tells of it.
abstract contract DayOrders is BookMargin, EIP712 {
    using PackedDays for PackedDays.Day;
    using DaySteps for DaySteps.Run;

    /// Of DayBook and OrderBook; here for its place in storage.
    mapping(uint256 ringIndex => uint256 entry) internal _books;
    mapping(uint256 key => uint256 page) internal _sequences;
    mapping(uint256 key => uint256 word) internal _spans;

    /// Slots taken one by one before DayLanes is tried again.
    uint256 private constant SLOTS_APART = 8;

    /// What all day orders of a transaction share, and the one at hand.
    struct Days {
        /// Slot of the table's first entry, and the table (DayTable).
        uint256 first;
        uint256 table;
        /// Where the steps of the order at hand stand once they are unpacked (DaySteps).
        uint256 energies;
        bool unpacked;
        /// Words that the slots' orders can have at most, by slot of the table.
        uint256[] words;
        /// A band within those of all slots of the table.
        int256 lowest;
        int256 highest;
        bytes32 domainSeparator;
        MarginCheck margin;
        /// Slots of the table, a bit each: no order goes to them; sequences stand in pages; spans of this transaction lie in them.
        uint256 closed;
        uint256 paged;
        uint256 spanned;
        /// The word of spans at hand (DaySpans): its key, and as it is stored.
        uint256 spansKey;
        uint256 spansStored;
        uint256 spans;
        PackedDays.Day day;
        DaySteps.Run run;
        /// Slots of the order at hand, a bit each from its first slot on: refused, taken without a word.
        uint256 refused;
        uint256 silent;
        /// The reasons of the refused ones, a byte each.
        bytes reasons;
        /// What DaysAppended tells; of the orders that were taken, where they stand (PackedDays.content).
        bytes books;
        bytes outcomes;
        uint256[] contents;
    }

    /// Takes the order at hand as far as its slots allow; `reason` says why none of it was looked at.
    function _takeDay(Days memory days_, PointWord point) internal returns (Skip reason, bool taken) {
        PackedDays.Day memory day = days_.day;
        days_.margin.extended = 0;
        if (!day.isShaped()) return (Skip.Malformed, false);
        address signer = point.owner();
        if (signer == address(0)) return (Skip.UnknownPoint, false);
        if (day.sequence == 0 || day.sequence > ReplayPages.MAX_SEQUENCE) return (Skip.Replayed, false);
        if (day.delegate != address(0)) {
            if (point.handovers() != 1) return (Skip.BadSignature, false);
            signer = day.delegate;
        }
        (uint256 from, uint256 to) = _window(days_, day);
        if (from >= to) return (day.firstSlot < days_.first ? Skip.GateClosed : Skip.TooFarAhead, false);
        days_.unpacked = false;
        if (!_isSignedDay(days_, signer)) return (Skip.BadSignature, false);
        if (!_isDayMargined(days_, point, to)) return (Skip.MarginTooLow, false);
        _loadSpans(days_);
        _fillSlots(days_, point, from, to);
        taken = _tell(days_, point);
    }

    /// The entries of the table that the day order covers.
    function _window(Days memory days_, PackedDays.Day memory day) internal pure returns (uint256 from, uint256 to) {
        unchecked {
            uint256 first = days_.first;
            uint256 end = day.firstSlot + day.slots;
            from = day.firstSlot > first ? day.firstSlot - first : 0;
            to = end > first ? end - first : 0;
            if (to > DayTable.SLOTS) to = DayTable.SLOTS;
        }
    }

    /// Has the steps of the order at hand in memory. What is written beyond the free pointer stands behind them.
    function _unpack(Days memory days_) private pure {
        if (days_.unpacked) return;
        days_.unpacked = true;
        _setFree(DaySteps.unpack(days_.day, days_.energies));
    }

    /// One check, for the last slot that is within reach and has a step.
    function _isDayMargined(Days memory days_, PointWord point, uint256 to) private returns (bool) {
        PackedDays.Day memory day = days_.day;
        uint256 slots = day.slotsWithSteps();
        if (slots == 0) return true;
        unchecked {
            uint256 last = day.firstSlot + slots - 1;
            uint256 latest = days_.first + to - 1;
            return _isMargined(days_.margin, last < latest ? last : latest, day.point, point, false);
        }
    }

    /// Checks all slots and adds their words to the table.
    function _fillSlots(Days memory days_, PointWord point, uint256 from, uint256 to) private view {
        PackedDays.Day memory day = days_.day;
        DaySteps.Run memory run = days_.run;
        run.prepare(day, point);
        days_.refused = 0;
        days_.silent = 0;
        unchecked {
            // Slots before and after the table.
            uint256 early = day.firstSlot < days_.first ? days_.first - day.firstSlot : 0;
            for (uint256 i = 0; i < early; ++i) _refuse(days_, i, Skip.GateClosed);
            for (uint256 i = early + to - from; i < day.slots; ++i) _refuse(days_, i, Skip.TooFarAhead);
            run.entry = days_.table + from * DayTable.ENTRY;
            run.energies = days_.energies + early * run.slotBytes;
            uint256 stops = _stopsIn(days_, from, to);
            while (from < to) {
                uint256 stop = to;
                if (stops != 0) for (stop = from; stop < to && (stops >> stop) & 1 == 0;) ++stop;
                _fillUpTo(days_, stop);
                if (stop < to) {
                    uint256 refusal = DayTable.refusalOf(run.entry);
                    _refuse(days_, days_.first + stop - day.firstSlot, refusal == 0 ? Skip.Replayed : Skip(refusal));
                    run.skip();
                    ++stop;
                }
                from = stop;
            }
        }
    }

    /// The same for slots that are open and ahead of what they hold, up to entry `stop` of the table.
    function _fillUpTo(Days memory days_, uint256 stop) private view {
        PackedDays.Day memory day = days_.day;
        DaySteps.Run memory run = days_.run;
        unchecked {
            uint256 end = days_.table + stop * DayTable.ENTRY;
            bool fits = DayLanes.fits(day);
            while (run.entry < end) {
                run.entryEnd = end;
                if (fits) {
                    DayLanes.fill(run, day.stepsOf(_slotAt(days_) - day.firstSlot), days_.lowest, days_.highest);
                    if (run.entry == end) return;
                    // Where it stopped, some slots one by one.
                    if (run.entry + SLOTS_APART * DayTable.ENTRY < end)
                        run.entryEnd = run.entry + SLOTS_APART * DayTable.ENTRY;
                }
                _unpack(days_);
                while (!run.fill()) {
                    uint256 slot = _slotAt(days_);
                    // Beyond `through` no order of the account can be in a book: nothing is to be cancelled, and no margin would pay
                    // for the word.
                    (uint32 through, ) = _throughOf(days_.margin, day.point, 0);
                    bool cancels = slot <= through && _heldIn(days_, slot) != 0;
                    Skip reason = run.settle(cancels);
                    if (reason != Skip.None) _refuse(days_, slot - day.firstSlot, reason);
                    else if (!cancels) days_.silent |= 1 << (slot - day.firstSlot);
                }
            }
        }
    }

    function _slotAt(Days memory days_) private pure returns (uint256) {
        unchecked {
            return days_.first + (days_.run.entry - days_.table) / DayTable.ENTRY;
        }
    }

    /// Entries of the table that do not take the order at hand: they are closed, or hold as high a sequence of its point.
    function _stopsIn(Days memory days_, uint256 from, uint256 to) private view returns (uint256 stops) {
        PackedDays.Day memory day = days_.day;
        unchecked {
            uint256 window = (1 << to) - (1 << from);
            stops = days_.closed | DaySpans.heldFrom(days_.spans, day.point, day.sequence, days_.first);
            uint256 paged = days_.paged & window & ~stops;
            for (uint256 i = from; paged >> i != 0; ++i) {
                if ((paged >> i) & 1 == 0) continue;
                if (_pagedIn(day.point, days_.first + i) >= day.sequence) stops |= 1 << i;
            }
            stops &= window;
        }
    }

    /// The sequence that a slot of the table holds for the point at hand.
    function _heldIn(Days memory days_, uint256 slot) private view returns (uint256 held) {
        unchecked {
            uint256 point = days_.day.point;
            held = DaySpans.sequenceIn(days_.spans, point, slot);
            if ((days_.paged >> (slot - days_.first)) & 1 == 0) return held;
            uint256 paged = _pagedIn(point, slot);
            if (paged > held) return paged;
        }
    }

    function _pagedIn(uint256 point, uint256 slot) internal view returns (uint256) {
        uint256 page = ReplayPages.inLap(_sequences[ReplayPages.keyOf(point, slot)], slot);
        return ReplayPages.sequenceOf(page, point, slot);
    }

    function _refuse(Days memory days_, uint256 i, Skip reason) private pure {
        days_.refused |= 1 << i;
        days_.reasons[i] = bytes1(uint8(reason));
    }

    function _isSignedDay(Days memory days_, address signer) private view returns (bool signed) {
        PackedDays.Day memory day = days_.day;
        uint256 length = day.signatureLength;
        if (length == 0 && msg.sender == signer) return true;
        if (!day.packed) _unpack(days_);
        bytes32 structHash = day.packed ? DayHash.packedHash(day) : DayHash.structHash(day, days_.energies);
        bytes32 digest = OrderHash.digest(days_.domainSeparator, structHash);
        uint256 from = day.signature;
        uint256 signature = _free();
        assembly ("memory-safe") {
            calldatacopy(signature, from, length)
        }
        // The check writes beyond the free pointer.
        _setFree(signature + length + 32);
        signed = Signatures.isValid(signer, digest, signature, length);
        _setFree(signature);
    }

    /// Keeps the order's sequence and tells what became of its slots; false when none was taken.
    function _tell(Days memory days_, PointWord point) private returns (bool) {
        PackedDays.Day memory day = days_.day;
        uint256 refused = days_.refused;
        uint256 taken = ((1 << day.slots) - 1) & ~refused;
        if (refused != 0) {
            for (uint256 i = 0; i < day.slots; ++i) {
                if ((refused >> i) & 1 == 0) continue;
                Skip reason = Skip(uint8(days_.reasons[i]));
                emit OrderSkipped(uint32(day.firstSlot + i), uint32(day.point), uint8(day.sequence), reason);
            }
        }
        if (taken == 0) return false;
        _keep(days_, taken);
        DayLog.note(days_.outcomes, point, taken, refused | days_.silent, days_.margin.extended);
        return true;
    }

    /// Keeps the sequence of the slots that were taken: as a span if they are without gap and there is room for one, else in pages.
    function _keep(Days memory days_, uint256 taken) private {
        PackedDays.Day memory day = days_.day;
        unchecked {
            uint256 first = day.firstSlot;
            while (taken & 1 == 0) {
                taken >>= 1;
                ++first;
            }
            uint256 slots = taken << (first - days_.first);
            if (taken & (taken + 1) == 0) {
                uint256 end = first;
                if (days_.refused == 0) end += day.slots;
                else for (uint256 left = taken; left != 0; left >>= 1) ++end;
                (uint256 spans, bool done) = DaySpans.withSpan(
                    days_.spans,
                    day.point,
                    first,
                    end,
                    day.sequence,
                    days_.first
                );
                if (done) {
                    days_.spans = spans;
                    days_.spanned |= slots;
                    return;
                }
            }
            days_.paged |= slots;
            for (; taken != 0; taken >>= 1) {
                if (taken & 1 == 1) {
                    uint256 key = ReplayPages.keyOf(day.point, first);
                    uint256 page = ReplayPages.inLap(_sequences[key], first);
                    _sequences[key] = ReplayPages.withSequence(
                        page,
                        ReplayPages.shiftOf(day.point, first),
                        day.sequence
                    );
                }
                ++first;
            }
        }
    }

    /// Has the spans of the point at hand in memory.
    function _loadSpans(Days memory days_) private {
        uint256 key = DaySpans.keyOf(days_.day.point);
        if (key == days_.spansKey) return;
        _storeSpans(days_);
        days_.spansKey = key;
        days_.spansStored = _spans[key];
        days_.spans = days_.spansStored;
    }

    function _storeSpans(Days memory days_) internal {
        if (days_.spans != days_.spansStored) _spans[days_.spansKey] = days_.spans;
    }

    function _free() internal pure returns (uint256 free) {
        assembly ("memory-safe") {
            free := mload(0x40)
        }
    }

    function _setFree(uint256 free) internal pure {
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }
}
