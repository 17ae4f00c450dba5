// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingGreen} from "./ClearingGreen.sol";
import {ClearingNetwork} from "./ClearingNetwork.sol";
import {ClearingTrades} from "./ClearingTrades.sol";
import {ZoneTally} from "./ClearingTypes.sol";
import {ClearingVolume} from "./ClearingVolume.sol";
import {MarketTerms} from "./MarketTypes.sol";

/// The proof on a radial network: everything that looks at zones, lines and trades, and not at orders.
library ClearingRadial {
    /// Refuses a clearing that breaks a limit, is not optimal, has another price or premium than the rule's, or not the most volume.
    /// @param zones tallies with fills, bounds and net exports
    /// @param tradesWh fills of the bilateral trades, which the net exports contain already
    function check(MarketTerms memory market, ZoneTally[] memory zones, uint64[] calldata tradesWh) internal pure {
        ClearingNetwork.checkFlows(market.zones, zones);
        ClearingTrades.checkSpreads(market.trades, zones, tradesWh);
        ClearingNetwork.carry(market, zones, 0, tradesWh);
        if (zones.length != market.zones.length) ClearingGreen.check(market, zones, tradesWh);
        ClearingNetwork.checkPrices(market, zones, tradesWh);
        ClearingVolume.check(market, zones, tradesWh);
    }
}
