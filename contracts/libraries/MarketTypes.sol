// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A zone as the clearing sees it. Zones stand in topological order: a parent's index is smaller than its children's.
/// The line of a zone is the line to its parent. Limits in Wh per slot, prices in micro-token per kWh.
struct ZoneTerms {
    /// Index of the parent zone; the zone's own index at the root of an island.
    uint8 parent;
    /// Limit of the flow from this zone to its parent, Wh per slot.
    uint64 toParentWh;
    /// Limit of the flow from the parent to this zone, Wh per slot.
    uint64 fromParentWh;
    /// Fee that bids pay on top of the zone price.
    int64 fee;
    /// Backup supplier connected in this zone.
    bool hasBackup;
    /// Import tariff: the backup offers at this less the fee. Zero without backup.
    int64 backupSell;
    /// Export tariff: the backup bids at this, without fee. Zero without backup.
    int64 backupBuy;
    /// Rating of the backup's connection, Wh per slot, each direction.
    uint64 backupCapacityWh;
}

/// What bounds the prices of one slot, micro-token per kWh.
struct PriceBand {
    int64 min;
    int64 max;
    /// Price of an island without any value.
    int64 reference_;
}

/// What a solver posts for one zone. The contract derives every fill from it and refuses any other value of any field.
struct ZonePosting {
    /// Uniform zone price, micro-token per kWh.
    int64 price;
    /// Wh filled of the bids whose effective limit less fee equals `price`.
    uint64 marginalBidWh;
    /// Wh filled of the offers whose effective limit equals `price`.
    uint64 marginalOfferWh;
    /// Wh that the backup sells in this zone.
    uint64 backupSoldWh;
    /// Wh that the backup buys in this zone.
    uint64 backupBoughtWh;
}

/// What a solver posts for the green orders of one zone: green-only bids and green offers trade at the zone price plus the
/// island's green premium.
struct GreenPosting {
    /// Zone price plus premium, micro-token per kWh.
    int64 price;
    /// Wh filled of the green-only bids whose effective limit less fee equals `price`.
    uint64 marginalBidWh;
    /// Wh filled of the green offers whose effective limit equals `price`.
    uint64 marginalOfferWh;
}

/// A bilateral trade as the clearing sees it: energy from the seller's zone to the buyer's, up to `limitWh`, at a price
/// difference of at most `maxSpread` micro-token per kWh.
struct TradeTerms {
    uint8 from;
    uint8 to;
    uint64 limitWh;
    int64 maxSpread;
}

/// A network constraint: minWh <= sum of weight x net export / 1e6 <= maxWh, with minWh <= 0 <= maxWh.
struct NetworkLimit {
    int64 minWh;
    int64 maxWh;
    /// Per zone, in 1e-6.
    int32[] weights;
}

/// Dual prices of a meshed network, in 1e-6 micro-token per kWh. Those of the islands' balances are not posted: the rest
/// determines them (MeshPrices).
struct NetworkDuals {
    /// Per limit: positive while the upper one binds, negative while the lower one does. Empty on a radial network.
    int128[] mu;
}

/// Everything that a clearing is proven against.
struct MarketTerms {
    /// Parents before children.
    ZoneTerms[] zones;
    PriceBand band;
    /// Bilateral trades in order of registration.
    TradeTerms[] trades;
    /// Limits of a meshed network (PackedLimits); empty on a radial one.
    bytes limits;
}

/// A clearing as it is posted.
struct ClearingSubmission {
    uint32 slot;
    /// All OrderWords of the slot, 16 bytes each, in order of append.
    bytes book;
    /// 2 bytes per batch: the number of its words (1..65535). A void (IOrderBook.ZonesVoided) is 2 zero bytes and 32 of its zones.
    bytes batches;
    /// One per zone.
    ZonePosting[] postings;
    /// Empty (no live green-only bid in the book), or one per zone.
    GreenPosting[] green;
    /// The slot's bilateral trades as they were registered, 32 bytes each (TradeWord), and their fills.
    bytes trades;
    uint64[] tradesWh;
    NetworkDuals duals;
}

/// What is fixed for a slot before its book opens: tariffs, fee and band, micro-token per kWh.
struct SlotTerms {
    int40 importTariff;
    int40 exportTariff;
    uint32 fee;
    int40 bandMin;
    int40 bandMax;
    int40 reference_;
}
