// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {
    ClearingSubmission,
    GreenPosting,
    MarketTerms,
    NetworkDuals,
    TradeTerms,
    ZonePosting,
    ZoneTerms
} from "../../../contracts/libraries/MarketTypes.sol";
import {Flow} from "./Flow.sol";
import {Order, RandomMarket} from "./RandomMarket.sol";

/// The optimum of docs/clearing-proof.md by its text alone: a cheapest circulation over the market (node 0), the zones and one node
/// for certificates per island; prices from shortest paths in what is left of it.
library Optimum {
    using Flow for Flow.Network;

    /// One micro-token per kWh outweighs all volume that a cycle can move.
    int256 private constant VALUE = 1_000;

    struct Solution {
        ClearingSubmission submission;
        int256 welfareNano;
        uint256 boughtWh;
        uint256 soldBackupWh;
        uint256 boughtBackupWh;
        /// Lowest and highest price of the dual face, at the smallest premium; +-FAR where open.
        int256[] lowest;
        int256[] highest;
    }

    struct Work {
        Flow.Network net;
        /// Value of a Wh on every arc.
        int256[] values;
        uint256[] roots;
        bool[] backed;
        uint256 zones;
        /// Indices of the first arc of backups, trades, lines.
        uint256 backups;
        uint256 trades;
        int256[] gamma;
        int256[] prices;
    }

    function of_(RandomMarket.Case memory c) internal pure returns (Solution memory s) {
        Work memory w = _build(c);
        w.net.solve();
        _readFills(c, w, s);
        for (uint256 i = 0; i < w.net.count; ++i) w.net.arcs[i].cost = -w.values[i];
        _setPremium(w);
        s.lowest = w.net.distances(0, true);
        s.highest = w.net.distances(0, false);
        for (uint256 v = 0; v < s.lowest.length; ++v) s.lowest[v] = -s.lowest[v];
        _setPrices(c, w, s);
        _post(c, w, s);
    }

    function _build(RandomMarket.Case memory c) private pure returns (Work memory w) {
        uint256 zones = c.market.zones.length;
        w.zones = zones;
        w.net = Flow.create(1 + 2 * zones, c.orders.length + 8 * zones + c.market.trades.length);
        w.values = new int256[](w.net.arcs.length);
        w.roots = new uint256[](zones);
        w.backed = new bool[](zones);
        w.gamma = new int256[](zones);
        w.prices = new int256[](zones);
        for (uint256 z = 0; z < zones; ++z) {
            ZoneTerms memory term = c.market.zones[z];
            w.roots[z] = term.parent == z ? z : w.roots[term.parent];
            if (term.hasBackup) w.backed[w.roots[z]] = true;
        }
        for (uint256 i = 0; i < c.orders.length; ++i) {
            Order memory order = c.orders[i];
            uint256 zone = 1 + uint256(order.zone);
            uint256 market = c.green && order.green ? 1 + zones + w.roots[order.zone] : 0;
            int256 limit = limitOf(c, w, order);
            if (order.sell) _add(w, market, zone, order.energyWh, -limit, 2);
            else _add(w, zone, market, order.energyWh, limit, 2);
        }
        w.backups = w.net.count;
        for (uint256 z = 0; z < zones; ++z) {
            ZoneTerms memory term = c.market.zones[z];
            uint256 capacity = term.hasBackup ? term.backupCapacityWh : 0;
            _add(w, 0, 1 + z, capacity, int256(term.fee) - term.backupSell, 1);
            _add(w, 1 + z, 0, capacity, term.backupBuy, 1);
        }
        w.trades = w.net.count;
        for (uint256 i = 0; i < c.market.trades.length; ++i) {
            TradeTerms memory trade = c.market.trades[i];
            uint256 capacity = w.roots[trade.from] == w.roots[trade.to] ? trade.limitWh : 0;
            _add(w, 1 + uint256(trade.to), 1 + uint256(trade.from), capacity, trade.maxSpread, 4);
        }
        for (uint256 z = 0; z < zones; ++z) {
            ZoneTerms memory term = c.market.zones[z];
            if (term.parent == z) {
                // Green energy that nobody takes as such.
                _add(w, 0, 1 + zones + z, uint256(Flow.FAR), 0, 0);
                continue;
            }
            _add(w, 1 + z, 1 + uint256(term.parent), term.toParentWh, 0, 0);
            _add(w, 1 + uint256(term.parent), 1 + z, term.fromParentWh, 0, 0);
        }
    }

    function _add(Work memory w, uint256 from, uint256 to, uint256 capacity, int256 value, int256 volume) private pure {
        uint256 arc = w.net.add(from, to, capacity, -value * VALUE - volume);
        w.values[arc] = value;
    }

    /// Limit in the zone's own price: tariffs bound it where there is a backup, a bid's is net of the fee.
    function limitOf(
        RandomMarket.Case memory c,
        Work memory w,
        Order memory order
    ) internal pure returns (int256 limit) {
        limit = order.price;
        uint256 root = w.roots[order.zone];
        if (w.backed[root]) {
            (int256 sell, int256 buy) = _tariffsOf(c, w, root);
            if (!order.sell && limit > sell) limit = sell;
            if (order.sell && limit < buy) limit = buy;
        }
        if (!order.sell) limit -= c.market.zones[order.zone].fee;
    }

    function _tariffsOf(
        RandomMarket.Case memory c,
        Work memory w,
        uint256 root
    ) private pure returns (int256 sell, int256 buy) {
        for (uint256 z = 0; z < w.zones; ++z) {
            ZoneTerms memory term = c.market.zones[z];
            if (w.roots[z] == root && term.hasBackup) return (term.backupSell, term.backupBuy);
        }
    }

    function _readFills(RandomMarket.Case memory c, Work memory w, Solution memory s) private pure {
        for (uint256 i = 0; i < w.net.count; ++i) {
            s.welfareNano += w.values[i] * int256(w.net.arcs[i].flow);
        }
        for (uint256 i = 0; i < c.orders.length; ++i) {
            if (!c.orders[i].sell) s.boughtWh += w.net.arcs[i].flow;
        }
        for (uint256 z = 0; z < w.zones; ++z) {
            s.soldBackupWh += w.net.arcs[w.backups + 2 * z].flow;
            s.boughtBackupWh += w.net.arcs[w.backups + 2 * z + 1].flow;
        }
    }

    /// The smallest premium: certificates have the price -gamma, at most 0, and as high as the rest allows. Then it is fixed.
    function _setPremium(Work memory w) private pure {
        int256[] memory highest = w.net.distances(0, false);
        for (uint256 z = 0; z < w.zones; ++z) {
            if (w.roots[z] != z) continue;
            w.gamma[z] = -highest[1 + w.zones + z];
            _addFixed(w, 0, 1 + w.zones + z, -w.gamma[z]);
            _addFixed(w, 1 + w.zones + z, 0, w.gamma[z]);
        }
    }

    function _addFixed(Work memory w, uint256 from, uint256 to, int256 cost) private pure {
        w.net.add(from, to, 1, cost);
    }

    function _setPrices(RandomMarket.Case memory c, Work memory w, Solution memory s) private pure {
        int256[] memory lo = new int256[](w.zones);
        int256[] memory hi = new int256[](w.zones);
        for (uint256 z = 0; z < w.zones; ++z) {
            uint256 root = w.roots[z];
            (int256 least, int256 most) = _known(c, w, s, root);
            lo[z] = s.lowest[1 + z] > -Flow.FAR ? s.lowest[1 + z] : least;
            hi[z] = s.highest[1 + z] < Flow.FAR ? s.highest[1 + z] : most;
            if (w.backed[root]) {
                (int256 sell, int256 buy) = _tariffsOf(c, w, root);
                int256 ceiling = sell - c.market.zones[root].fee;
                lo[z] = _clamp(lo[z], buy - w.gamma[root], ceiling);
                hi[z] = _clamp(hi[z], buy - w.gamma[root], ceiling);
            }
        }
        _close(w, lo, hi);
        for (uint256 z = 0; z < w.zones; ++z) {
            lo[z] = _clamp(lo[z], s.lowest[1 + z], s.highest[1 + z]);
            hi[z] = _clamp(hi[z], s.lowest[1 + z], s.highest[1 + z]);
            int256 sum = lo[z] + hi[z];
            w.prices[z] = sum >= 0 || sum % 2 == 0 ? sum / 2 : sum / 2 - 1;
        }
    }

    /// Lowest and highest known value of an island, or the reference price.
    function _known(
        RandomMarket.Case memory c,
        Work memory w,
        Solution memory s,
        uint256 root
    ) private pure returns (int256 least, int256 most) {
        (least, most) = (Flow.FAR, -Flow.FAR);
        for (uint256 z = 0; z < w.zones; ++z) {
            if (w.roots[z] != root) continue;
            (int256 lo, int256 hi) = (s.lowest[1 + z], s.highest[1 + z]);
            if (lo > -Flow.FAR) (least, most) = (lo < least ? lo : least, lo > most ? lo : most);
            if (hi < Flow.FAR) (least, most) = (hi < least ? hi : least, hi > most ? hi : most);
        }
        if (least == Flow.FAR) (least, most) = (c.market.band.reference_, c.market.band.reference_);
    }

    /// Carries both ends along lines with room and trades, zone to zone.
    function _close(Work memory w, int256[] memory lo, int256[] memory hi) private pure {
        for (uint256 round = 0; round <= w.zones; ++round) {
            for (uint256 i = w.trades; i < w.net.count; ++i) {
                Flow.Arc memory arc = w.net.arcs[i];
                if (arc.from == 0 || arc.to == 0 || arc.from > w.zones || arc.to > w.zones) continue;
                if (arc.flow < arc.capacity) _relax(lo, hi, arc.from - 1, arc.to - 1, arc.cost);
                if (arc.flow > 0) _relax(lo, hi, arc.to - 1, arc.from - 1, -arc.cost);
            }
        }
    }

    /// price[b] <= price[a] + cost
    function _relax(int256[] memory lo, int256[] memory hi, uint256 a, uint256 b, int256 cost) private pure {
        if (hi[a] + cost < hi[b]) hi[b] = hi[a] + cost;
        if (lo[b] - cost > lo[a]) lo[a] = lo[b] - cost;
    }

    function _clamp(int256 value, int256 least, int256 most) private pure returns (int256) {
        return value < least ? least : (value > most ? most : value);
    }

    function _post(RandomMarket.Case memory c, Work memory w, Solution memory s) private pure {
        ClearingSubmission memory submission = s.submission;
        uint256 words = c.book.length / 16;
        submission.book = c.book;
        submission.batches = words == 0 ? bytes("") : abi.encodePacked(uint16(words));
        submission.postings = new ZonePosting[](w.zones);
        submission.green = new GreenPosting[](c.green ? w.zones : 0);
        for (uint256 z = 0; z < w.zones; ++z) {
            ZonePosting memory posting = submission.postings[z];
            posting.price = int64(w.prices[z]);
            posting.backupSoldWh = uint64(w.net.arcs[w.backups + 2 * z].flow);
            posting.backupBoughtWh = uint64(w.net.arcs[w.backups + 2 * z + 1].flow);
            if (c.green) submission.green[z].price = int64(w.prices[z] + w.gamma[w.roots[z]]);
        }
        for (uint256 i = 0; i < c.orders.length; ++i) _postMargin(c, w, submission, i);
        submission.tradesWh = new uint64[](c.market.trades.length);
        for (uint256 i = 0; i < c.market.trades.length; ++i) {
            submission.tradesWh[i] = uint64(w.net.arcs[w.trades + i].flow);
        }
        submission.duals = NetworkDuals(new int128[](0));
    }

    function _postMargin(
        RandomMarket.Case memory c,
        Work memory w,
        ClearingSubmission memory submission,
        uint256 i
    ) private pure {
        Order memory order = c.orders[i];
        uint64 filledWh = uint64(w.net.arcs[i].flow);
        int256 limit = limitOf(c, w, order);
        if (c.green && order.green) {
            GreenPosting memory green = submission.green[order.zone];
            if (limit != green.price) return;
            if (order.sell) green.marginalOfferWh += filledWh;
            else green.marginalBidWh += filledWh;
        } else {
            ZonePosting memory posting = submission.postings[order.zone];
            if (limit != posting.price) return;
            if (order.sell) posting.marginalOfferWh += filledWh;
            else posting.marginalBidWh += filledWh;
        }
    }
}
