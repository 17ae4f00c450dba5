// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IEmergency} from "../../../contracts/interfaces/IEmergency.sol";
import {GeneratorKind, GeneratorTerms, IGenerators} from "../../../contracts/interfaces/IGenerators.sol";
import {IMeterOracle} from "../../../contracts/interfaces/IMeterOracle.sol";
import {Point} from "../../../contracts/interfaces/IMeteringPoints.sol";
import {ITariffs} from "../../../contracts/interfaces/ITariffs.sol";
import {SlotTerms} from "../../../contracts/libraries/MarketTypes.sol";
import {AccessModel} from "./AccessModel.sol";
import {Stand} from "./Stand.sol";

/// The real access manager with the roles that scripts/deploy/access.ts gives it (an operator's delay included), in front of real
/// contracts of five roles. This contract is the deployer, and keeps nothing.
abstract contract AccessPlan is AccessModel, Stand {
    uint64 public constant OPERATOR = 1;
    uint64 public constant GUARDIAN = 2;
    uint64 public constant CERTIFIER = 3;
    uint64 public constant MAINTAINER = 4;
    uint64 public constant TARIFF_PUBLISHER = 9;
    uint64 public constant COMMITTEE = 10;
    uint64 public constant ADMINISTRATION = 100;
    uint32 public constant ADMIN_DELAY = 48 hours;
    uint32 public constant OPERATOR_DELAY = 24 hours;
    uint256 public constant ACTORS = 7;
    uint256 public constant CALLS = 7;

    AccessManager public manager;
    IMeterOracle public meterOracle;
    ITariffs public tariffs;
    IGenerators public generators;
    IEmergency public emergency;
    /// The account of several signatures, the operator, the guardian, a certifier, a maintainer, a contract that publishes terms,
    /// and somebody without any role.
    address[7] public actors;

    function begin() external {
        if (address(manager) != address(0)) return;
        VM.warp(1_800_000_000);
        for (uint256 i = 0; i < ACTORS; ++i) actors[i] = _actor(i);
        manager = AccessManager(_deploy("MarketAccess.sol:MarketAccess", abi.encode(address(this))));
        address self = address(this);
        meterOracle = IMeterOracle(_deploy("MeterOracle.sol:MeterOracle", abi.encode(manager, self)));
        bytes memory bounds = abi.encode(manager, int40(400), int40(0), int40(-9), int40(999), 0, 0, self, address(0));
        tariffs = ITariffs(_deploy("Tariffs.sol:Tariffs", bounds));
        generators = IGenerators(_deploy("Generators.sol:Generators", abi.encode(manager, self, self)));
        emergency = IEmergency(_next(0));
        bytes memory limits = abi.encode(int64(-9), int64(999), uint32(12), uint256(1e12), uint32(1 hours), uint128(0));
        bytes memory wiring = abi.encode(manager, self, self, self, self, self, meterOracle, uint32(0));
        _deploy("Emergency.sol:Emergency", bytes.concat(wiring, limits));
        GeneratorTerms memory terms;
        (terms.kind, terms.nameplateW) = (GeneratorKind.Wind, 8_000);
        generators.register(terms);
        _open();
        _close();
    }

    /// What the emergency ladder asks the market for.
    function setMarketState(uint8) external pure {}

    function withdrawnOn() external pure returns (uint32, uint256) {
        return (0, 0);
    }

    function finalThrough() external view returns (uint32) {
        return uint32(block.timestamp / SLOT_SECONDS);
    }

    function pointOf(uint32) external view returns (Point memory found) {
        found.owner = address(this);
    }

    function targetOf(uint256 index) public view returns (address) {
        if (index == 0) return address(meterOracle);
        if (index == 1) return address(tariffs);
        return index < 4 ? address(generators) : address(emergency);
    }

    /// Privileged calls of all six roles.
    function dataOf(uint256 index) public view returns (bytes memory) {
        if (index == 0) {
            address[] memory nodes = new address[](1);
            nodes[0] = actors[6];
            return abi.encodeCall(IMeterOracle.setCommittee, (nodes, 0));
        }
        if (index == 1) return abi.encodeCall(ITariffs.publish, (0, new SlotTerms[](0)));
        if (index == 2) return abi.encodeCall(IGenerators.certify, (0, type(uint32).max, 0));
        if (index == 3) return abi.encodeCall(IGenerators.recordMaintenance, (0, 0));
        if (index == 4) return abi.encodeCall(IEmergency.raise, (IEmergency.MarketState.NoNewOrders));
        if (index == 5) return abi.encodeCall(IEmergency.announceLowering, (IEmergency.MarketState.Open));
        return abi.encodeCall(IEmergency.lower, ());
    }

    /// What the guardian may cancel of the admin's: not `revokeRole`.
    function cancellable() public pure returns (bytes4[9] memory) {
        return
            [
                AccessManager.labelRole.selector,
                AccessManager.grantRole.selector,
                AccessManager.setRoleAdmin.selector,
                AccessManager.setRoleGuardian.selector,
                AccessManager.setGrantDelay.selector,
                AccessManager.setTargetAdminDelay.selector,
                AccessManager.setTargetFunctionRole.selector,
                AccessManager.setTargetClosed.selector,
                AccessManager.updateAuthority.selector
            ];
    }

    function _open() private {
        uint64[7] memory roles = [COMMITTEE, TARIFF_PUBLISHER, CERTIFIER, MAINTAINER, GUARDIAN, OPERATOR, OPERATOR];
        for (uint256 i = 0; i < CALLS; ++i) _restrict(targetOf(i), bytes4(dataOf(i)), roles[i]);
        manager.grantRole(OPERATOR, address(this), 0);
    }

    function _close() private {
        uint64[4] memory guarded = [OPERATOR, TARIFF_PUBLISHER, COMMITTEE, ADMINISTRATION];
        for (uint256 i = 0; i < 4; ++i) {
            manager.setRoleGuardian(guarded[i], GUARDIAN);
            _guardianOf[guarded[i]] = GUARDIAN;
        }
        bytes4[9] memory own = cancellable();
        for (uint256 i = 0; i < own.length; ++i) _restrict(address(manager), own[i], ADMINISTRATION);
        _grant(GUARDIAN, 2, 0);
        _grant(CERTIFIER, 3, 0);
        _grant(MAINTAINER, 4, 0);
        _grant(TARIFF_PUBLISHER, 1, OPERATOR_DELAY);
        _grant(TARIFF_PUBLISHER, 5, 0);
        _grant(OPERATOR, 1, OPERATOR_DELAY);
        manager.revokeRole(OPERATOR, address(this));
        _grant(COMMITTEE, 0, ADMIN_DELAY);
        _grant(ADMIN, 0, ADMIN_DELAY);
        manager.renounceRole(ADMIN, address(this));
    }

    function _restrict(address target, bytes4 selector, uint64 role) private {
        bytes4[] memory one = new bytes4[](1);
        one[0] = selector;
        manager.setTargetFunctionRole(target, one, role);
        _roleOf[target][selector] = role;
    }

    function _grant(uint64 role, uint256 actor, uint32 delay) private {
        manager.grantRole(role, actors[actor], delay);
        _grantedTo(role, actors[actor], delay);
    }
}
