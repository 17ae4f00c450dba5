// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IEmergency} from "../../contracts/interfaces/IEmergency.sol";
import {AccessSteps} from "./support/AccessSteps.sol";

/// The test runner knows only contracts of this file.
contract AccessActors is AccessSteps {}

/// No privilege without delay, after any sequence of calls by anybody (docs/invariants.md).
contract AccessInvariants {
    AccessSteps private _a;

    function setUp() external {
        _a = new AccessActors();
        _a.begin();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_a);
    }

    function invariant_Access() external view {
        _madeByMembersAfterTheirDelay();
        _guardianStopsAndNothingElse();
        _adminStays();
        _effectsAreThoseMade();
    }

    /// After each run: who is in which role, and what each role may call.
    function afterInvariant() external view {
        AccessManager manager = _a.manager();
        uint64[7] memory roles = [uint64(0), 1, 2, 3, 4, 9, 10];
        for (uint256 i = 0; i < _a.ACTORS(); ++i) {
            address actor = _a.actors(i);
            for (uint256 j = 0; j < roles.length; ++j) {
                (bool member, uint32 delay) = manager.hasRole(roles[j], actor);
                (bool expected, uint32 expectedDelay) = _a.memberOf(roles[j], actor);
                require(member == expected && delay == expectedDelay, "A1 roles change by the admin alone");
            }
        }
        for (uint256 i = 0; i < _a.CALLS(); ++i) {
            (address target, bytes4 selector) = (_a.targetOf(i), bytes4(_a.dataOf(i)));
            uint64 role = manager.getTargetFunctionRole(target, selector);
            require(role == _a.roleOf(target, selector), "A1 functions change their role by the admin alone");
        }
    }

    /// A1, A2: whoever made a privileged call was in its role, and had scheduled it his role's delay before.
    function _madeByMembersAfterTheirDelay() private view {
        AccessSteps.Effect memory last = _a.last();
        if (last.caller == address(0)) return;
        require(last.member, "A1 made by somebody without the role");
        require(last.madeAt >= last.scheduledAt + last.delay, "A2 made before its delay was over");
        bool administers = last.target == address(_a.manager());
        require(!administers || last.delay >= _a.ADMIN_DELAY(), "A2 the admin acted without its delay");
    }

    /// A3: with what deployment gave it, all the guardian makes is to raise the market's state (and to cancel).
    function _guardianStopsAndNothingElse() private view {
        AccessSteps.Effect memory last = _a.last();
        if (last.caller != _a.actors(2) || last.caller == address(0)) return;
        if (_a.grantedLater(last.role, last.caller) || _a.movedLater(last.target, last.selector)) return;
        bool raised = last.target == address(_a.emergency()) && last.selector == IEmergency.raise.selector;
        require(raised, "A3 the guardian did more than stop");
    }

    /// A4: the account of several signatures is the one admin, with its delay, and nothing leads around it.
    function _adminStays() private view {
        AccessManager manager = _a.manager();
        for (uint256 i = 0; i < _a.ACTORS(); ++i) {
            (bool member, uint32 delay) = manager.hasRole(0, _a.actors(i));
            require(member == (i == 0), "A4 one admin");
            require(i != 0 || delay == _a.ADMIN_DELAY(), "A4 with its delay");
            (member, ) = manager.hasRole(_a.ADMINISTRATION(), _a.actors(i));
            require(!member, "A4 nobody is in ADMINISTRATION");
        }
        (bool deployer, ) = manager.hasRole(0, address(_a));
        (bool operator, ) = manager.hasRole(1, address(_a));
        require(!deployer && !operator, "A4 the deployer kept nothing");
        uint64[7] memory roles = [uint64(0), 1, 2, 3, 4, 9, 10];
        for (uint256 i = 0; i < roles.length; ++i) {
            require(manager.getRoleAdmin(roles[i]) == 0, "A4 the admin of every role");
        }
        require(manager.getRoleGuardian(0) == 0, "A4 no guardian of the admin");
        for (uint256 i = 0; i < 5; ++i) {
            address authority = IAccessManaged(_a.targetOf(i)).authority();
            require(authority == address(manager), "A4 every contract asks the one manager");
        }
    }

    /// A5: what changed in the contracts is what was made.
    function _effectsAreThoseMade() private view {
        require(_a.meterOracle().epoch() == _a.committees(), "A5 committees");
        require(_a.emergency().marketState() == _a.marketState(), "A5 the market's state");
    }
}
