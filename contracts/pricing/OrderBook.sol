// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ILedger} from "../interfaces/ILedger.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IOrderBook, SignedOrder} from "../interfaces/IOrderBook.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {BookRing} from "../libraries/BookRing.sol";
import {MarginPages} from "../libraries/MarginPages.sol";
import {OrderHash} from "../libraries/OrderHash.sol";
import {OrderRules} from "../libraries/OrderRules.sol";
import {OrderWord} from "../libraries/OrderWord.sol";
import {PointWord} from "../libraries/PointWord.sol";
import {ReplayPages} from "../libraries/ReplayPages.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {TermsWord} from "../libraries/TermsWord.sol";

/// See IOrderBook for what each function does.
contract OrderBook is IOrderBook, EIP712 {
    using BookRing for mapping(uint256 ringIndex => BookRing.Entry);
    using MarginPages for mapping(uint256 page => uint256 word);
    using ReplayPages for mapping(uint256 key => uint256 page);

    IMeteringPoints public immutable meteringPoints;
    ITariffs public immutable tariffs;
    address public immutable ledger;
    address public immutable settlement;
    int256 private immutable _highestImportTariff;
    int256 private immutable _lowestExportTariff;

    mapping(uint256 ringIndex => BookRing.Entry) private _books;
    mapping(uint256 key => uint256 page) private _sequences;
    mapping(uint256 page => uint256 word) private _margins;

    /// What all orders of a batch share.
    struct Batch {
        uint32 slot;
        /// Why the whole batch is skipped.
        Skip refusal;
        TermsWord terms;
        bytes32 domainSeparator;
        bytes32 book;
        uint32 wordCount;
        /// Last final slot; read when the first order extends its margin, 0 before.
        uint32 finalThrough;
        bytes words;
    }

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
        address named = ILedger(ledger_).orderBook();
        if (named != address(this)) revert WrongWiring(address(this), named);
        named = ILedger(ledger_).settlement();
        if (named != settlement_) revert WrongWiring(settlement_, named);
    }

    function append(uint32 slot, SignedOrder[] calldata orders) external returns (uint256 appended) {
        Batch memory batch = _open(slot, orders.length);
        for (uint256 i = 0; i < orders.length; ++i) {
            SignedOrder calldata order = orders[i];
            Skip reason = batch.refusal == Skip.None ? _take(batch, order) : batch.refusal;
            if (reason == Skip.None) ++appended;
            else emit OrderSkipped(slot, order.point, order.sequence, reason);
        }
        if (appended != 0) {
            _books.put(slot, batch.book, batch.wordCount);
            emit Appended(slot, batch.words, batch.book, batch.wordCount);
        }
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
        for (uint256 i = 0; i < count; ++i) sequences[i] = _sequences.sequenceOf(point, fromSlot + uint32(i));
    }

    function marginedThrough(uint32 point) external view returns (uint32 through) {
        (through, ) = _margins.throughOf(point, 0);
    }

    function marginPerSlot(uint32 point) external view returns (uint256 nano) {
        (PointWord word, ) = meteringPoints.orderTerms(point, address(0));
        return _perSlot(word);
    }

    function requiredMargin(uint32 point) external view returns (uint256 nano) {
        (PointWord word, ) = meteringPoints.orderTerms(point, address(0));
        (uint32 through, ) = _margins.throughOf(point, 0);
        uint32 current = SlotTime.current();
        return
            _openSlots(ISettlement(settlement).finalThrough(), current > through ? current : through) * _perSlot(word);
    }

    function _open(uint32 slot, uint256 orders) private view returns (Batch memory batch) {
        batch.slot = slot;
        batch.terms = tariffs.wordOf(slot);
        if (block.timestamp > SlotTime.gateOf(slot)) batch.refusal = Skip.GateClosed;
        else if (slot > SlotTime.current() + SlotTime.AHEAD_SLOTS) batch.refusal = Skip.TooFarAhead;
        else if (!batch.terms.isPublished()) batch.refusal = Skip.NotPublished;
        else {
            batch.domainSeparator = _domainSeparatorV4();
            (batch.book, batch.wordCount) = _books.get(slot);
            // Room for the longest orders; the length follows the words.
            bytes memory words = new bytes(orders * OrderRules.MAX_STEPS * 16);
            assembly ("memory-safe") {
                mstore(words, 0)
            }
            batch.words = words;
        }
    }

    /// Checks one order and books it; gives the reason when it fails.
    function _take(Batch memory batch, SignedOrder calldata order) private returns (Skip) {
        uint32 slot = batch.slot;
        if (order.slot != slot) return Skip.WrongSlot;
        uint32 point = order.point;
        address delegate = order.delegate;
        (PointWord word, bool delegated) = meteringPoints.orderTerms(point, delegate);
        if (PointWord.unwrap(word) == 0) return Skip.UnknownPoint;
        if (!_sequences.isAhead(point, slot, order.sequence)) return Skip.Replayed;
        Skip reason = OrderRules.check(order.steps, word, batch.terms);
        if (reason != Skip.None) return reason;
        if (delegate == address(0)) delegate = word.owner();
        else if (!delegated) return Skip.BadSignature;
        if (!_isSigned(batch, order, delegate)) return Skip.BadSignature;
        if (order.steps.length != 0 && !_extendMargin(batch, point, word)) return Skip.MarginTooLow;
        _sequences.setSequence(point, slot, order.sequence);
        _appendWords(batch, order, word.zone());
        return Skip.None;
    }

    function _isSigned(Batch memory batch, SignedOrder calldata order, address signer) private view returns (bool) {
        if (order.signature.length == 0 && msg.sender == signer) return true;
        bytes32 digest = OrderHash.digest(
            batch.domainSeparator,
            OrderHash.structHash(order.point, order.slot, order.sequence, order.steps)
        );
        return Signatures.isValid(signer, digest, order.signature);
    }

    /// Folds the order's words into the batch's running hash and its event.
    function _appendWords(Batch memory batch, SignedOrder calldata order, uint8 zone) private pure {
        uint256 count = order.steps.length == 0 ? 1 : order.steps.length;
        bytes memory words = batch.words;
        bytes32 book = batch.book;
        for (uint256 i = 0; i < count; ++i) {
            OrderWord word = OrderRules.wordOf(order, zone, i);
            book = BookRing.fold(book, word);
            assembly ("memory-safe") {
                let length := mload(words)
                mstore(add(add(words, 32), length), shl(128, word))
                mstore(words, add(length, 16))
            }
        }
        batch.book = book;
        batch.wordCount += uint32(count);
    }

    /// Whether the account's margin covers the slot. Slots that were covered before cost one read; a new range is checked
    /// against the balance and extended up to 8 slots further when the balance suffices for these too.
    function _extendMargin(Batch memory batch, uint32 point, PointWord word) private returns (bool) {
        uint32 slot = batch.slot;
        uint8 raises = word.raises();
        (uint32 through, bool current) = _margins.throughOf(point, raises);
        if (current && slot <= through) return true;
        if (batch.finalThrough == 0) batch.finalThrough = ISettlement(settlement).finalThrough();

        int256 balance = ILedger(ledger).balanceOf(point);
        uint256 perSlot = _perSlot(word);
        uint256 slots = _openSlots(batch.finalThrough, slot > through ? slot : through);
        if (balance < 0 || uint256(balance) < slots * perSlot) return false;
        uint256 spare = perSlot == 0 ? MarginPages.AHEAD : uint256(balance) / perSlot - slots;
        uint32 next = slot + uint32(spare < MarginPages.AHEAD ? spare : MarginPages.AHEAD);
        if (next < through) next = through;
        _margins.setThrough(point, next, raises);
        emit MarginExtended(point, next);
        return true;
    }

    function _perSlot(PointWord word) private view returns (uint256) {
        return MarginPages.perSlot(word, _highestImportTariff, _lowestExportTariff);
    }

    /// Number of slots from the first not final to `last`.
    function _openSlots(uint32 finalThrough, uint32 last) private pure returns (uint256) {
        return last > finalThrough ? last - finalThrough : 0;
    }
}
