// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingExtras} from "../interfaces/IAuction.sol";
import {ExtraPayments} from "./ExtraPayments.sol";
import {PackedEnergy} from "./PackedEnergy.sol";
import {ZoneRow} from "./SlotPayments.sol";

/// What a sold Wh that is not delivered, or a bought Wh that is not used, pays on top of the tariff where a price lies beyond the tariffs
/// (decision 0012), so that deviating never pays there either. Nothing here can revert.
///
/// With P the position, trades included, g its net green sold, m the metered net export and d = m - P:
///
///     undelivered u = min(-d, P) for P > 0 > d: each Wh costs max(T, price + fee) instead of T
///     unused      u = min(d, -P) for P < 0 < d: each Wh earns min(F, price) instead of F
///
/// The price is the green price for the first min(u, |g|) Wh if g has the sign of P, and the zone price for the rest. What P does not
/// cover (using more than was bought, feeding in more than was sold) keeps T and F: who never trades pays exactly the tariff.
///
/// Deviating never pays: compare with the same slot, metered alike, where the u Wh (green ones first) were not traded.
/// - Undelivered: without them the account gets less by the sum of their prices, and pays at most u x fee more (if it is a net buyer in the
///   auction because it sold by bilateral trades). With them it pays at least price + fee for each: never less.
/// - Unused: without them the account pays less by the sum of their prices, and no more fee. With them it earns at most the price of each.
/// What is left of P is then delivered and used in full, and d - u, at the tariffs, is the same in both. A bilateral trade
/// counts as its zone's price: what its sides agreed is between themselves, so two sides together gain nothing either.
///
/// Margin (docs/clearing-proof.md, section 7): an undelivered Wh sold in the auction costs max(T - price, fee) net of its revenue and an
/// unused one max(price - F, 0) + fee, and filled orders have F <= price <= T - fee on the side that can hurt: at most T - F each.
library UnmetTrades {
    /// Takes it from `slot.deltas`, for a slot on readings after all other payments. The members' account gets the sum.
    function charge(
        ExtraPayments.Slot memory slot,
        ClearingExtras memory extras
    ) internal pure returns (int256 chargedNano) {
        unchecked {
            int256[] memory soldWh = ExtraPayments.tradedWh(slot, extras);
            for (uint256 point = 0; point < soldWh.length; ++point) {
                int256 position = PackedEnergy.positionOfMemory(slot.positions, point) + soldWh[point];
                if (position == 0) continue;
                int256 metered = ExtraPayments.meteredWh(slot.readings, point, position);
                int256 greenWh = PackedEnergy.positionOfMemory(extras.green, point);
                int256 nano = _extra(ExtraPayments.rowOf(slot.rows, point), position, metered, greenWh);
                slot.deltas[point] -= int128(nano); // [88]
                chargedNano += nano;
            }
        }
    }

    /// What one point pays more, at least zero.
    function _extra(
        ZoneRow memory row,
        int256 position,
        int256 metered,
        int256 greenWh
    ) private pure returns (int256 nano) {
        unchecked {
            int256 unmet;
            int256 each;
            int256 eachGreen;
            if (position > 0) {
                unmet = position - (metered < 0 ? int256(0) : metered);
                each = row.buyPrice - row.deficitPrice;
                eachGreen = each + row.premium;
            } else {
                unmet = (metered > 0 ? int256(0) : metered) - position;
                each = row.surplusPrice - row.sellPrice;
                eachGreen = each - row.premium;
                greenWh = -greenWh;
            }
            if (unmet <= 0) return 0;
            if (greenWh < 0) greenWh = 0;
            if (greenWh > unmet) greenWh = unmet;
            if (each > 0) nano = (unmet - greenWh) * each;
            if (eachGreen > 0) nano += greenWh * eachGreen;
        }
    }
}
