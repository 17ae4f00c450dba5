// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingGreen} from "./ClearingGreen.sol";
import {ClearingNetwork} from "./ClearingNetwork.sol";
import {ClearingTrades} from "./ClearingTrades.sol";
import {ZoneTally} from "./ClearingTypes.sol";
import {ClearingVolume} from "./ClearingVolume.sol";
import {MarketTerms} from "./MarketTypes.sol";
import {ZoneTallies} from "./ZoneTallies.sol";

/// The proof on a radial network: everything that looks at zones, lines and trades, and not at orders. A contract of its own: with it
/// the auction would exceed the size of one (EIP-170).
library ClearingRadial {
    /// Refuses a clearing that breaks a limit, is not optimal, has another price or premium than the rule's, or not the most volume.
    /// @param records tallies with fills, bounds and net exports (ZoneTallies.pack)
    /// @param apart green orders trade apart
    /// @param tradesWh fills of the bilateral trades, which the net exports contain already
    function check(
        MarketTerms memory market,
        bytes memory records,
        bool apart,
        uint64[] calldata tradesWh
    ) external pure {
        ZoneTally[] memory zones = ZoneTallies.unpack(records, market.zones.length, apart);
        ClearingNetwork.checkFlows(market.zones, zones);
        ClearingTrades.checkSpreads(market.trades, zones, tradesWh);
        ClearingNetwork.carry(market, zones, 0, tradesWh);
        if (apart) ClearingGreen.check(market, zones, tradesWh);
        ClearingNetwork.checkPrices(market, zones, tradesWh);
        ClearingVolume.check(market, zones, tradesWh);
    }
}
