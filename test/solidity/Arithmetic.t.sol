// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingHarness} from "../../contracts/test/ClearingHarness.sol";
import {BalancePages} from "../../contracts/libraries/BalancePages.sol";
import {MarginPages} from "../../contracts/libraries/MarginPages.sol";
import {
    ClearingSubmission,
    MarketTerms,
    PriceBand,
    ZonePosting,
    ZoneTerms
} from "../../contracts/libraries/MarketTypes.sol";
import {OrderWord, OrderWordLibrary} from "../../contracts/libraries/OrderWord.sol";
import {PointWord, PointWordLibrary} from "../../contracts/libraries/PointWord.sol";
import {ReplayPages} from "../../contracts/libraries/ReplayPages.sol";
import {floorHalf} from "../proofs/arithmetic/Bits.sol";

/// What test/proofs states with division, against what the contracts do with bits and in assembly; and the inequalities proved
/// there, on the contracts' own functions.
contract ArithmeticTest {
    using BalancePages for mapping(uint256 page => uint256 pair);

    ClearingHarness private immutable _harness = new ClearingHarness();
    mapping(uint256 page => uint256 pair) private _balances;

    struct Slot {
        uint24 importWh;
        uint24 exportWh;
        uint24 tradeWh;
        int40 t;
        int40 f;
        uint256 price;
        uint256 position;
        uint256 metered;
        bool buys;
    }

    function testFuzz_FloorOfTheHalf(int256 x) external pure {
        require(floorHalf(x / 4) == (x / 4) >> 1, "half");
    }

    /// MovementProof.moves
    function testFuzz_Movement(int120 low, int128 high, int120 delta) external {
        int256 half = 2 ** 128;
        int256 highStored = high < 0 ? high + half : int256(high);
        _balances[0] = uint256(low < 0 ? low + half : int256(low));
        unchecked {
            _balances[0] += uint256(highStored) << 128;
            _balances.add(0, delta);
            int256 sum = int256(low) + delta;
            uint256 written = (uint256(highStored) << 128) + uint256(sum < 0 ? sum + half : sum);
            require(_balances[0] == written, "page");
        }
        require(_balances.get(0) == int256(low) + delta && _balances.get(1) == high, "balances");
    }

    /// LowestSequenceProof, MiddleSequenceProof, HighestSequenceProof, ReplayProof
    function testFuzz_Sequences(uint256 page, uint256 point, uint24 slot, uint8 sequence) external pure {
        sequence %= 16;
        uint256 unit = 16 ** ((point % ReplayPages.POINTS) + (slot % 2) * ReplayPages.POINTS);
        uint256 held = (page / unit) % 16;
        require(ReplayPages.sequenceOf(page, point, slot) == held, "sequence");
        unchecked {
            uint256 written = page - held * unit + uint256(sequence) * unit;
            require(ReplayPages.withSequence(page, ReplayPages.shiftOf(point, slot), sequence) == written, "written");
        }
        require(
            ReplayPages.isAhead(page, ReplayPages.shiftOf(point, slot), sequence) ==
                (sequence > held && sequence <= 15),
            "ahead"
        );
        require(!ReplayPages.isAhead(page, ReplayPages.shiftOf(point, slot), 16), "beyond the highest");
    }

    /// The cases of Margin.sol with a backup.
    function testFuzz_MarginCoversASlot(Slot memory s) external pure {
        if (s.t < 0 || s.f >= s.t) return;
        int256 gross = s.f + int256(s.price % uint256(int256(s.t) - s.f + 1));
        int256 d = _metered(s) - _position(s);
        int256 pay = _position(s) * gross + d * (d < 0 ? s.t : s.f);
        int256 margin = int256(MarginPages.perSlot(_pointOf(s), s.t, s.f));
        int256 formula = int256(uint256(s.importWh)) * s.t + int256(uint256(s.tradeWh)) * (int256(s.t) - s.f);
        if (s.f < 0) formula -= int256(uint256(s.exportWh)) * s.f;
        require(margin == formula, "formula");
        require(pay + margin >= 0, "not covered");
    }

    /// The cases of Margin.sol without a backup; `t` and `f` are the highest and the lowest limit.
    function testFuzz_UnbackedMarginCoversASlot(Slot memory s, uint32 spread, uint32 fee) external pure {
        if (s.f > s.t || fee > spread) return;
        int256 least = int256(s.f) - int256(uint256(fee));
        int256 price = least + int256(s.price % uint256(int256(s.t) - least + 1));
        int256 gross = price + int256(uint256(fee));
        int256 d = _metered(s) - _position(s);
        int256 pay = _position(s) * (s.buys ? gross : price);
        if (d < 0 && gross > 0) pay += d * gross;
        if (d > 0 && price < 0) pay += d * price;
        uint256 margin = MarginPages.perSlotUnbacked(_pointOf(s), s.t, s.f, int256(uint256(spread)));
        require(pay + int256(margin) >= 0, "not covered");
    }

    /// Net sold, within rating and trading limit.
    function _position(Slot memory s) private pure returns (int256) {
        uint256 rating = s.buys ? s.importWh : s.exportWh;
        int256 wh = int256(s.position % ((rating < s.tradeWh ? rating : s.tradeWh) + 1));
        return s.buys ? -wh : wh;
    }

    /// Net export, within the ratings.
    function _metered(Slot memory s) private pure returns (int256) {
        uint256 range = uint256(s.importWh) + s.exportWh + 1;
        return int256(s.metered % range) - int256(uint256(s.importWh));
    }

    function _pointOf(Slot memory s) private pure returns (PointWord) {
        return PointWordLibrary.pack(address(1), 0, s.importWh, s.exportWh, s.tradeWh, 0, 0);
    }

    /// ShareProof, RemainderProof, TotalProof: bids at the price share what is offered.
    function testFuzz_ProRata(uint16[6] calldata energies, uint32 offeredWh) external view {
        uint256 available;
        bytes memory book;
        for (uint256 i = 0; i < 6; ++i) {
            available += uint256(energies[i]) + 1;
            book = bytes.concat(book, _word(uint32(i), 0, uint32(energies[i]) + 1, 5));
        }
        uint256 total = 1 + (offeredWh % available);
        book = bytes.concat(book, _word(6, 1, uint32(total), 3));
        (, , bytes memory positions) = _harness.prove(_submission(book, total, total == available), 0, _market());
        uint256 rest = total;
        for (uint256 i = 0; i < 6; ++i) rest -= ((uint256(energies[i]) + 1) * total) / available;
        require(rest < 6, "remainder");
        for (uint256 i = 0; i < 6; ++i) {
            uint256 share = ((uint256(energies[i]) + 1) * total) / available;
            if (total != available && rest != 0) (share, rest) = (share + 1, rest - 1);
            require(share <= uint256(energies[i]) + 1, "more than ordered");
            require(_soldWh(positions, i) == -int256(share), "share");
        }
        require(_soldWh(positions, 6) == int256(total) && rest == 0, "offer");
    }

    function _submission(
        bytes memory book,
        uint256 total,
        bool whole
    ) private pure returns (ClearingSubmission memory s) {
        s.book = book;
        s.batches = hex"0007";
        s.postings = new ZonePosting[](1);
        // Not all bids filled: they set the price. All filled: the midpoint of 3 and 5.
        s.postings[0].price = whole ? int64(4) : int64(5);
        if (!whole) s.postings[0].marginalBidWh = uint64(total);
    }

    function _market() private pure returns (MarketTerms memory market) {
        market.zones = new ZoneTerms[](1);
        market.band = PriceBand(-100, 100, 0);
    }

    function _word(uint32 point, uint8 flags, uint32 energyWh, int40 price) private pure returns (bytes memory) {
        return abi.encodePacked(OrderWord.unwrap(OrderWordLibrary.pack(point, 1, 0, flags, energyWh, price)));
    }

    /// Bit 31 bought, bits 23..0 Wh.
    function _soldWh(bytes memory positions, uint256 point) private pure returns (int256) {
        uint256 wh;
        for (uint256 i = 1; i < 4; ++i) wh = wh * 256 + uint8(positions[4 * point + i]);
        return uint8(positions[4 * point]) > 127 ? -int256(wh) : int256(wh);
    }
}
