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

/// Working record of one zone, or of its green orders (the zone's twin). The records of the zones come first; where green orders trade
/// apart, those of the twins follow in the same order, with prices and bounds in terms of the green price. In memory a twin always
/// stands behind its zone.
///
/// What the book says of bids and of offers stands in two blocks of one layout, so that one loop reads both (ClearingBook and
/// ClearingMargin know the offsets). While it reads, all prices of the block of bids are complements (`not`), so that less is better on
/// both sides; ClearingBook.close turns them.
struct ZoneTally {
    /// Wh of bids that are better than the price: filled in full. While the book is read 2^128 times that, and the sum of Wh x limit.
    uint256 bidWh;
    /// Highest gross limit a bid counts with (the import tariff); type max in an island without backup.
    int256 bidCap;
    /// How far from `bidCap` the limit of a bid may be to be better than the price.
    uint256 bidSpan;
    /// Bound from completely filled bids at the band's edge; type max while open. While the book is read the lowest limit of all
    /// completely filled bids, gross.
    int256 hiFull;
    /// Known bound of the price; type min while open.
    int256 lo;
    /// Wh of all bids whose effective limit is the price, how many of them are filled, and not handed out yet while fills are derived.
    uint256 bidMarginWh;
    uint256 bidFilledWh;
    uint256 bidRestWh;
    /// Gross limit of bids at the price.
    int256 gross;
    /// What a Wh bought adds to a point's table entry: less than nothing.
    uint256 bidUnit;
    /// All bits: while the book is read prices of this block are complements.
    uint256 bidMask;
    /// The same for offers: `offerFloor` (the export tariff) is type min without backup, `loFull` type min, `hi` type max while open.
    uint256 offerWh;
    int256 offerFloor;
    uint256 offerSpan;
    int256 loFull;
    int256 hi;
    uint256 offerMarginWh;
    uint256 offerFilledWh;
    uint256 offerRestWh;
    int256 price;
    uint256 unit;
    /// Zero.
    uint256 offerMask;
    int256 fee;
    uint256 backupSoldWh;
    uint256 backupBoughtWh;
    /// Index of the island's root.
    uint256 root;
    /// Net export with green orders and bilateral trades, then the flow to the parent once subtrees are summed. Zones only.
    int256 flow;
    /// Memory offset of the shares of priority classes; 0 where bids at the price share as one.
    uint256 classes;
}
