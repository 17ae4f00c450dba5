// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {GridZone, IGrid} from "../interfaces/IGrid.sol";
import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {CodeStore} from "../libraries/CodeStore.sol";
import {NetworkLimit} from "../libraries/MarketTypes.sol";
import {PackedLimits} from "../libraries/PackedLimits.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

/// See IGrid for what each function does.
contract Grid is IGrid, AccessManaged {
    /// So that a version fits into the code of one contract.
    uint256 public constant MAX_ZONES = 128;
    /// So that the proof of 128 zones stays within one transaction.
    uint256 public constant MAX_LIMITS = 512;

    struct Version {
        uint32 fromSlot;
        uint8 zones;
        /// Its network is meshed: `_limits` has entries for it.
        bool meshed;
        /// abi.encode(GridZone[]) as code.
        address pointer;
        /// Bit per zone: its island has a backup supplier.
        uint256 backedZones;
    }

    address public immutable orderBook;

    Version[] private _versions;
    uint256 public unbackedZones;
    /// Limits (PackedLimits) as code, by version's index; those staged for the next meshed version at type max.
    mapping(uint256 index => address[] pointers) private _limits;
    uint256 private constant STAGED = type(uint256).max;
    uint8 private _stagedZones;
    uint16 private _stagedLimits;

    constructor(address manager, address orderBook_) AccessManaged(manager) {
        orderBook = orderBook_;
    }

    function setGrid(uint32 fromSlot, GridZone[] calldata zones) external restricted {
        _push(fromSlot, zones);
    }

    function setMesh(uint32 fromSlot, GridZone[] calldata zones, NetworkLimit[] calldata limits) external restricted {
        Version storage version = _push(fromSlot, zones);
        _stage(limits, zones.length);
        if (_stagedLimits == 0) revert NoLimits();
        version.meshed = true;
        uint256 index = _versions.length - 1;
        address[] memory pointers = _limits[STAGED];
        _limits[index] = pointers;
        _unstage();
        emit LimitsSet(fromSlot, uint32(index + 1), CodeStore.readAll(pointers));
    }

    function stageLimits(uint8 zones, NetworkLimit[] calldata limits, bool more) external restricted {
        if (!more) _unstage();
        _stage(limits, zones);
    }

    function island(uint8 zone) external restricted {
        uint32 fromSlot = SlotTime.current() + 1;
        if (block.timestamp > SlotTime.gateOf(fromSlot)) ++fromSlot;
        (uint32 number, , Version storage base) = _find(fromSlot);
        if (base.meshed) revert MeshedNetwork(number);
        GridZone[] memory zones = abi.decode(CodeStore.read(base.pointer), (GridZone[]));
        if (zone >= zones.length || zones[zone].parent == zone) revert NothingToIsland(zone);
        zones[zone].parent = zone;
        zones[zone].toParentWh = 0;
        zones[zone].fromParentWh = 0;
        (uint256 backed, uint256 together) = _backedZones(zones, zone);
        // The rest of the old island keeps its orders, unless the backup supplier left with the zone.
        uint256 voided = together | (base.backedZones & ~backed);
        _write(fromSlot, zones, backed);
        emit ZoneIslanded(zone, fromSlot, voided);
        IOrderBook(orderBook).voidZones(fromSlot, voided);
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

    function networkOf(uint32 slot) external view returns (GridZone[] memory zones, bytes memory limits) {
        address stored;
        (stored, limits) = storedNetworkOf(slot);
        zones = abi.decode(CodeStore.read(stored), (GridZone[]));
    }

    function storedNetworkOf(uint32 slot) public view returns (address stored, bytes memory limits) {
        (uint32 version, , Version storage found) = _find(slot);
        stored = found.pointer;
        if (found.meshed) limits = CodeStore.readAll(_limits[version - 1]);
    }

    function limitsOf(uint32 slot) external view returns (NetworkLimit[] memory) {
        (uint32 version, , Version storage found) = _find(slot);
        return PackedLimits.unpack(CodeStore.readAll(_limits[version - 1]), found.zones);
    }

    function zoneCount() external view returns (uint8) {
        (, , Version storage found) = _find(SlotTime.current());
        return found.zones;
    }

    function _push(uint32 fromSlot, GridZone[] calldata zones) private returns (Version storage version) {
        uint256 length = _versions.length;
        if (zones.length == 0 || zones.length > MAX_ZONES) revert TooManyZones(zones.length);
        if (length != 0) {
            Version storage last = _versions[length - 1];
            uint32 earliest = SlotTime.current() + uint32(SlotTime.AHEAD_SLOTS) + 1;
            if (earliest <= last.fromSlot) earliest = last.fromSlot + 1;
            if (fromSlot < earliest) revert SlotTooEarly(fromSlot, earliest);
            if (zones.length < last.zones) revert ZoneCountFell(zones.length, last.zones);
        }
        (uint256 backed, ) = _backedZones(zones, 0);
        version = _write(fromSlot, zones, backed);
    }

    function _write(
        uint32 fromSlot,
        GridZone[] memory zones,
        uint256 backed
    ) private returns (Version storage version) {
        unbackedZones |= ~backed & ((uint256(1) << zones.length) - 1);
        version = _versions.push();
        version.fromSlot = fromSlot;
        version.zones = uint8(zones.length);
        version.pointer = CodeStore.write(abi.encode(zones));
        version.backedZones = backed;
        emit GridSet(fromSlot, uint32(_versions.length), zones);
    }

    /// Adds limits to those staged, in as many pieces of code as they need.
    function _stage(NetworkLimit[] calldata limits, uint256 zones) private {
        uint256 staged = _stagedLimits;
        if (staged != 0 && zones != _stagedZones) revert StagedForOtherZones(_stagedZones, zones);
        if (zones == 0 || zones > MAX_ZONES) revert TooManyZones(zones);
        uint256 count = limits.length;
        if (staged + count > MAX_LIMITS) revert TooManyLimits(staged + count, MAX_LIMITS);
        uint256 most = CodeStore.MOST_BYTES / PackedLimits.bytesPerLimit(zones);
        for (uint256 from = 0; from < count; from += most) {
            uint256 to = from + most < count ? from + most : count;
            _limits[STAGED].push(CodeStore.write(PackedLimits.pack(limits, from, to, zones)));
        }
        _stagedZones = uint8(zones);
        _stagedLimits = uint16(staged + count);
    }

    function _unstage() private {
        delete _limits[STAGED];
        _stagedZones = 0;
        _stagedLimits = 0;
    }

    /// Newest version that starts at or before `slot`; versions are numbered from 1. A zone is islanded at once, so a newer version may
    /// start before an older one, which then never comes.
    function _find(uint32 slot) private view returns (uint32 version, uint32 throughSlot, Version storage found) {
        throughSlot = type(uint32).max;
        for (version = uint32(_versions.length); version != 0; --version) {
            found = _versions[version - 1];
            if (found.fromSlot <= slot) return (version, throughSlot, found);
            if (found.fromSlot <= throughSlot) throughSlot = found.fromSlot - 1;
        }
        revert NoGrid(slot);
    }

    /// Zones whose island has a backup supplier, and those in the same island as `member`; a bit each.
    function _backedZones(
        GridZone[] memory zones,
        uint8 member
    ) private pure returns (uint256 backed, uint256 together) {
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
            if (rootOf[zone] == rootOf[member]) together |= uint256(1) << zone;
        }
    }
}
