// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {SignedOrder} from "../interfaces/IOrderBook.sol";
import {ISealedBatches} from "../interfaces/ISealedBatches.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {BookRing} from "../libraries/BookRing.sol";
import {DaySpans} from "../libraries/DaySpans.sol";
import {EmergencyWord} from "../libraries/EmergencyWord.sol";
import {OrderHash} from "../libraries/OrderHash.sol";
import {OrderRules} from "../libraries/OrderRules.sol";
import {PackedOrder} from "../libraries/PackedOrder.sol";
import {PointWord} from "../libraries/PointWord.sol";
import {ReplayPages} from "../libraries/ReplayPages.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {TermsWord} from "../libraries/TermsWord.sol";
import {BookMargin} from "./BookMargin.sol";
import {DayBook} from "./DayBook.sol";

/// See IOrderBook for what each function does.
contract OrderBook is DayBook {
    using BookRing for mapping(uint256 ringIndex => uint256 entry);
    using PackedOrder for PackedOrder.Parts;

    address public immutable sealedBatches;
    address public immutable emergency;

    /// Market states of IEmergency from this on forbid clearing; any but 0 forbids new orders.
    uint256 private constant NO_CLEARING = 2;

    /// What all orders of a batch share, and the order at hand. Pages of storage stay in memory while neighbouring points
    /// follow each other: batches sorted by point read and write each page once.
    struct Batch {
        uint256 slot;
        /// Why the whole batch is skipped.
        Skip refusal;
        /// Zones whose sealed orders are void: they were sealed before their zone was islanded.
        uint256 voided;
        TermsWord terms;
        bytes32 domainSeparator;
        /// OrderWords appended so far: where they begin and end in memory.
        uint256 words;
        uint256 wordsEnd;
        uint256 sequenceKey;
        uint256 sequencePage;
        /// The slot's entry in the ring; whether sequences of the slot stand in spans as well.
        uint256 entry;
        bool spanned;
        MarginCheck margin;
        PackedOrder.Parts order;
    }

    constructor(
        IMeteringPoints meteringPoints_,
        ITariffs tariffs_,
        address ledger_,
        address settlement_,
        address sealedBatches_,
        address emergency_
    ) EIP712("DAEG", "1") BookMargin(meteringPoints_, tariffs_, ledger_, settlement_) {
        sealedBatches = sealedBatches_;
        emergency = emergency_;
        address named = ISealedBatches(sealedBatches_).orderBook();
        if (named != address(this)) revert WrongWiring(address(this), named);
    }

    modifier onlySealedBatches() {
        if (msg.sender != sealedBatches) revert NotSealedBatches(msg.sender);
        _;
    }

    function append(uint32 slot, SignedOrder[] calldata orders) external returns (uint256 appended) {
        Batch memory batch = _open(slot, orders.length * OrderRules.MAX_STEPS, SlotTime.gateOf(slot));
        uint256 free = _freeMemory();
        for (uint256 i = 0; i < orders.length; ++i) {
            SignedOrder calldata order = orders[i];
            Skip reason = _unpackable(order, slot);
            if (batch.refusal != Skip.None && (batch.refusal != Skip.MarketHalted || order.steps.length != 0))
                reason = batch.refusal;
            if (reason == Skip.None) {
                batch.order.read(_dataOf(PackedOrder.encode(order)));
                (PointWord word, bool delegated) = meteringPoints.orderTerms(order.point, order.delegate);
                reason = _isSpanned(batch) ? Skip.Replayed : _take(batch, word, delegated);
                _resetMemory(free);
            }
            if (reason == Skip.None) ++appended;
            else emit OrderSkipped(slot, order.point, order.sequence, reason);
        }
        if (appended != 0) _close(batch);
    }

    function appendPacked(uint32 slot, bytes calldata orders) external returns (uint256 appended) {
        return _appendPacked(slot, orders, SlotTime.gateOf(slot), 0);
    }

    function noteSealed(uint32 slot) external onlySealedBatches {
        _books.setUnopened(slot, _books.unopenedOf(slot) + 1);
    }

    function appendSealed(uint32 slot, bytes calldata orders) external onlySealedBatches returns (uint256 appended) {
        _books.setUnopened(slot, _books.unopenedOf(slot) - 1);
        uint256 voided = _emergency.voidedIn(slot);
        return _appendPacked(slot, orders, SlotTime.gateOf(slot) + SlotTime.OPENING_SECONDS, voided);
    }

    function clearableFrom(uint32 slot) external view returns (uint256 from, bytes32 book, uint32 wordCount) {
        (book, wordCount) = _books.get(slot);
        from = SlotTime.gateOf(slot) + (_books.unopenedOf(slot) == 0 ? 0 : SlotTime.OPENING_SECONDS);
        if (_emergency.state() >= NO_CLEARING) from = type(uint256).max;
    }

    function setMarketState(uint8 state) external {
        if (msg.sender != emergency) revert NotEmergency(msg.sender);
        _emergency = _emergency.withState(state);
    }

    function voidZones(uint32 firstSlot, uint256 zones) external {
        if (msg.sender != address(_grid)) revert NotGrid(msg.sender);
        uint32 current = SlotTime.current();
        uint32 through = current + uint32(SlotTime.AHEAD_SLOTS);
        _emergency = _emergency.withVoid(zones, current, through);
        for (uint32 slot = firstSlot; slot <= through; ++slot) {
            (bytes32 book, uint32 wordCount) = _books.get(slot);
            if (wordCount != 0) _books.put(slot, BookRing.voided(book, zones), wordCount, 0);
        }
        emit ZonesVoided(firstSlot, through, zones);
    }

    function _appendPacked(
        uint32 slot,
        bytes calldata orders,
        uint256 latest,
        uint256 voided
    ) private returns (uint256 appended) {
        // No order is shorter than its head, no step shorter than ten bytes: at most two words for 16 bytes.
        Batch memory batch = _open(slot, orders.length / 8 + 1, latest);
        batch.voided = voided;
        bytes memory data = orders;
        uint256 cursor = _dataOf(data);
        uint256 end = cursor + data.length;
        uint256 terms = _termsOf(cursor, end);
        unchecked {
            // Usual batches have a loop of their own, which asks for no refusal.
            if (batch.refusal == Skip.None && voided == 0 && !batch.spanned) {
                for (; cursor < end; terms += 32) {
                    cursor = batch.order.read(cursor);
                    PointWord word = _wordAt(terms);
                    Skip reason = _take(batch, word, word.handovers() == 1);
                    if (reason == Skip.None) ++appended;
                    else _emitSkipped(batch, reason);
                }
            } else {
                for (; cursor < end; terms += 32) {
                    cursor = batch.order.read(cursor);
                    Skip reason = _takeUnlessRefused(batch, _wordAt(terms));
                    if (reason == Skip.None) ++appended;
                    else _emitSkipped(batch, reason);
                }
            }
        }
        if (appended != 0) _close(batch);
    }

    /// Takes the order at hand unless something refuses it. A halted market still takes cancellations.
    function _takeUnlessRefused(Batch memory batch, PointWord word) private returns (Skip reason) {
        reason = batch.refusal;
        if (reason == Skip.MarketHalted && batch.order.stepCount == 0) reason = Skip.None;
        else if (reason == Skip.None && (batch.voided >> word.zone()) & 1 == 1) reason = Skip.ZoneVoided;
        if (reason == Skip.None) reason = _isSpanned(batch) ? Skip.Replayed : _take(batch, word, word.handovers() == 1);
    }

    /// Whether a day order of the point took as high a sequence as that of the order at hand.
    function _isSpanned(Batch memory batch) private view returns (bool) {
        if (!batch.spanned) return false;
        uint256 point = batch.order.point;
        uint256 held = DaySpans.sequenceIn(_spans[DaySpans.keyOf(point)], point, batch.slot);
        return held != 0 && batch.order.sequence <= held;
    }

    function bookOf(uint32 slot) external view returns (bytes32 book, uint32 wordCount) {
        return _books.get(slot);
    }

    function bookStart(uint32 slot) external view returns (bytes32) {
        return BookRing.start(slot);
    }

    function sequencesOf(
        uint32 point,
        uint32 fromSlot,
        uint256 count
    ) external view returns (uint8[] memory sequences) {
        sequences = new uint8[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 slot = fromSlot + i;
            uint256 sequence = _pagedIn(point, slot);
            uint256 spanned = DaySpans.sequenceIn(_spans[DaySpans.keyOf(point)], point, slot);
            sequences[i] = uint8(sequence > spanned ? sequence : spanned);
        }
    }

    /// `latest`: block time up to which orders are taken.
    function _open(uint32 slot, uint256 mostWords, uint256 latest) private view returns (Batch memory batch) {
        batch.slot = slot;
        batch.terms = tariffs.wordOf(slot);
        if (block.timestamp > latest) batch.refusal = Skip.GateClosed;
        else if (slot > SlotTime.current() + SlotTime.AHEAD_SLOTS) batch.refusal = Skip.TooFarAhead;
        else if (!batch.terms.isPublished()) batch.refusal = Skip.NotPublished;
        else {
            batch.domainSeparator = _domainSeparatorV4();
            batch.sequenceKey = NO_PAGE;
            batch.entry = _books.entryOf(slot);
            batch.spanned = batch.entry & BookRing.SPANNED != 0;
            batch.margin.key = NO_PAGE;
            EmergencyWord emergency_ = _emergency;
            batch.margin.voided = emergency_.voidedIn(slot);
            if (emergency_.state() != 0) batch.refusal = Skip.MarketHalted;
            uint256 words = _freeMemory();
            batch.words = words;
            batch.wordsEnd = words;
            // One word more: words are written 32 bytes at a time.
            _resetMemory(words + 16 * mostWords + 32);
        }
    }

    function _close(Batch memory batch) private {
        uint32 slot = uint32(batch.slot);
        _flushSequences(batch);
        uint256 length = batch.wordsEnd - batch.words;
        (bytes32 book, uint32 wordCount) = BookRing.bookIn(batch.entry, slot);
        wordCount += uint32(length / 16);
        bytes memory words = new bytes(length);
        uint256 from = batch.words;
        assembly ("memory-safe") {
            mcopy(add(words, 32), from, length)
            // keccak256(book ++ words): the hash takes the place of the length for a moment.
            mstore(words, book)
            book := keccak256(words, add(length, 32))
            mstore(words, length)
        }
        book = book & BookRing.HASH;
        _books.replace(slot, batch.entry, book, wordCount, BookRing.PAGED);
        emit Appended(slot, words, book, wordCount);
    }

    /// Why an order cannot even be packed.
    function _unpackable(SignedOrder calldata order, uint32 slot) private pure returns (Skip) {
        if (order.slot != slot) return Skip.WrongSlot;
        if (order.steps.length > OrderRules.MAX_STEPS) return Skip.TooManySteps;
        if (order.signature.length > PackedOrder.MAX_SIGNATURE) return Skip.BadSignature;
        return Skip.None;
    }

    /// Checks the order at hand and books it; gives the reason when it fails.
    function _take(Batch memory batch, PointWord word, bool delegated) private returns (Skip) {
        PackedOrder.Parts memory order = batch.order;
        address signer = word.owner();
        if (signer == address(0)) return Skip.UnknownPoint;
        _loadSequences(batch, order.point);
        uint256 shift = ReplayPages.shiftOf(order.point, batch.slot);
        if (!ReplayPages.isAhead(batch.sequencePage, shift, order.sequence)) return Skip.Replayed;
        Skip reason = OrderRules.check(order.steps, order.stepCount, word, batch.terms);
        if (reason != Skip.None) return reason;
        if (order.delegate != address(0)) {
            if (!delegated) return Skip.BadSignature;
            signer = order.delegate;
        }
        if (!_isSigned(batch, order, signer)) return Skip.BadSignature;
        if (!_isMargined(batch.margin, batch.slot, order.point, word, order.stepCount == 0)) return Skip.MarginTooLow;
        batch.sequencePage = ReplayPages.withSequence(batch.sequencePage, shift, order.sequence);
        _appendWords(batch, order, word);
        return Skip.None;
    }

    function _isSigned(Batch memory batch, PackedOrder.Parts memory order, address signer) private view returns (bool) {
        if (order.signatureLength == 0 && msg.sender == signer) return true;
        bytes32 digest = OrderHash.digest(
            batch.domainSeparator,
            OrderHash.structHash(order.point, batch.slot, order.sequence, order.steps, order.stepCount)
        );
        return Signatures.isValid(signer, digest, order.signature, order.signatureLength);
    }

    /// Adds the order's words to the batch's; a cancellation is one word without energy.
    function _appendWords(Batch memory batch, PackedOrder.Parts memory order, PointWord word) private pure {
        // The point's zone and its priority class (PointWord) in their places.
        uint256 head = (order.point << 96) | (order.sequence << 88);
        head |= ((PointWord.unwrap(word) >> 80) & (0xff << 80)) | ((PointWord.unwrap(word) >> 172) & (3 << 74));
        uint256 steps = order.steps;
        uint256 count = order.stepCount;
        uint256 cursor = batch.wordsEnd;
        assembly ("memory-safe") {
            let cancels := iszero(count)
            for {
                let end := add(cursor, shl(4, add(count, cancels)))
            } lt(cursor, end) {
                cursor := add(cursor, 16)
            } {
                // Bits 79..74 of a step mean nothing; whoever packed them set, they do not reach the book.
                let step := mul(and(shr(176, mload(steps)), 0x3ffffffffffffffffff), iszero(cancels))
                mstore(cursor, shl(128, or(head, step)))
                steps := add(steps, 10)
            }
        }
        batch.wordsEnd = cursor;
    }

    function _loadSequences(Batch memory batch, uint256 point) private {
        uint256 key = ReplayPages.keyOf(point, batch.slot);
        if (batch.sequenceKey == key) return;
        _flushSequences(batch);
        batch.sequenceKey = key;
        batch.sequencePage = ReplayPages.inLap(_sequences[key], batch.slot);
    }

    function _flushSequences(Batch memory batch) private {
        if (batch.sequenceKey != NO_PAGE) _sequences[batch.sequenceKey] = batch.sequencePage;
    }

    /// MeteringPoints.orderTermsBatch for all orders of a packed batch: where its words stand in memory, one per order.
    function _termsOf(uint256 cursor, uint256 end) private view returns (uint256 terms) {
        address target = address(meteringPoints);
        bytes4 selector = IMeteringPoints.orderTermsBatch.selector;
        uint256 malformed;
        assembly ("memory-safe") {
            let begin := cursor
            let call_ := mload(0x40)
            mstore(call_, selector)
            mstore(add(call_, 4), 32)
            let key := add(call_, 68)
            for {} lt(cursor, end) {
                key := add(key, 32)
            } {
                let head := mload(cursor)
                let shape := byte(5, head)
                let delegated := shr(7, shape)
                mstore(key, or(shl(32, mul(delegated, shr(96, mload(add(cursor, 8))))), shr(224, head)))
                let length := add(mul(delegated, 20), mul(and(shape, 127), 10))
                let next := add(add(cursor, 8), add(length, and(shr(192, head), 0xffff)))
                if gt(next, end) {
                    malformed := add(sub(cursor, begin), 1)
                }
                cursor := next
            }
            if iszero(malformed) {
                let size := sub(key, call_)
                mstore(add(call_, 36), shr(5, sub(size, 68)))
                if iszero(staticcall(gas(), target, call_, size, 0, 0)) {
                    revert(0, 0)
                }
                returndatacopy(call_, 0, returndatasize())
                terms := add(call_, 64)
                mstore(0x40, add(call_, and(add(returndatasize(), 31), not(31))))
            }
        }
        if (malformed != 0) revert MalformedBatch(malformed - 1);
    }

    function _wordAt(uint256 pointer) private pure returns (PointWord word) {
        assembly ("memory-safe") {
            word := mload(pointer)
        }
    }

    function _emitSkipped(Batch memory batch, Skip reason) private {
        emit OrderSkipped(uint32(batch.slot), uint32(batch.order.point), uint8(batch.order.sequence), reason);
    }

    function _freeMemory() private pure returns (uint256 free) {
        assembly ("memory-safe") {
            free := mload(0x40)
        }
    }

    function _resetMemory(uint256 free) private pure {
        assembly ("memory-safe") {
            mstore(0x40, free)
        }
    }

    function _dataOf(bytes memory data) private pure returns (uint256 pointer) {
        assembly ("memory-safe") {
            pointer := add(data, 32)
        }
    }
}
