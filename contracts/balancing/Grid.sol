// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {GridZone, IGrid} from "../interfaces/IGrid.sol";
import {CodeStore} from "../libraries/CodeStore.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

/// See IGrid for what each function does.
contract Grid is IGrid, AccessManaged {
    /// So that a version fits into the code of one contract.
    uint256 public constant MAX_ZONES = 128;

    struct Version {
        uint32 fromSlot;
        uint8 zones;
        /// abi.encode(GridZone[]) as code.
        address pointer;
        /// Bit per zone: its island has a backup supplier.
        uint256 backedZones;
    }

    Version[] private _versions;
    uint256 public unbackedZones;

    constructor(address manager) AccessManaged(manager) {}

    function setGrid(uint32 fromSlot, GridZone[] calldata zones) external restricted {
        uint256 length = _versions.length;
        if (zones.length == 0 || zones.length > MAX_ZONES) revert TooManyZones(zones.length);
        if (length != 0) {
            Version storage last = _versions[length - 1];
            uint32 earliest = SlotTime.current() + uint32(SlotTime.AHEAD_SLOTS) + 1;
            if (earliest <= last.fromSlot) earliest = last.fromSlot + 1;
            if (fromSlot < earliest) revert SlotTooEarly(fromSlot, earliest);
            if (zones.length < last.zones) revert ZoneCountFell(zones.length, last.zones);
        }
        uint256 backed = _backedZones(zones);
        unbackedZones |= ~backed & ((uint256(1) << zones.length) - 1);
        _versions.push(Version(fromSlot, uint8(zones.length), CodeStore.write(abi.encode(zones)), backed));
        emit GridSet(fromSlot, uint32(length + 1), zones);
    }

    function versionOf(
        uint32 slot
    ) external view returns (uint32 version, uint32 throughSlot, uint8 zones, uint256 backedZones) {
        Version storage found;
        (version, throughSlot, found) = _find(slot);
        return (version, throughSlot, found.zones, found.backedZones);
    }

    function gridOf(uint32 slot) external view returns (GridZone[] memory) {
        (, , Version storage found) = _find(slot);
        return abi.decode(CodeStore.read(found.pointer), (GridZone[]));
    }

    function zoneCount() external view returns (uint8) {
        (, , Version storage found) = _find(SlotTime.current());
        return found.zones;
    }

    /// Newest version that starts at or before `slot`; versions are numbered from 1.
    function _find(uint32 slot) private view returns (uint32 version, uint32 throughSlot, Version storage found) {
        throughSlot = type(uint32).max;
        for (version = uint32(_versions.length); version != 0; --version) {
            found = _versions[version - 1];
            if (found.fromSlot <= slot) return (version, throughSlot, found);
            throughSlot = found.fromSlot - 1;
        }
        revert NoGrid(slot);
    }

    function _backedZones(GridZone[] calldata zones) private pure returns (uint256 backed) {
        uint8[] memory rootOf = new uint8[](zones.length);
        uint256 backedRoots;
        for (uint256 zone = 0; zone < zones.length; ++zone) {
            uint8 parent = zones[zone].parent;
            if (parent > zone) revert NotTopological(uint8(zone), parent);
            rootOf[zone] = parent == zone ? parent : rootOf[parent];
            if (zones[zone].backupCapacityWh != 0) backedRoots |= uint256(1) << rootOf[zone];
        }
        for (uint256 zone = 0; zone < zones.length; ++zone) {
            backed |= ((backedRoots >> rootOf[zone]) & 1) << zone;
        }
    }
}
