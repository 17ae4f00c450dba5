// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What a proven clearing amounts to. Energy Wh, money nano-token.
struct ClearingOutcome {
    /// Sum of all filled bids, without the backup.
    uint64 boughtWh;
    uint64 backupSoldWh;
    uint64 backupBoughtWh;
    /// Backup's sales less its purchases, at zone prices.
    int128 backupNano;
    /// Congestion rent: minus the sum of net export x zone price, backup included.
    int128 congestionNano;
    /// Fees on all filled bids.
    int128 feesNano;
    /// Objective of section 4 at effective limits, backup included.
    int256 welfareNano;
    /// Meshed networks: no feasible clearing has more welfare than this one and that.
    uint128 gapBoundNano;
    /// Meshed networks: exact price of each zone's island, 1e-12 micro-token per kWh, at the index of its root.
    int256[] lambda;
    /// Likewise its exact green premium.
    int256[] gamma;
}

/// Working record of one zone, or of its green orders (the zone's twin). Field order is known to the assembly of ClearingBook and
/// ClearingMargin: offsets there. The records of the zones come first; where green orders trade apart, those of the twins follow
/// in the same order, with prices and bounds in terms of the green price. In memory a twin always stands behind its zone.
struct ZoneTally {
    int256 price;
    int256 fee;
    /// Highest gross limit a bid counts with (the import tariff); type max in an island without backup.
    int256 bidCap;
    /// Lowest limit an offer counts with (the export tariff); type min in an island without backup.
    int256 offerFloor;
    /// Known bounds of the price; type min / max while open.
    int256 lo;
    int256 hi;
    /// Bounds from completely filled orders at the band's edge; type min / max while open.
    int256 loFull;
    int256 hiFull;
    /// Wh of orders that are better than the price: filled in full.
    uint256 bidWh;
    uint256 offerWh;
    /// Wh of all orders whose effective limit is the price.
    uint256 bidMarginWh;
    uint256 offerMarginWh;
    /// Wh filled of those.
    uint256 bidFilledWh;
    uint256 offerFilledWh;
    /// While fills are derived: not yet handed out.
    uint256 bidRestWh;
    uint256 offerRestWh;
    uint256 backupSoldWh;
    uint256 backupBoughtWh;
    /// Index of the island's root.
    uint256 root;
    /// Net export with green orders and bilateral trades, then the flow to the parent once subtrees are summed. Zones only.
    int256 flow;
    /// What a Wh sold adds to a point's table entry.
    uint256 unit;
    /// Memory offset of the shares of priority classes; 0 where bids at the price share as one.
    uint256 classes;
}
