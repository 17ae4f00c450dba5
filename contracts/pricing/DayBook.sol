// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {BookRing} from "../libraries/BookRing.sol";
import {DayHash} from "../libraries/DayHash.sol";
import {DayLanes} from "../libraries/DayLanes.sol";
import {DaySteps} from "../libraries/DaySteps.sol";
import {DayTable} from "../libraries/DayTable.sol";
import {OrderHash} from "../libraries/OrderHash.sol";
import {PackedDays} from "../libraries/PackedDays.sol";
import {PointWord} from "../libraries/PointWord.sol";
import {ReplayPages} from "../libraries/ReplayPages.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {TermsWord} from "../libraries/TermsWord.sol";
import {BookMargin} from "./BookMargin.sol";

/// The part of the order book that takes day orders: many slots under one signature. See IOrderBook.appendDays.
/// All slots' words of a transaction gather in memory and are folded into each slot's book once, at the end.
abstract contract DayBook is BookMargin, EIP712 {
    using BookRing for mapping(uint256 ringIndex => uint256 entry);
    using PackedDays for PackedDays.Day;
    using DaySteps for DaySteps.Run;

    mapping(uint256 ringIndex => uint256 entry) internal _books;
    mapping(uint256 key => uint256 page) internal _sequences;

    /// Slots taken one by one before DayLanes is tried again.
    uint256 private constant SLOTS_APART = 8;

    /// What all day orders of a transaction share, and the one at hand.
    struct Days {
        /// Slot of the table's first entry, and the table (DayTable).
        uint256 first;
        uint256 table;
        uint256 energies;
        /// Words that the slots' orders can have at most, by slot of the table.
        uint256[] words;
        /// A band within those of all slots of the table.
        int256 lowest;
        int256 highest;
        bytes32 domainSeparator;
        MarginCheck margin;
        /// Group of 31 points whose rows stand in the table, for the slots of the table from `rowsFrom` up to `rowsTo`.
        uint256 group;
        uint256 rowsFrom;
        uint256 rowsTo;
        PackedDays.Day day;
        DaySteps.Run run;
        /// Slots of the order at hand, a bit each from its first slot on: refused, taken without a word.
        uint256 refused;
        uint256 silent;
        /// The reasons of the refused ones, a byte each.
        bytes reasons;
    }

    function appendDays(bytes calldata orders) external returns (uint256 appended) {
        Days memory days_;
        uint256[] memory keys = _scan(days_, orders);
        PointWord[] memory points = _pointsOf(keys);
        _openSlots(days_);
        PackedDays.Day memory day = days_.day;
        uint256 head = _placeOf(orders);
        for (uint256 i = 0; i < points.length; ++i) {
            head = day.read(head);
            (Skip reason, bool taken) = _takeDay(days_, points[i]);
            if (taken) ++appended;
            if (reason != Skip.None)
                emit DaySkipped(uint32(day.point), uint32(day.firstSlot), uint8(day.sequence), reason);
        }
        if (appended == 0) return 0;
        _storeRows(days_);
        _closeSlots(days_);
    }

    /// The keys of all day orders for MeteringPoints.orderTermsBatch; fills `words`.
    function _scan(Days memory days_, bytes calldata orders) private view returns (uint256[] memory keys) {
        days_.first = SlotTime.current() + 1;
        uint256[] memory words = new uint256[](DayTable.SLOTS + 1);
        days_.words = words;
        PackedDays.Day memory day = days_.day;
        uint256 begin = _placeOf(orders);
        // Nothing else takes memory meanwhile: the keys grow.
        uint256 free = _free();
        uint256 cursor = free;
        unchecked {
            uint256 end = begin + orders.length;
            for (uint256 head = begin; head < end;) {
                uint256 next = day.read(head);
                if (next > end) revert MalformedBatch(head - begin);
                head = next;
                uint256 key = (uint256(uint160(day.delegate)) << 32) | day.point;
                cursor += 32;
                assembly ("memory-safe") {
                    mstore(cursor, key)
                }
                if (!day.isShaped()) continue;
                (uint256 from, uint256 to) = _window(days_, day);
                if (from >= to) continue;
                words[from] += day.steps;
                words[to] -= day.steps;
            }
            for (uint256 i = 1; i <= DayTable.SLOTS; ++i) words[i] += words[i - 1];
        }
        _setFree(cursor + 32);
        assembly ("memory-safe") {
            keys := free
            mstore(keys, shr(5, sub(cursor, free)))
        }
    }

    /// The entries of the table that the day order covers.
    function _window(Days memory days_, PackedDays.Day memory day) private pure returns (uint256 from, uint256 to) {
        unchecked {
            uint256 first = days_.first;
            uint256 end = day.firstSlot + day.slots;
            from = day.firstSlot > first ? day.firstSlot - first : 0;
            to = end > first ? end - first : 0;
            if (to > DayTable.SLOTS) to = DayTable.SLOTS;
        }
    }

    function _pointsOf(uint256[] memory keys) private view returns (PointWord[] memory points) {
        uint256[] memory words = meteringPoints.orderTermsBatch(keys);
        assembly ("memory-safe") {
            points := words
        }
    }

    /// Lays out the table, the unpacked steps and the slots' words in memory.
    function _openSlots(Days memory days_) private view {
        days_.domainSeparator = _domainSeparatorV4();
        days_.margin.key = NO_PAGE;
        days_.group = NO_PAGE;
        days_.reasons = new bytes(DayTable.SLOTS);
        days_.lowest = type(int256).min;
        days_.highest = type(int256).max;
        days_.margin.voided = _emergency.voidedIn(days_.first);
        bool halted = _emergency.state() != 0;
        unchecked {
            uint256 free = _free();
            days_.table = free;
            days_.energies = free + DayTable.BYTES;
            free = days_.energies + 2 * DaySteps.GAP;
            // The calls below write beyond the free pointer.
            uint256 most;
            for (uint256 i = 0; i < DayTable.SLOTS; ++i) most += 32 + (days_.words[i] << 4);
            _setFree(free + most + 32);
            for (uint256 i = 0; i < DayTable.SLOTS; ++i) {
                uint256 entry = days_.table + i * DayTable.ENTRY;
                uint256 count = days_.words[i];
                if (count == 0) {
                    DayTable.close(entry, 0);
                    continue;
                }
                uint256 slot = days_.first + i;
                TermsWord terms = tariffs.wordOf(uint32(slot));
                if (block.timestamp > SlotTime.gateOf(uint32(slot))) DayTable.close(entry, uint256(Skip.GateClosed));
                else if (halted) DayTable.close(entry, uint256(Skip.MarketHalted));
                else if (!terms.isPublished()) DayTable.close(entry, uint256(Skip.NotPublished));
                else {
                    // The book's hash will stand before the words.
                    (int256 lowest, int256 highest) = (terms.bandMin(), terms.bandMax());
                    DayTable.open(entry, free + 32, lowest, highest);
                    free += 32 + (count << 4);
                    if (lowest > days_.lowest) days_.lowest = lowest;
                    if (highest < days_.highest) days_.highest = highest;
                }
            }
        }
    }

    /// Takes the order at hand as far as its slots allow; `reason` says why none of it was looked at.
    function _takeDay(Days memory days_, PointWord point) private returns (Skip reason, bool taken) {
        PackedDays.Day memory day = days_.day;
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
        DaySteps.unpack(day, days_.energies);
        if (!_isSignedDay(days_, signer)) return (Skip.BadSignature, false);
        if (!_isDayMargined(days_, point, to)) return (Skip.MarginTooLow, false);
        _loadRows(days_, day.point / ReplayPages.POINTS, from, to);
        (uint32 through, ) = _throughOf(days_.margin, day.point, 0);
        _fillSlots(days_, point, from, to, through);
        taken = _tell(days_, point);
    }

    /// One check, for the last slot that is within reach and has a step.
    function _isDayMargined(Days memory days_, PointWord point, uint256 to) private returns (bool) {
        PackedDays.Day memory day = days_.day;
        uint256 slots = DaySteps.slotsWithSteps(day, days_.energies);
        if (slots == 0) return true;
        unchecked {
            uint256 last = day.firstSlot + slots - 1;
            uint256 latest = days_.first + to - 1;
            return _isMargined(days_.margin, last < latest ? last : latest, day.point, point, false);
        }
    }

    /// Checks all slots and adds their words to the table. Beyond `through` no order of the account can be in a book: nothing is
    /// to be cancelled, and no margin would pay for the word.
    function _fillSlots(Days memory days_, PointWord point, uint256 from, uint256 to, uint256 through) private pure {
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
            uint256 entry = days_.table + from * DayTable.ENTRY;
            run.entry = entry;
            uint256 end = days_.table + to * DayTable.ENTRY;
            run.energies = days_.energies + early * run.slotBytes;
            bool fits = DayLanes.fits(day);
            while (run.entry < end) {
                run.entryEnd = end;
                if (fits) {
                    uint256 i = early + (run.entry - entry) / DayTable.ENTRY;
                    DayLanes.fill(run, day.stepsOf(i), days_.lowest, days_.highest);
                    // Where it stopped, some slots one by one.
                    if (run.entry + SLOTS_APART * DayTable.ENTRY < end)
                        run.entryEnd = run.entry + SLOTS_APART * DayTable.ENTRY;
                }
                while (!run.fill()) {
                    uint256 i = early + (run.entry - entry) / DayTable.ENTRY;
                    (Skip reason, bool silent) = run.settle(day.firstSlot + i <= through);
                    if (reason != Skip.None) _refuse(days_, i, reason);
                    if (silent) days_.silent |= 1 << i;
                }
            }
        }
    }

    function _refuse(Days memory days_, uint256 i, Skip reason) private pure {
        days_.refused |= 1 << i;
        days_.reasons[i] = bytes1(uint8(reason));
    }

    function _isSignedDay(Days memory days_, address signer) private view returns (bool signed) {
        PackedDays.Day memory day = days_.day;
        uint256 length = day.signatureLength;
        if (length == 0 && msg.sender == signer) return true;
        bytes32 structHash = DayHash.structHash(day, days_.energies);
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

    /// Tells what became of the order's slots; false when none was taken.
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
        uint256 worded = taken & ~days_.silent;
        emit DayOrderAppended(point.zone(), point.priority(), uint128(taken), uint128(worded), day.content());
        return true;
    }

    /// Has the sequences of a group of points in the table, for the slots from `from` up to `to` at least.
    function _loadRows(Days memory days_, uint256 group, uint256 from, uint256 to) private {
        if (group != days_.group) {
            _storeRows(days_);
            days_.group = group;
            days_.rowsFrom = from;
            days_.rowsTo = from;
        }
        if (from < days_.rowsFrom) {
            _readRows(days_, from, days_.rowsFrom);
            days_.rowsFrom = from;
        }
        if (to > days_.rowsTo) {
            _readRows(days_, days_.rowsTo, to);
            days_.rowsTo = to;
        }
    }

    function _readRows(Days memory days_, uint256 from, uint256 to) private view {
        unchecked {
            uint256 point = days_.group * ReplayPages.POINTS;
            uint256 page;
            for (uint256 i = from; i < to; ++i) {
                uint256 slot = days_.first + i;
                // Two slots to a page.
                if (i == from || slot & 1 == 0)
                    page = ReplayPages.inLap(_sequences[ReplayPages.keyOf(point, slot)], slot);
                uint256 entry = days_.table + i * DayTable.ENTRY;
                if (DayTable.isOpen(entry)) DayTable.setRow(entry, ReplayPages.rowOf(page, slot));
            }
        }
    }

    /// Writes the rows of the group at hand back, two slots to a page.
    function _storeRows(Days memory days_) private {
        unchecked {
            if (days_.group == NO_PAGE) return;
            uint256 point = days_.group * ReplayPages.POINTS;
            uint256 end = days_.rowsTo;
            for (uint256 i = days_.rowsFrom; i < end; ++i) {
                uint256 slot = days_.first + i;
                uint256 key = ReplayPages.keyOf(point, slot);
                uint256 stored = _sequences[key];
                uint256 page = _withRow(days_, ReplayPages.inLap(stored, slot), i);
                if (slot & 1 == 0 && i + 1 < end) page = _withRow(days_, page, ++i);
                if (page != stored) _sequences[key] = page;
            }
        }
    }

    function _withRow(Days memory days_, uint256 page, uint256 i) private pure returns (uint256) {
        uint256 entry = days_.table + i * DayTable.ENTRY;
        if (!DayTable.isOpen(entry)) return page;
        return ReplayPages.withRow(page, days_.first + i, DayTable.rowOf(entry));
    }

    /// Folds what came together for each slot into its book.
    function _closeSlots(Days memory days_) private {
        unchecked {
            bytes memory books = new bytes(36 * DayTable.SLOTS);
            uint256 first;
            uint256 last;
            for (uint256 i = 0; i < DayTable.SLOTS; ++i) {
                (uint256 begin, uint256 end) = DayTable.wordsOf(days_.table + i * DayTable.ENTRY);
                if (begin == end) continue;
                uint32 slot = uint32(days_.first + i);
                (bytes32 book, uint32 wordCount) = _books.get(slot);
                book = DayTable.fold(begin, end, book) & BookRing.HASH;
                wordCount += uint32((end - begin) >> 4);
                _books.put(slot, book, wordCount);
                if (first == 0) first = slot;
                last = slot;
                uint256 offset = 36 * (slot - first);
                assembly ("memory-safe") {
                    let place := add(add(books, 32), offset)
                    mstore(place, book)
                    mstore(add(place, 4), or(mload(add(place, 4)), wordCount))
                }
            }
            if (first == 0) return;
            uint256 length = 36 * (last - first + 1);
            assembly ("memory-safe") {
                mstore(books, length)
            }
            emit DaysAppended(uint32(first), books);
        }
    }

    function _placeOf(bytes calldata data) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := data.offset
        }
    }

    function _free() private pure returns (uint256 free) {
        assembly ("memory-safe") {
            free := mload(0x40)
        }
    }

    function _setFree(uint256 free) private pure {
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }
}
