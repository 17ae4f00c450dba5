// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BookRing} from "../libraries/BookRing.sol";
import {DayLog} from "../libraries/DayLog.sol";
import {DayTable} from "../libraries/DayTable.sol";
import {PackedDays} from "../libraries/PackedDays.sol";
import {PointWord} from "../libraries/PointWord.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {TermsWord} from "../libraries/TermsWord.sol";
import {DayOrders} from "./DayOrders.sol";

/// The part of the order book that takes day orders: many slots under one signature. See IOrderBook.appendDays.
/// All slots' words of a transaction gather in memory and are folded into each slot's book once, at the end.
abstract contract DayBook is DayOrders {
    using BookRing for mapping(uint256 ringIndex => uint256 entry);
    using PackedDays for PackedDays.Day;

    /// Of a slot's record in DaysAppended.
    uint256 private constant BOOK_BYTES = 36;

    function appendDays(bytes calldata orders) external returns (uint256 appended) {
        Days memory days_;
        uint256[] memory keys = _scan(days_, orders);
        PointWord[] memory points = _pointsOf(keys);
        _openSlots(days_, points.length);
        PackedDays.Day memory day = days_.day;
        uint256 head = _placeOf(orders);
        for (uint256 i = 0; i < points.length; ++i) {
            head = day.read(head);
            (Skip reason, bool taken) = _takeDay(days_, points[i]);
            if (taken) days_.contents[appended++] = day.content();
            else if (days_.margin.extended != 0) emit MarginExtended(uint32(day.point), days_.margin.extended);
            if (reason != Skip.None)
                emit DaySkipped(uint32(day.point), uint32(day.firstSlot), uint8(day.sequence), reason);
        }
        if (appended == 0) return 0;
        _storeSpans(days_);
        uint256 first = _closeSlots(days_);
        // Nothing else is needed of what stands from the table on.
        _setFree(days_.table);
        emit DaysAppended(uint32(first), days_.books, days_.outcomes, DayLog.contentsOf(days_.contents, appended));
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

    function _pointsOf(uint256[] memory keys) private view returns (PointWord[] memory points) {
        uint256[] memory words = meteringPoints.orderTermsBatch(keys);
        assembly ("memory-safe") {
            points := words
        }
    }

    /// Lays out the table, the unpacked steps and the slots' words in memory.
    function _openSlots(Days memory days_, uint256 orders) private view {
        days_.domainSeparator = _domainSeparatorV4();
        days_.margin.gathers = true;
        days_.books = new bytes(BOOK_BYTES * DayTable.SLOTS);
        days_.outcomes = DayLog.outcomesFor(orders);
        days_.contents = new uint256[](orders);
        days_.margin.key = NO_PAGE;
        days_.spansKey = NO_PAGE;
        days_.reasons = new bytes(DayTable.SLOTS);
        days_.lowest = type(int256).min;
        days_.highest = type(int256).max;
        days_.margin.voided = _emergency.voidedIn(days_.first);
        bool halted = _emergency.state() != 0;
        uint256[] memory terms = _termsOf(days_);
        unchecked {
            uint256 free = _free();
            days_.table = free;
            free += DayTable.BYTES;
            uint256 next;
            for (uint256 i = 0; i < DayTable.SLOTS; ++i) {
                uint256 entry = days_.table + i * DayTable.ENTRY;
                uint256 count = days_.words[i];
                if (count == 0) {
                    DayTable.close(entry, 0);
                    continue;
                }
                uint32 slot = uint32(days_.first + i);
                TermsWord word = TermsWord.wrap(terms[next++]);
                Skip refusal;
                if (block.timestamp > SlotTime.gateOf(slot)) refusal = Skip.GateClosed;
                else if (halted) refusal = Skip.MarketHalted;
                else if (!word.isPublished()) refusal = Skip.NotPublished;
                if (refusal != Skip.None) {
                    DayTable.close(entry, uint256(refusal));
                    days_.closed |= 1 << i;
                    continue;
                }
                // The book's hash will stand before the words.
                (int256 lowest, int256 highest) = (word.bandMin(), word.bandMax());
                uint256 book = _books.entryOf(slot);
                DayTable.open(entry, free + 32, lowest, highest, book);
                if (book & BookRing.PAGED != 0) days_.paged |= 1 << i;
                free += 32 + (count << 4);
                if (lowest > days_.lowest) days_.lowest = lowest;
                if (highest < days_.highest) days_.highest = highest;
            }
            // Words are written 32 bytes at a time. The steps come last: few orders need all their room.
            days_.energies = free + 32;
            _setFree(days_.energies);
        }
    }

    /// The terms of all slots that have orders.
    function _termsOf(Days memory days_) private view returns (uint256[] memory) {
        uint32[] memory slots = new uint32[](DayTable.SLOTS);
        uint256 count;
        unchecked {
            for (uint256 i = 0; i < DayTable.SLOTS; ++i)
                if (days_.words[i] != 0) slots[count++] = uint32(days_.first + i);
        }
        assembly ("memory-safe") {
            mstore(slots, count)
        }
        return tariffs.wordsOf(slots);
    }

    /// Folds what came together for each slot into its book; gives the first slot that got words.
    function _closeSlots(Days memory days_) private returns (uint256 first) {
        unchecked {
            bytes memory books = days_.books;
            uint256 last;
            for (uint256 i = 0; i < DayTable.SLOTS; ++i) {
                uint256 entry = days_.table + i * DayTable.ENTRY;
                (uint256 begin, uint256 end) = DayTable.wordsOf(entry);
                uint256 sequences = ((days_.spanned >> i) & 1) * BookRing.SPANNED;
                sequences |= ((days_.paged >> i) & 1) * BookRing.PAGED;
                if (begin == end && sequences == 0) continue;
                uint32 slot = uint32(days_.first + i);
                uint256 stored = DayTable.bookOf(entry);
                if (begin == end && stored & sequences == sequences) continue;
                (bytes32 book, uint32 wordCount) = BookRing.bookIn(stored, slot);
                if (begin != end) {
                    book = DayTable.fold(begin, end, book) & BookRing.HASH;
                    wordCount += uint32((end - begin) >> 4);
                    if (first == 0) first = slot;
                    last = slot;
                    uint256 offset = BOOK_BYTES * (slot - first);
                    assembly ("memory-safe") {
                        let place := add(add(books, 32), offset)
                        mstore(place, book)
                        mstore(add(place, 4), or(mload(add(place, 4)), wordCount))
                    }
                }
                _books.replace(slot, stored, book, wordCount, sequences);
            }
            _setLength(books, first == 0 ? 0 : BOOK_BYTES * (last - first + 1));
        }
    }

    function _placeOf(bytes calldata data) private pure returns (uint256 place) {
        assembly ("memory-safe") {
            place := data.offset
        }
    }

    function _setLength(bytes memory data, uint256 length) private pure {
        assembly ("memory-safe") {
            mstore(data, length)
        }
    }
}
