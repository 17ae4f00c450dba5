// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IGrid} from "../interfaces/IGrid.sol";
import {ILedger} from "../interfaces/ILedger.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IOrderBook, SignedOrder} from "../interfaces/IOrderBook.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {BookRing} from "../libraries/BookRing.sol";
import {MarginPages} from "../libraries/MarginPages.sol";
import {OrderHash} from "../libraries/OrderHash.sol";
import {OrderRules} from "../libraries/OrderRules.sol";
import {PackedOrder} from "../libraries/PackedOrder.sol";
import {PointWord} from "../libraries/PointWord.sol";
import {ReplayPages} from "../libraries/ReplayPages.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {TermsWord} from "../libraries/TermsWord.sol";

/// See IOrderBook for what each function does.
contract OrderBook is IOrderBook, EIP712 {
    using BookRing for mapping(uint256 ringIndex => BookRing.Entry);
    using PackedOrder for PackedOrder.Parts;

    IMeteringPoints public immutable meteringPoints;
    ITariffs public immutable tariffs;
    address public immutable ledger;
    address public immutable settlement;
    int256 private immutable _highestImportTariff;
    int256 private immutable _lowestExportTariff;
    int256 private immutable _highestPrice;
    int256 private immutable _lowestPrice;
    /// Fee of all words that one account can have in a slot's book.
    uint256 private immutable _wordsNano;
    IGrid private immutable _grid;

    mapping(uint256 ringIndex => BookRing.Entry) private _books;
    mapping(uint256 key => uint256 page) private _sequences;
    mapping(uint256 page => uint256 word) private _margins;

    /// What all orders of a batch share, and the order at hand. Pages of storage stay in memory while neighbouring points
    /// follow each other: batches sorted by point read and write each page once.
    struct Batch {
        uint256 slot;
        /// Why the whole batch is skipped.
        Skip refusal;
        TermsWord terms;
        bytes32 domainSeparator;
        /// OrderWords appended so far: where they begin and end in memory.
        uint256 words;
        uint256 wordsEnd;
        /// Last final slot and the zones that are ever without backup; read when the first order extends its margin, 0 before.
        uint32 finalThrough;
        uint256 unbackedZones;
        uint256 sequenceKey;
        uint256 sequencePage;
        uint256 marginKey;
        uint256 marginPage;
        PackedOrder.Parts order;
    }

    uint256 private constant NO_PAGE = type(uint256).max;

    constructor(
        IMeteringPoints meteringPoints_,
        ITariffs tariffs_,
        address ledger_,
        address settlement_
    ) EIP712("DAEG", "1") {
        meteringPoints = meteringPoints_;
        tariffs = tariffs_;
        ledger = ledger_;
        settlement = settlement_;
        _highestImportTariff = tariffs_.highestImportTariff();
        _lowestExportTariff = tariffs_.lowestExportTariff();
        _highestPrice = tariffs_.highestPrice();
        _lowestPrice = tariffs_.lowestPrice();
        _wordsNano = ReplayPages.MAX_SEQUENCE * OrderRules.MAX_STEPS * tariffs_.wordFeeNano();
        _grid = meteringPoints_.grid();
        address named = ILedger(ledger_).orderBook();
        if (named != address(this)) revert WrongWiring(address(this), named);
        named = meteringPoints_.orderBook();
        if (named != address(this)) revert WrongWiring(address(this), named);
        named = ILedger(ledger_).settlement();
        if (named != settlement_) revert WrongWiring(settlement_, named);
    }

    function append(uint32 slot, SignedOrder[] calldata orders) external returns (uint256 appended) {
        Batch memory batch = _open(slot, orders.length * OrderRules.MAX_STEPS);
        uint256 free = _freeMemory();
        for (uint256 i = 0; i < orders.length; ++i) {
            SignedOrder calldata order = orders[i];
            Skip reason = batch.refusal == Skip.None ? _unpackable(order, slot) : batch.refusal;
            if (reason == Skip.None) {
                batch.order.read(_dataOf(PackedOrder.encode(order)));
                (PointWord word, bool delegated) = meteringPoints.orderTerms(order.point, order.delegate);
                reason = _take(batch, word, delegated);
                _resetMemory(free);
            }
            if (reason == Skip.None) ++appended;
            else emit OrderSkipped(slot, order.point, order.sequence, reason);
        }
        if (appended != 0) _close(batch);
    }

    function appendPacked(uint32 slot, bytes calldata orders) external returns (uint256 appended) {
        // No order is shorter than its head, no step shorter than ten bytes: at most two words for 16 bytes.
        Batch memory batch = _open(slot, orders.length / 8 + 1);
        bytes memory data = orders;
        uint256 cursor = _dataOf(data);
        uint256 end = cursor + data.length;
        uint256 terms = _termsOf(cursor, end);
        bool refused = batch.refusal != Skip.None;
        unchecked {
            for (; cursor < end; terms += 32) {
                cursor = batch.order.read(cursor);
                PointWord word;
                assembly ("memory-safe") {
                    word := mload(terms)
                }
                Skip reason = refused ? batch.refusal : _take(batch, word, word.handovers() == 1);
                if (reason == Skip.None) ++appended;
                else emit OrderSkipped(slot, uint32(batch.order.point), uint8(batch.order.sequence), reason);
            }
        }
        if (appended != 0) _close(batch);
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
            uint256 page = ReplayPages.inLap(_sequences[ReplayPages.keyOf(point, slot)], slot);
            sequences[i] = uint8(ReplayPages.byteOf(page, point));
        }
    }

    function marginedThrough(uint32 point) external view returns (uint32 through) {
        (through, ) = MarginPages.throughOf(_margins[point >> 3], point, 0);
    }

    function marginPerSlot(uint32 point) external view returns (uint256 nano) {
        (PointWord word, ) = meteringPoints.orderTerms(point, address(0));
        return _perSlot(word, _grid.unbackedZones());
    }

    function requiredMargin(uint32 point) external view returns (uint256 nano) {
        (PointWord word, ) = meteringPoints.orderTerms(point, address(0));
        (uint32 through, ) = MarginPages.throughOf(_margins[point >> 3], point, 0);
        uint32 current = SlotTime.current();
        return
            _openSlots(ISettlement(settlement).finalThrough(), current > through ? current : through) *
            _perSlot(word, _grid.unbackedZones());
    }

    function backupMargin() external view returns (uint256 nano) {
        // No export tariff reaches the highest import tariff.
        if (_highestImportTariff <= 0) return 0;
        uint32 last = SlotTime.current() + uint32(SlotTime.AHEAD_SLOTS);
        uint256 perSlot = uint256(meteringPoints.exposureWh()) * uint256(_highestImportTariff);
        return _openSlots(ISettlement(settlement).finalThrough(), last) * perSlot;
    }

    function _open(uint32 slot, uint256 mostWords) private view returns (Batch memory batch) {
        batch.slot = slot;
        batch.terms = tariffs.wordOf(slot);
        if (block.timestamp > SlotTime.gateOf(slot)) batch.refusal = Skip.GateClosed;
        else if (slot > SlotTime.current() + SlotTime.AHEAD_SLOTS) batch.refusal = Skip.TooFarAhead;
        else if (!batch.terms.isPublished()) batch.refusal = Skip.NotPublished;
        else {
            batch.domainSeparator = _domainSeparatorV4();
            batch.sequenceKey = NO_PAGE;
            batch.marginKey = NO_PAGE;
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
        (bytes32 book, uint32 wordCount) = _books.get(slot);
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
        _books.put(slot, book, wordCount);
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
        if (!ReplayPages.isAhead(batch.sequencePage, order.point, order.sequence)) return Skip.Replayed;
        Skip reason = OrderRules.check(order.steps, order.stepCount, word, batch.terms);
        if (reason != Skip.None) return reason;
        if (order.delegate != address(0)) {
            if (!delegated) return Skip.BadSignature;
            signer = order.delegate;
        }
        if (!_isSigned(batch, order, signer)) return Skip.BadSignature;
        if (!_isMargined(batch, order.point, word, order.stepCount == 0)) return Skip.MarginTooLow;
        batch.sequencePage = ReplayPages.withByte(batch.sequencePage, order.point, order.sequence);
        _appendWords(batch, order, word.zone());
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
    function _appendWords(Batch memory batch, PackedOrder.Parts memory order, uint256 zone) private pure {
        uint256 head = (order.point << 96) | (order.sequence << 88) | (zone << 80);
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

    /// Whether the account's margin covers the slot; slots that were covered before cost one read. A cancellation extends no margin,
    /// but its word is paid for: it is for slots that an order is in.
    function _isMargined(Batch memory batch, uint256 point, PointWord word, bool cancels) private returns (bool) {
        uint256 key = point >> 3;
        if (batch.marginKey != key) {
            batch.marginKey = key;
            batch.marginPage = _margins[key];
        }
        (uint32 through, bool current) = MarginPages.throughOf(batch.marginPage, point, word.raises());
        if (batch.slot <= through && (current || cancels)) return true;
        if (cancels) return false;
        return _extendMargin(batch, uint32(point), word, through);
    }

    /// Checks a new range against the balance, and extends it up to 8 slots further when the balance suffices for these too.
    function _extendMargin(Batch memory batch, uint32 point, PointWord word, uint32 through) private returns (bool) {
        uint32 slot = uint32(batch.slot);
        if (batch.finalThrough == 0) {
            batch.finalThrough = ISettlement(settlement).finalThrough();
            batch.unbackedZones = _grid.unbackedZones();
        }
        int256 balance = ILedger(ledger).balanceOf(point);
        uint256 perSlot = _perSlot(word, batch.unbackedZones);
        uint256 slots = _openSlots(batch.finalThrough, slot > through ? slot : through);
        if (balance < 0 || uint256(balance) < slots * perSlot) return false; // [30]
        uint256 spare = perSlot == 0 ? MarginPages.AHEAD : uint256(balance) / perSlot - slots;
        uint32 next = slot + uint32(spare < MarginPages.AHEAD ? spare : MarginPages.AHEAD);
        // Not beyond the slots that take orders now: a later version of the grid may ask for another margin there.
        uint32 latest = SlotTime.current() + uint32(SlotTime.AHEAD_SLOTS);
        if (next > latest) next = latest;
        if (next < through) next = through;
        batch.marginPage = MarginPages.withThrough(batch.marginPage, point, next, word.raises());
        _margins[point >> 3] = batch.marginPage;
        emit MarginExtended(point, next);
        return true;
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

    function _perSlot(PointWord word, uint256 unbackedZones) private view returns (uint256 nano) {
        nano = MarginPages.perSlot(word, _highestImportTariff, _lowestExportTariff);
        if ((unbackedZones >> word.zone()) & 1 == 1) {
            int256 widestSpread = _highestImportTariff - _lowestExportTariff;
            uint256 unbacked = MarginPages.perSlotUnbacked(word, _highestPrice, _lowestPrice, widestSpread);
            if (unbacked > nano) nano = unbacked;
        }
        nano += _wordsNano; // [81]
    }

    /// Number of slots from the first not final to `last`.
    function _openSlots(uint32 finalThrough, uint32 last) private pure returns (uint256) {
        return last > finalThrough ? last - finalThrough : 0;
    }
}
