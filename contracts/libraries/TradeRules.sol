// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IBilaterals, Trade} from "../interfaces/IBilaterals.sol";
import {PointWord} from "./PointWord.sol";
import {SlotTime} from "./SlotTime.sol";
import {TermsWord} from "./TermsWord.sol";

/// What a bilateral trade must keep to by itself, and the margin that it binds (the argument stands in IBilaterals).
library TradeRules {
    uint256 internal constant LEAST_WH = 50;
    /// Units by which zone prices of a meshed network may differ more than a trade wants.
    int256 internal constant TOLERANCE = 2;

    /// What bounds prices and imbalance, micro-token per kWh.
    struct Bounds {
        int256 highestDeficit;
        int256 lowestSurplus;
    }

    function checkSides(Trade calldata trade, PointWord seller, PointWord buyer) internal pure {
        if (trade.seller == trade.buyer) revert IBilaterals.TradeWithItself(trade.seller);
        if (trade.energyWh < LEAST_WH || trade.slots == 0)
            revert IBilaterals.TradeTooSmall(trade.energyWh, trade.slots);
        if (trade.energyWh > seller.exportLimitWh())
            revert IBilaterals.TradeBeyondRating(trade.seller, trade.energyWh, seller.exportLimitWh());
        if (trade.energyWh > buyer.importLimitWh())
            revert IBilaterals.TradeBeyondRating(trade.buyer, trade.energyWh, buyer.importLimitWh());
    }

    /// One slot of it: its terms, band, and the tariffs where a delegate consented.
    function checkSlot(
        Trade calldata trade,
        uint32 slot,
        TermsWord terms,
        bool sellerDelegated,
        bool buyerDelegated
    ) internal pure {
        if (!terms.isPublished()) revert IBilaterals.TermsNotPublished(slot);
        int256 price = trade.priceMicroPerKwh;
        if (price < terms.bandMin() || price > terms.bandMax())
            revert IBilaterals.PriceOutside(slot, price, terms.bandMin(), terms.bandMax());
        (int256 received, int256 paid) = worstPrices(trade);
        if (sellerDelegated && received < terms.exportTariff())
            revert IBilaterals.PriceOutside(slot, received, terms.exportTariff(), terms.importTariff());
        if (buyerDelegated && paid > terms.importTariff())
            revert IBilaterals.PriceOutside(slot, paid, terms.exportTariff(), terms.importTariff());
    }

    /// The least that the seller gets and the most that the buyer pays, but for the tolerance.
    function worstPrices(Trade calldata trade) internal pure returns (int256 received, int256 paid) {
        received = trade.priceMicroPerKwh;
        paid = trade.priceMicroPerKwh;
        if (trade.sellerBearsSpread) received -= trade.maxSpreadMicroPerKwh;
        else paid += trade.maxSpreadMicroPerKwh;
    }

    /// Margin per slot, nano-token. Energy has 24 bits, a price and a bound at most 43: 96 bits hold it.
    function marginOf(
        Trade calldata trade,
        Bounds memory seller,
        Bounds memory buyer
    ) internal pure returns (uint96 sellerNano, uint96 buyerNano) {
        (int256 received, int256 paid) = worstPrices(trade);
        int256 atSeller = seller.highestDeficit - received + TOLERANCE;
        int256 atBuyer = paid - buyer.lowestSurplus + TOLERANCE;
        if (atSeller > 0) sellerNano = uint96(uint256(atSeller) * trade.energyWh); // [85]
        if (atBuyer > 0) buyerNano = uint96(uint256(atBuyer) * trade.energyWh);
    }

    function lastSlot(Trade calldata trade) internal pure returns (uint32) {
        return trade.firstSlot + trade.slots - 1;
    }

    /// First slot of the trade whose gate is open; one beyond the last when none is.
    function firstOpen(Trade calldata trade) internal view returns (uint32 slot) {
        slot = trade.firstSlot;
        uint32 last = lastSlot(trade);
        while (slot <= last && block.timestamp > SlotTime.gateOf(slot)) ++slot;
    }
}
