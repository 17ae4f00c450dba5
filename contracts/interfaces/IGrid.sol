// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {NetworkLimit} from "../libraries/MarketTypes.sol";

/// One zone and the line to its parent. Zones stand in topological order (parent index smaller, a root is its own parent).
struct GridZone {
    uint8 parent;
    uint64 toParentWh;
    uint64 fromParentWh;
    /// Rating of the backup supplier's connection in this zone, Wh per slot; 0 = no backup here.
    uint64 backupCapacityWh;
}

/// @title The network of zones and lines, in versions that take effect from a slot whose book is not open yet.
///
/// A version is radial (the lines to the parents, with their limits), or meshed: then it has limits on weighted sums of the
/// zones' net exports (power transfer distribution factors of every line, general constraints), and the lines to the parents
/// say only which zones form an island; their own limits do not count.
interface IGrid {
    event GridSet(uint32 indexed fromSlot, uint32 version, GridZone[] zones);
    /// The version just set is meshed. `limits`: minWh and maxWh (int64), then an int32 per zone, for one limit after the other.
    event LimitsSet(uint32 indexed fromSlot, uint32 version, bytes limits);

    /// The zone and all behind it are an island from `fromSlot` on; orders of `voidedZones` (a bit each) in open books are void.
    event ZoneIslanded(uint8 indexed zone, uint32 indexed fromSlot, uint256 voidedZones);

    error NotTopological(uint8 zone, uint8 parent);
    error TooManyZones(uint256 zones);
    error SlotTooEarly(uint32 fromSlot, uint32 earliest);
    error ZoneCountFell(uint256 zones, uint256 previous);
    error NoGrid(uint32 slot);
    /// A meshed version needs at least one limit.
    error NoLimits();
    error TooManyLimits(uint256 limits, uint256 most);
    error StagedForOtherZones(uint256 stagedZones, uint256 zones);
    /// Islanding changes no meshed network: what its limits become is not the contract's to say.
    error MeshedNetwork(uint32 version);
    /// No such zone, or it is the root of an island.
    error NothingToIsland(uint8 zone);

    /// Sets a radial network from `fromSlot` on. Restricted to the grid operator. `fromSlot` lies beyond every open book
    /// (the first version may start at once). Zones are never removed.
    function setGrid(uint32 fromSlot, GridZone[] calldata zones) external;

    /// Sets a meshed network, alike. Its limits are those staged, then `limits`; weights in 1e-6, one per zone.
    /// Errors of a limit: PackedLimits.
    function setMesh(uint32 fromSlot, GridZone[] calldata zones, NetworkLimit[] calldata limits) external;

    /// Keeps limits for the next `setMesh`, where they do not all fit into one transaction. Restricted to the grid operator.
    /// Without `more` those staged before are dropped.
    function stageLimits(uint8 zones, NetworkLimit[] calldata limits, bool more) external;

    /// Opens the line of a zone to its parent at once: the zone and all behind it are an island from the first slot whose gate is
    /// open. In these slots orders of its zones, and of zones that lose the backup supplier with it, are void; new ones count under
    /// the island's band and margin. Slots past their gate stay as they are. Versions set before that start later never come: to
    /// reconnect, set a new one. Restricted to the grid operator.
    function island(uint8 zone) external;

    /// What settlement needs of the network in force in `slot`: its version, the last slot it is in force, its number of zones,
    /// and one bit per zone that is set when the zone's island has a backup supplier.
    function versionOf(
        uint32 slot
    ) external view returns (uint32 version, uint32 throughSlot, uint8 zones, uint256 backedZones);

    /// The zones in force in `slot`.
    function gridOf(uint32 slot) external view returns (GridZone[] memory);
    /// The same and, where it is meshed, the limits as in `LimitsSet`; empty where it is radial.
    function networkOf(uint32 slot) external view returns (GridZone[] memory zones, bytes memory limits);
    /// `networkOf` for a clearing: the zones are abi.encode(GridZone[]) in the code of `stored` (CodeStore).
    function storedNetworkOf(uint32 slot) external view returns (address stored, bytes memory limits);
    /// Limits in force in `slot`; none where the network is radial.
    function limitsOf(uint32 slot) external view returns (NetworkLimit[] memory);
    /// One bit per zone that is without a backup supplier in some version so far: its accounts' margin counts with the band's bounds.
    function unbackedZones() external view returns (uint256);
    /// Told which zones are islanded.
    function orderBook() external view returns (address);
    /// Zones in force in the current slot.
    function zoneCount() external view returns (uint8);
}
