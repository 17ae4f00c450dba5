// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MarketTerms, PriceBand, TradeTerms, ZoneTerms} from "../../../contracts/libraries/MarketTypes.sol";
import {OrderWord, OrderWordLibrary} from "../../../contracts/libraries/OrderWord.sol";

struct Order {
    uint8 zone;
    bool sell;
    bool green;
    uint32 energyWh;
    int40 price;
}

/// Small markets in which equal prices, full lines and empty sides are common.
library RandomMarket {
    /// No order reaches the band's edges, so that no side of a price is left open by a filled order.
    int64 internal constant EDGE = 1_000;
    uint256 internal constant MOST_ORDERS = 10;

    struct Case {
        MarketTerms market;
        Order[] orders;
        bytes book;
        /// Some live bid takes green energy only.
        bool green;
    }

    function draw(uint256 seed, uint256 mostZones, bool extras) internal pure returns (Case memory c) {
        uint256 zones = 1 + (pick(seed, 1) % mostZones);
        c.market.zones = new ZoneTerms[](zones);
        c.market.band = PriceBand(-EDGE, EDGE, int64(int256(pick(seed, 2) % 9)));
        bool backup = pick(seed, 3) % 2 == 0;
        int64 fee = int64(int256(pick(seed, 4) % 3));
        int64 exportTariff = int64(int256(pick(seed, 5) % 5));
        int64 importTariff = exportTariff + fee + 1 + int64(int256(pick(seed, 6) % 6));
        for (uint256 z = 0; z < zones; ++z) {
            ZoneTerms memory term = c.market.zones[z];
            // Mostly one island, sometimes two.
            term.parent = uint8(z == 0 || pick(seed, 10 + z) % 9 == 0 ? z : pick(seed, 30 + z) % z);
            term.toParentWh = uint64(pick(seed, 50 + z) % 40);
            term.fromParentWh = uint64(pick(seed, 70 + z) % 40);
            term.fee = fee;
            if (!backup || (z != 0 && term.parent != z && pick(seed, 90 + z) % 4 != 0)) continue;
            term.hasBackup = true;
            (term.backupSell, term.backupBuy) = (importTariff, exportTariff);
            term.backupCapacityWh = uint64(pick(seed, 110 + z) % 60);
        }
        _drawOrders(c, seed, extras);
        uint256 trades = extras && pick(seed, 7) % 3 == 0 ? 1 + (pick(seed, 8) % 2) : 0;
        c.market.trades = new TradeTerms[](trades);
        for (uint256 i = 0; i < trades; ++i) {
            TradeTerms memory trade = c.market.trades[i];
            trade.from = uint8(pick(seed, 130 + i) % zones);
            trade.to = uint8(pick(seed, 140 + i) % zones);
            trade.limitWh = uint64(pick(seed, 150 + i) % 40);
            trade.maxSpread = int64(int256(pick(seed, 160 + i) % 7)) - 3;
        }
    }

    function _drawOrders(Case memory c, uint256 seed, bool extras) private pure {
        uint256 count = pick(seed, 9) % (MOST_ORDERS + 1);
        bool greens = extras && pick(seed, 170) % 2 == 0;
        c.orders = new Order[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 word = pick(seed, 200 + i);
            Order memory order = c.orders[i];
            order.zone = uint8(word % c.market.zones.length);
            order.sell = (word >> 16) % 2 == 0;
            order.green = greens && (word >> 24) % 2 == 0;
            order.energyWh = uint32(1 + ((word >> 32) % 30));
            order.price = int40(int256((word >> 48) % 12)) - 2;
            if (order.green && !order.sell) c.green = true;
            // Now and then an earlier order of the same point, which is replaced.
            if ((word >> 64) % 5 == 0) {
                c.book = bytes.concat(
                    c.book,
                    _word(i, 1, order, uint8(word >> 80) & 1, int40(int256((word >> 96) % 12)))
                );
            }
            uint8 class = order.sell ? 0 : uint8(word >> 72) & 3;
            c.book = bytes.concat(c.book, _word(i, 2, order, _flags(order) | (class << 2), order.price));
        }
    }

    function _flags(Order memory order) private pure returns (uint8) {
        return (order.sell ? 1 : 0) | (order.green ? 2 : 0);
    }

    function _word(
        uint256 point,
        uint8 sequence,
        Order memory order,
        uint8 flags,
        int40 price
    ) private pure returns (bytes memory) {
        OrderWord word = OrderWordLibrary.pack(uint32(point), sequence, order.zone, flags, order.energyWh, price);
        return abi.encodePacked(OrderWord.unwrap(word));
    }

    function pick(uint256 seed, uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }
}
