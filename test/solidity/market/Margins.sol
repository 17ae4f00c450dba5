// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Clearing} from "./Clearing.sol";

/// What settled slots take from accounts, beside what was bound for them.
abstract contract Margins is Clearing {
    /// Balances before slots are settled, and what these may take by `marginPerSlot` and trades; NO_PROMISE beyond the ratings.
    int256[8] private _before;
    int256[8] private _most;

    /// A slot takes from an account that keeps to its ratings at most what it binds: the point's margin per slot, and each trade's. What a
    /// trade's undelivered energy costs beyond the tariffs is not covered (IBilaterals), nor what lies beyond the ratings.
    function _checkMargin(uint32 slot, uint256 a, int256 delta, int256 unmet, bytes memory readings) internal {
        bool kept = _withinRating(readings, a);
        int256 ofTrades = _tradeMargin(slot, a);
        if (ofTrades == 0) unmet = 0;
        if (kept) require(delta + unmet >= -_perSlot(a) - ofTrades, "margin: a slot took more than it binds");
        _most[a] += kept ? int256(book.marginPerSlot(uint32(a))) + ofTrades + unmet : NO_PROMISE;
        if (delta >= 0) return;
        if (!kept || slot > marginedThrough[a]) unpromised[a] -= delta;
        else if (delta < -_perSlot(a)) unpromised[a] -= delta + _perSlot(a);
    }

    /// Before slots are settled.
    function _beforeSettling() internal {
        for (uint256 a = 0; a < zoneOf.length; ++a) (_before[a], _most[a]) = (ledger.balanceOf(uint32(a)), 0);
    }

    /// The same of the ledger and the order book themselves, over all slots that were settled together.
    function _checkTaken() internal view {
        for (uint256 a = 0; a < zoneOf.length; ++a) {
            int256 taken = _before[a] - ledger.balanceOf(uint32(a));
            require(taken <= _most[a], "margin: a slot took more than it binds");
        }
    }

    /// Margin that trades bound for this slot.
    function _tradeMargin(uint32 slot, uint256 a) private view returns (int256 nano) {
        for (uint256 i = 0; i < registered.length; ++i) {
            Registered storage r = registered[i];
            if (slot < r.trade.firstSlot || slot >= r.trade.firstSlot + r.trade.slots) continue;
            if (r.trade.seller == a) nano += r.sellerNano;
            if (r.trade.buyer == a) nano += r.buyerNano;
        }
    }

    function _withinRating(bytes memory readings, uint256 point) private view returns (bool) {
        if (8 * point >= readings.length) return true;
        uint64 raw;
        assembly ("memory-safe") {
            raw := shr(192, mload(add(add(readings, 32), shl(3, point))))
        }
        uint256 quality = raw >> 62;
        return quality == 3 || ((raw >> 31) % 2 ** 31 <= ratings[point][0] && raw % 2 ** 31 <= ratings[point][1]);
    }
}
