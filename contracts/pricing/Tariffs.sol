// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IDynamicTariffs} from "../interfaces/IDynamicTariffs.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {EnvelopeCharges} from "../libraries/EnvelopeCharges.sol";
import {SlotTerms} from "../libraries/MarketTypes.sol";
import {SlotRing} from "../libraries/SlotRing.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {TermsWord, TermsWordLibrary} from "../libraries/TermsWord.sol";

/// See ITariffs for what each function does.
contract Tariffs is ITariffs, AccessManaged {
    int40 public immutable highestImportTariff;
    int40 public immutable lowestExportTariff;
    int40 public immutable lowestPrice;
    int40 public immutable highestPrice;
    uint32 public immutable wordFeeNano;
    uint32 public immutable penaltyPrice;
    address public immutable settlement;
    address public immutable dynamicTariffs;

    mapping(uint256 ringIndex => uint256 word) private _ring;

    error BoundsCross(int40 lowest, int40 highest);
    error PenaltyTooHigh(uint32 price, uint256 highest);

    constructor(
        address manager,
        int40 highestImportTariff_,
        int40 lowestExportTariff_,
        int40 lowestPrice_,
        int40 highestPrice_,
        uint32 wordFeeNano_,
        uint32 penaltyPrice_,
        address settlement_,
        address dynamicTariffs_
    ) AccessManaged(manager) {
        if (lowestExportTariff_ >= highestImportTariff_) revert BoundsCross(lowestExportTariff_, highestImportTariff_);
        if (lowestPrice_ >= highestPrice_) revert BoundsCross(lowestPrice_, highestPrice_);
        highestImportTariff = highestImportTariff_;
        lowestExportTariff = lowestExportTariff_;
        lowestPrice = lowestPrice_;
        highestPrice = highestPrice_;
        if (penaltyPrice_ > EnvelopeCharges.HIGHEST_PRICE) {
            revert PenaltyTooHigh(penaltyPrice_, EnvelopeCharges.HIGHEST_PRICE);
        }
        wordFeeNano = wordFeeNano_;
        penaltyPrice = penaltyPrice_;
        settlement = settlement_;
        dynamicTariffs = dynamicTariffs_;
        emit WordFeeSet(wordFeeNano_);
        emit PenaltySet(penaltyPrice_);
    }

    function publish(uint32 firstSlot, SlotTerms[] calldata terms) external restricted {
        uint32 current = SlotTime.current();
        uint32 latest = current + uint32(SlotTime.AHEAD_SLOTS);
        uint32 finalThrough = ISettlement(settlement).finalThrough();
        _onlyByRule(firstSlot, terms.length);
        for (uint32 i = 0; i < terms.length; ++i) {
            uint32 slot = firstSlot + i;
            if (slot < current) revert SlotOver(slot);
            if (slot > latest) revert TooFarAhead(slot, latest);
            if (slot > finalThrough + SlotTime.RING) revert TooManyOpenSlots(slot, finalThrough + 1);
            if (wordOf(slot).isPublished()) revert AlreadyPublished(slot);
            _check(slot, terms[i]);
            _ring[slot % SlotTime.RING] = TermsWord.unwrap(TermsWordLibrary.pack(slot, terms[i]));
        }
        emit TermsPublished(firstSlot, terms);
    }

    function termsOf(uint32 slot) external view returns (SlotTerms memory) {
        TermsWord word = wordOf(slot);
        if (!word.isPublished()) revert NotPublished(slot);
        return word.unpack();
    }

    function isPublished(uint32 slot) external view returns (bool) {
        return wordOf(slot).isPublished();
    }

    function wordOf(uint32 slot) public view returns (TermsWord word) {
        word = TermsWord.wrap(_ring[slot % SlotTime.RING]);
        if (word.slot() != slot) word = TermsWord.wrap(0);
    }

    function wordsOf(uint32[] calldata slots) external view returns (uint256[] memory) {
        return SlotRing.read(_ring, slots, 232, type(uint24).max, 0);
    }

    /// What dynamic tariffs govern is published by them alone, else whoever has the role could set prices by hand.
    function _onlyByRule(uint32 firstSlot, uint256 slots) private view {
        address rule = dynamicTariffs;
        if (rule == address(0) || msg.sender == rule || slots == 0) return;
        uint32 lastSlot = uint32(firstSlot + slots - 1);
        if (IDynamicTariffs(rule).governs(firstSlot, lastSlot)) revert GovernedSlot(firstSlot, lastSlot);
    }

    function _check(uint32 slot, SlotTerms calldata terms) private view {
        _within(slot, terms.importTariff, lowestExportTariff, highestImportTariff);
        _within(slot, terms.exportTariff, lowestExportTariff, highestImportTariff);
        if (int256(terms.exportTariff) >= int256(terms.importTariff) - int256(uint256(terms.fee))) {
            revert TariffsCross(slot, terms.importTariff, terms.fee, terms.exportTariff);
        }
        _within(slot, terms.bandMin, lowestPrice, highestPrice);
        _within(slot, terms.bandMax, terms.bandMin, highestPrice);
        // What an island without backup pays at most, price and fee: the emergency price.
        _within(slot, terms.bandMax + int40(uint40(terms.fee)), terms.bandMin, highestPrice);
        _within(slot, terms.reference_, terms.bandMin, terms.bandMax);
    }

    function _within(uint32 slot, int40 value, int40 lowest, int40 highest) private pure {
        if (value < lowest || value > highest) revert OutsideBounds(slot, value, lowest, highest);
    }
}
