// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IOrderBook, SignedOrder, Step} from "../../../contracts/interfaces/IOrderBook.sol";
import {SlotTerms} from "../../../contracts/libraries/MarketTypes.sol";
import {Cheats, CHEATS} from "./Cheats.sol";
import {Ghost} from "./Ghost.sol";

/// Terms and orders: what is appended, by whom, and what the book must make of it.
abstract contract Orders is Ghost {
    bytes32 private constant STEP = keccak256("Step(bool sell,bool green,uint32 energyWh,int40 priceMicroPerKwh)");
    bytes32 private constant ORDER = keccak256(
        "Order(uint32 point,uint32 slot,uint8 sequence,Step[] steps)"
        "Step(bool sell,bool green,uint32 energyWh,int40 priceMicroPerKwh)"
    );

    struct Draft {
        uint32 point;
        uint8 sequence;
        uint256 steps;
        bool mixed;
        uint256 bidWh;
        uint256 offerWh;
        bytes words;
        bytes32[] hashes;
        bytes packedSteps;
        Step[] list;
        bytes signature;
        IOrderBook.Skip predicted;
    }

    /// Orders of one to three points for one of the next slots.
    function order(uint256 seed) public {
        _goTo(now_);
        uint32 slot = _current() + 1 + uint32(_pick(seed, 1, 3));
        if (now_ > _gate(slot)) ++slot;
        _publishThrough(slot);
        Draft[] memory drafts = new Draft[](1 + _pick(seed, 2, 3));
        bytes memory packed;
        SignedOrder[] memory plain = new SignedOrder[](drafts.length);
        for (uint256 i = 0; i < drafts.length; ++i) {
            Draft memory d = _draft(uint256(keccak256(abi.encode(seed, i))), slot);
            packed = bytes.concat(packed, _packed(d, slot));
            plain[i] = SignedOrder(d.point, slot, d.sequence, d.list, address(0), d.signature);
            drafts[i] = d;
        }
        CHEATS.recordLogs();
        if (_pick(seed, 3, 4) == 0) book.append(slot, plain);
        else book.appendPacked(slot, packed);
        _take(slot, drafts, CHEATS.getRecordedLogs());
        _count("order");
    }

    /// Terms of all slots up to this one, each drawn by its number.
    function _publishThrough(uint32 slot) internal {
        if (unpublished < _current()) unpublished = _current();
        if (slot < unpublished) return;
        SlotTerms[] memory terms = new SlotTerms[](slot + 1 - unpublished);
        for (uint32 i = 0; i < terms.length; ++i) {
            uint256 seed = unpublished + i;
            terms[i] = SlotTerms({
                importTariff: _pick(seed, 1, 2) == 0 ? int40(300_000) : int40(400_000),
                exportTariff: int40(int256(_pick(seed, 2, 3)) * 50_000 - 40_000),
                fee: uint32(20_000 * _pick(seed, 3, 3)),
                bandMin: -500_000,
                bandMax: 1_000_000,
                reference_: 150_000
            });
            slots[unpublished + i].terms = terms[i];
            slots[unpublished + i].published = true;
        }
        CHEATS.prank(OPERATOR_QUORUM);
        tariffs.publish(unpublished, terms);
        unpublished = slot + 1;
    }

    function _draft(uint256 seed, uint32 slot) private view returns (Draft memory d) {
        d.point = uint32(_pick(seed, 10, zoneOf.length));
        uint8 last = sequences[slot][d.point];
        // Now and then one that was taken before, or never could be.
        d.sequence = _pick(seed, 11, 6) == 0 ? uint8(_pick(seed, 12, last + 1)) : last + 1;
        d.steps = _pick(seed, 13, 8) == 0 ? 0 : 1 + _pick(seed, 14, 3);
        d.hashes = new bytes32[](d.steps);
        d.list = new Step[](d.steps);
        uint256 kind = _pick(seed, 15, 5);
        d.mixed = kind == 4;
        for (uint256 i = 0; i < d.steps; ++i) {
            // Two fifths sell, two fifths buy, one does both.
            bool sell = kind < 2 || (kind == 4 && i == 0);
            _addStep(d, sell, uint256(keccak256(abi.encode(seed, i))));
        }
        if (d.steps == 0) d.words = _word(d, 0, 0, 0);
        d.predicted = _predict(d, slot);
    }

    function _addStep(Draft memory d, bool sell, uint256 seed) private view {
        uint24[3] storage r = ratings[d.point];
        uint256 most = r[sell ? 1 : 0] < r[2] ? r[sell ? 1 : 0] : r[2];
        uint32 energyWh = uint32(50 + _pick(seed, 20, (most < 150 ? 150 : most) / 3 - 49));
        // Few prices, so that equal ones are common.
        int40 price = int40(int256(_pick(seed, 21, 17)) * 20_000) + 10_000;
        // An order on both sides offers above what it bids.
        if (d.mixed) price = sell ? 170_000 + price / 2 : price / 2;
        bool green = _pick(seed, 23, 3) == 0;
        uint8 flags = (sell ? 1 : 0) | (green ? 2 : 0);
        if (sell) d.offerWh += energyWh;
        else d.bidWh += energyWh;
        d.words = bytes.concat(d.words, _word(d, flags, energyWh, price));
        d.packedSteps = bytes.concat(d.packedSteps, abi.encodePacked(flags, energyWh, price));
        for (uint256 i = 0; i < d.hashes.length; ++i) {
            if (d.hashes[i] != 0) continue;
            d.list[i] = Step(sell, green, energyWh, price);
            d.hashes[i] = keccak256(abi.encode(STEP, sell, green, energyWh, price));
            break;
        }
    }

    /// The word as it must stand in the book: with the point's zone and class.
    function _word(Draft memory d, uint8 flags, uint32 energyWh, int40 price) private view returns (bytes memory) {
        flags |= priorities[d.point] << 2;
        return abi.encodePacked(d.point, d.sequence, zoneOf[d.point], flags, energyWh, price);
    }

    /// What the book must answer, but for the margin of an account that is not suspended.
    function _predict(Draft memory d, uint32 slot) private view returns (IOrderBook.Skip) {
        if (state != 0 && d.steps != 0) return IOrderBook.Skip.MarketHalted;
        if (d.sequence <= sequences[slot][d.point] || d.sequence > 15) return IOrderBook.Skip.Replayed;
        uint24[3] storage r = ratings[d.point];
        if (d.bidWh > r[0] || d.bidWh > r[2] || d.offerWh > r[1] || d.offerWh > r[2]) return IOrderBook.Skip.OverRating;
        if (standings[d.point].since != 0 && d.steps != 0) return IOrderBook.Skip.MarginTooLow;
        return IOrderBook.Skip.None;
    }

    function _packed(Draft memory d, uint32 slot) private view returns (bytes memory) {
        bytes32 hash = keccak256(abi.encode(ORDER, d.point, slot, d.sequence, keccak256(abi.encodePacked(d.hashes))));
        d.signature = _sign(ownerKeys[d.point], _typed(address(book), hash));
        return abi.encodePacked(d.point, d.sequence, uint8(d.steps), uint16(65), d.packedSteps, d.signature);
    }

    /// Goes through drafts and events side by side.
    function _take(uint32 slot, Draft[] memory drafts, Cheats.Log[] memory logs) private {
        bytes memory words;
        uint256 next;
        for (uint256 i = 0; i < drafts.length; ++i) {
            Draft memory d = drafts[i];
            // A draft before it in the same batch may have used the sequence.
            d.predicted = _predict(d, slot);
            uint32 throughBefore = marginedThrough[d.point];
            while (next < logs.length && logs[next].topics[0] == IOrderBook.MarginExtended.selector) {
                if (uint256(logs[next].topics[1]) != d.point) break;
                _extend(d.point, abi.decode(logs[next].data, (uint32)), slot);
                ++next;
            }
            IOrderBook.Skip skip = _skipOf(logs, next, d);
            if (skip != IOrderBook.Skip.None) {
                ++next;
                _count(skip == IOrderBook.Skip.Replayed ? bytes32("replayed") : bytes32("skipped"));
                continue;
            }
            require(d.predicted == IOrderBook.Skip.None, "replay, suspension, halt: an order was taken");
            require(d.steps == 0 || slot <= marginedThrough[d.point], "margin: an order without margin");
            require(d.steps == 0 || !dropped[d.point], "margin: an order on a margin that was dropped");
            require(d.steps != 0 || marginedThrough[d.point] == throughBefore, "margin: a cancellation extends it");
            sequences[slot][d.point] = d.sequence;
            words = bytes.concat(words, d.words);
        }
        require(
            next == logs.length || logs[next].topics[0] == IOrderBook.Appended.selector,
            "orders: skipped for another reason"
        );
        if (words.length == 0) return;
        _fold(slot, words);
    }

    /// The margin of an order: balance and credit, less what trades bind, hold the worst of every slot not final up to it.
    function _extend(uint32 point, uint32 through, uint32 slot) private {
        require(through >= slot && through >= marginedThrough[point], "margin: extended backwards");
        require(standings[point].since == 0, "suspended: a position extended");
        int256 backing = balances[point] + standings[point].credit - _boundByTrades(point);
        require(backing >= _openSlots(through) * _perSlot(point), "margin: extended beyond the balance");
        marginedThrough[point] = through;
        unpromised[point] = 0;
        dropped[point] = false;
        _count("extended");
    }

    function _skipOf(Cheats.Log[] memory logs, uint256 next, Draft memory d) private pure returns (IOrderBook.Skip) {
        if (next >= logs.length || logs[next].topics[0] != IOrderBook.OrderSkipped.selector)
            return IOrderBook.Skip.None;
        (uint8 sequence, IOrderBook.Skip reason) = abi.decode(logs[next].data, (uint8, IOrderBook.Skip));
        if (uint256(logs[next].topics[2]) != d.point || sequence != d.sequence) return IOrderBook.Skip.None;
        // Not when it was about a later order of the batch, by the same point and with the same sequence: that one was taken before it.
        bool expected =
            reason == d.predicted || (reason == IOrderBook.Skip.MarginTooLow && d.predicted == IOrderBook.Skip.None);
        return expected ? reason : IOrderBook.Skip.None;
    }

    function _fold(uint32 slot, bytes memory words) private {
        Slot storage s = slots[slot];
        if (s.bookHash == 0) s.bookHash = _short(keccak256(abi.encode(block.chainid, address(book), slot)));
        s.bookHash = _short(keccak256(bytes.concat(s.bookHash, words)));
        s.book = bytes.concat(s.book, words);
        s.batches = bytes.concat(s.batches, bytes2(uint16(words.length / 16)));
        _count("appended");
    }

    function _short(bytes32 hash) internal pure returns (bytes32) {
        return (hash >> 48) << 48;
    }

    /// Margin that bilateral trades of the point bind.
    function _boundByTrades(uint256 point) internal view virtual returns (int256);
}
