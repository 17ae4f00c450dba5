// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// One zone and the line to its parent. Zones stand in topological order (parent index smaller, a root is its own parent).
struct GridZone {
    uint8 parent;
    uint64 toParentWh;
    uint64 fromParentWh;
    /// Rating of the backup supplier's connection in this zone, Wh per slot; 0 = no backup here.
    uint64 backupCapacityWh;
}

/// @title The radial network of zones and lines, in versions that take effect from a slot whose book is not open yet.
interface IGrid {
    event GridSet(uint32 indexed fromSlot, uint32 version, GridZone[] zones);

    error NotTopological(uint8 zone, uint8 parent);
    error TooManyZones(uint256 zones);
    error SlotTooEarly(uint32 fromSlot, uint32 earliest);
    error ZoneCountFell(uint256 zones, uint256 previous);
    error NoGrid(uint32 slot);

    /// Sets the network from `fromSlot` on. Restricted to the grid operator. `fromSlot` lies beyond every open book
    /// (the first version may start at once). Zones are never removed.
    function setGrid(uint32 fromSlot, GridZone[] calldata zones) external;

    /// What settlement needs of the network in force in `slot`: its version, the last slot it is in force, its number of zones,
    /// and one bit per zone that is set when the zone's island has a backup supplier.
    function versionOf(
        uint32 slot
    ) external view returns (uint32 version, uint32 throughSlot, uint8 zones, uint256 backedZones);

    /// The network in force in `slot`.
    function gridOf(uint32 slot) external view returns (GridZone[] memory);
    /// One bit per zone that is without a backup supplier in some version so far: its accounts' margin counts with the band's bounds.
    function unbackedZones() external view returns (uint256);
    /// Zones in force in the current slot.
    function zoneCount() external view returns (uint8);
}
