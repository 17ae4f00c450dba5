// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {SlotTerms} from "../libraries/MarketTypes.sol";
import {TermsWord} from "../libraries/TermsWord.sol";

/// @title Tariffs, fee and price band of every slot: published before the slot's book opens, never changed after.
/// A book opens when its terms are published.
interface ITariffs {
    /// Once, when the contract is made.
    event WordFeeSet(uint32 wordFeeNano);
    event PenaltySet(uint32 penaltyPrice);
    event TermsPublished(uint32 indexed firstSlot, SlotTerms[] terms);

    error AlreadyPublished(uint32 slot);
    error SlotOver(uint32 slot);
    error TooFarAhead(uint32 slot, uint32 latest);
    error TariffsCross(uint32 slot, int40 importTariff, uint32 fee, int40 exportTariff);
    error OutsideBounds(uint32 slot, int40 value, int40 lowest, int40 highest);
    error NotPublished(uint32 slot);
    /// The terms would take the place of those of a slot that is not final yet.
    error TooManyOpenSlots(uint32 slot, uint32 firstOpen);

    /// Dynamic tariffs govern the first or the last of these slots: nobody publishes them by hand.
    error GovernedSlot(uint32 firstSlot, uint32 lastSlot);

    /// Publishes terms of consecutive slots. Restricted to publishers: the grid operator, and dynamic tariffs, which alone
    /// publish where they are switched on. Refused unless export < import - fee, and for slots that lie a whole ring (256 slots)
    /// after the first one that is not final.
    function publish(uint32 firstSlot, SlotTerms[] calldata terms) external;

    function termsOf(uint32 slot) external view returns (SlotTerms memory);
    /// The terms as one word (TermsWord); 0 when none are published. A slot without terms takes no orders and pays nothing.
    function wordOf(uint32 slot) external view returns (TermsWord);
    /// `wordOf` for many slots.
    function wordsOf(uint32[] calldata slots) external view returns (uint256[] memory);
    function isPublished(uint32 slot) external view returns (bool);
    /// No import tariff is ever above this (bounds the margin), micro-token per kWh.
    function highestImportTariff() external view returns (int40);
    /// No export tariff is ever below this (bounds the margin), micro-token per kWh.
    function lowestExportTariff() external view returns (int40);
    /// No band is ever wider than this, micro-token per kWh.
    function lowestPrice() external view returns (int40);
    function highestPrice() external view returns (int40);
    /// What every word of a cleared book pays to whoever cleared it, nano-token. Never changes: margins count with it.
    function wordFeeNano() external view returns (uint32);
    /// What every metered Wh beyond an operating envelope costs (EnvelopeCharges), micro-token per kWh. Never changes either.
    function penaltyPrice() external view returns (uint32);
    function settlement() external view returns (address);
    /// IDynamicTariffs of this market, for ever; zero where there are none.
    function dynamicTariffs() external view returns (address);
}
