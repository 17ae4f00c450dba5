// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IEmergency} from "../../../contracts/interfaces/IEmergency.sol";
import {AccessPlan} from "./AccessPlan.sol";

/// Everybody tries everything, at any time. What the model foresees is what must happen, errors included. The account of several
/// signatures alone is held back: it gives ADMIN to nobody and does not give it up, and leaves the wiring of the roles alone.
contract AccessSteps is AccessPlan {
    /// The last privileged call that was made.
    struct Effect {
        address caller;
        address target;
        bytes4 selector;
        uint64 role;
        bool member;
        uint32 delay;
        uint256 scheduledAt;
        uint256 madeAt;
    }

    Effect internal _last;
    uint256 public effects;
    uint256 public committees;
    IEmergency.MarketState public marketState;
    uint256 private _loweringFrom;
    /// What the admin changed after deployment: members of roles, and roles of functions.
    mapping(uint64 role => mapping(address account => bool)) public grantedLater;
    mapping(address target => mapping(bytes4 selector => bool)) public movedLater;

    function last() external view returns (Effect memory) {
        return _last;
    }

    /// A call of the function itself.
    function attempt(uint8 who, uint16 what) external {
        (address target, bytes memory data) = _callOf(what);
        _attempt(_callerFor(who, what), target, data);
    }

    /// A call through the access manager.
    function execute(uint8 who, uint16 what) external {
        (address target, bytes memory data) = _callOf(what);
        _execute(_callerFor(who, what), target, data);
    }

    function schedule(uint8 who, uint16 what, uint24 later, bool now_) external {
        (address target, bytes memory data) = _callOf(what);
        address caller = _callerFor(who, what);
        if (_heldBack(caller, target, data)) return;
        (bool can, uint32 delay) = _canCall(caller, target, bytes4(data));
        uint256 when = now_ ? 0 : block.timestamp + (later % (3 days));
        bytes32 operation = _operationOf(caller, target, data);
        bytes memory refusal;
        if (!can || delay == 0 || (when != 0 && when < block.timestamp + delay)) {
            refusal = _unauthorizedCall(caller, target, data);
        } else if (_waits(operation)) {
            refusal = abi.encodeWithSelector(IAccessManager.AccessManagerAlreadyScheduled.selector, operation);
        }
        _try(caller, address(manager), abi.encodeCall(AccessManager.schedule, (target, data, uint48(when))), refusal);
        if (refusal.length != 0) return;
        if (when == 0) when = block.timestamp + delay;
        _noteScheduled(caller, target, data, when);
    }

    /// Something that waits, by who scheduled it or by somebody else.
    function executeWaiting(uint8 which, uint8 who, bool other, bool direct, bool ripe) external {
        if (_operations.length == 0) return;
        // What was scheduled last most often.
        which = which % 3 == 0 ? which : uint8(_operations.length - 1);
        Waiting memory waiting = _waiting[_operations[which % _operations.length]];
        if (ripe || which % 2 == 0) _warp(waiting.readyAt);
        address caller = other && who % 2 == 0 ? actors[who % ACTORS] : waiting.caller;
        if (direct) _attempt(caller, waiting.target, waiting.data);
        else _execute(caller, waiting.target, waiting.data);
    }

    function cancelWaiting(uint8 which, uint8 who) external {
        if (_operations.length == 0) return;
        bytes32 operation = _operations[which % _operations.length];
        Waiting storage waiting = _waiting[operation];
        address caller = actors[who % ACTORS];
        bytes4 selector = bytes4(waiting.data);
        (bool admin, ) = memberOf(ADMIN, caller);
        (bool guardian, ) = memberOf(_guardianOf[_roleOf[waiting.target][selector]], caller);
        bytes memory refusal;
        if (waiting.readyAt == 0) {
            refusal = abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, operation);
        } else if (caller != waiting.caller && !admin && !guardian) {
            refusal = abi.encodeWithSelector(
                IAccessManager.AccessManagerUnauthorizedCancel.selector,
                caller,
                waiting.caller,
                waiting.target,
                selector
            );
        }
        bytes memory data = abi.encodeCall(AccessManager.cancel, (waiting.caller, waiting.target, waiting.data));
        _try(caller, address(manager), data, refusal);
        if (refusal.length == 0) waiting.readyAt = 0;
    }

    /// Everybody may give up a role of his own.
    function renounce(uint8 who, uint8 role, uint8 rarely) external {
        address caller = actors[who % ACTORS];
        uint64 role_ = _roleAt(role);
        if (rarely % 8 != 0 || (role_ == ADMIN && who % ACTORS == 0)) return;
        _try(caller, address(manager), abi.encodeCall(AccessManager.renounceRole, (role_, caller)), "");
        _revokedFrom(role_, caller);
    }

    function wait(uint24 seconds_) external {
        _warp(block.timestamp + (seconds_ % (4 days)));
    }

    /// To the second before something may be made, to that second, and to the last one and the first one too late.
    function waitFor(uint8 which, uint8 edge) external {
        if (_operations.length == 0) return;
        uint256 readyAt = _waiting[_operations[which % _operations.length]].readyAt;
        if (readyAt != 0) _warp(readyAt + [uint256(0), 0, EXPIRY_SECONDS][edge % 3] - (edge & 1));
    }

    function _attempt(address caller, address target, bytes memory data) private {
        if (_heldBack(caller, target, data)) return;
        (bool can, uint32 delay) = _canCall(caller, target, bytes4(data));
        bytes memory refusal;
        if (!can && target == address(manager)) {
            refusal = abi.encodeWithSelector(IAccessManager.AccessManagerUnauthorizedAccount.selector, caller, ADMIN);
        } else if (!can) {
            refusal = abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, caller);
        } else if (delay != 0) refusal = _notReady(caller, target, data);
        _make(caller, target, data, target, data, refusal);
    }

    function _execute(address caller, address target, bytes memory data) private {
        if (_heldBack(caller, target, data)) return;
        (bool can, uint32 delay) = _canCall(caller, target, bytes4(data));
        bytes memory refusal;
        if (!can) refusal = _unauthorizedCall(caller, target, data);
        else if (delay != 0 || _waits(_operationOf(caller, target, data))) refusal = _notReady(caller, target, data);
        _make(caller, target, data, address(manager), abi.encodeCall(AccessManager.execute, (target, data)), refusal);
    }

    /// Makes a privileged call in one of the two ways, and takes down what it did.
    function _make(
        address caller,
        address target,
        bytes memory data,
        address way,
        bytes memory call,
        bytes memory refusal
    ) private {
        if (refusal.length == 0) refusal = _refusedByState(data);
        if (!_try(caller, way, call, refusal)) return;
        (_last.caller, _last.target, _last.selector) = (caller, target, bytes4(data));
        _last.role = target == address(manager) ? ADMIN : _roleOf[target][bytes4(data)];
        (_last.member, _last.delay) = memberOf(_last.role, caller);
        Waiting storage waiting = _waiting[_operationOf(caller, target, data)];
        bool consumed = _last.delay != 0 || (way != target && _waits(_operationOf(caller, target, data)));
        (_last.scheduledAt, _last.madeAt) = (consumed ? waiting.scheduledAt : block.timestamp, block.timestamp);
        if (consumed) waiting.readyAt = 0;
        ++effects;
        _apply(target, data);
    }

    /// Calls as `caller`; the outcome must be the one foreseen.
    function _try(address caller, address target, bytes memory data, bytes memory refusal) private returns (bool done) {
        bytes memory answer;
        VM.prank(caller);
        (done, answer) = target.call(data);
        require(done == (refusal.length == 0), done ? "A1 a call that had to be refused was made" : "a call failed");
        require(done || keccak256(answer) == keccak256(refusal), "refused for another reason");
    }

    function _canCall(address caller, address target, bytes4 selector) private view returns (bool, uint32) {
        if (target == address(manager)) return memberOf(ADMIN, caller);
        if (_closed[target]) return (false, 0);
        return memberOf(_roleOf[target][selector], caller);
    }

    /// Why what has to wait cannot be made yet, or not any more; empty if it can.
    function _notReady(address caller, address target, bytes memory data) private view returns (bytes memory) {
        bytes32 operation = _operationOf(caller, target, data);
        uint256 readyAt = _waiting[operation].readyAt;
        if (readyAt == 0) return abi.encodeWithSelector(IAccessManager.AccessManagerNotScheduled.selector, operation);
        if (block.timestamp < readyAt) {
            return abi.encodeWithSelector(IAccessManager.AccessManagerNotReady.selector, operation);
        }
        if (_waits(operation)) return "";
        return abi.encodeWithSelector(IAccessManager.AccessManagerExpired.selector, operation);
    }

    /// What the emergency ladder itself refuses.
    function _refusedByState(bytes memory data) private view returns (bytes memory) {
        bytes4 selector = bytes4(data);
        if (selector == IEmergency.raise.selector && marketState != IEmergency.MarketState.Open) {
            return abi.encodeWithSelector(IEmergency.NotHigher.selector, marketState, marketState);
        }
        if (selector == IEmergency.announceLowering.selector && marketState == IEmergency.MarketState.Open) {
            return abi.encodeWithSelector(IEmergency.NotLower.selector, marketState, marketState);
        }
        if (selector != IEmergency.lower.selector) return "";
        if (_loweringFrom == 0) return abi.encodeWithSelector(IEmergency.NothingAnnounced.selector);
        if (block.timestamp >= _loweringFrom) return "";
        return abi.encodeWithSelector(IEmergency.NotYet.selector, block.timestamp, _loweringFrom);
    }

    function _apply(address target, bytes memory data) private {
        bytes4 selector = bytes4(data);
        if (target == address(meterOracle)) ++committees;
        if (selector == IEmergency.announceLowering.selector) _loweringFrom = block.timestamp + 1 hours;
        bool lowered = selector == IEmergency.lower.selector;
        if (lowered || selector == IEmergency.raise.selector) {
            marketState = lowered ? IEmergency.MarketState.Open : IEmergency.MarketState.NoNewOrders;
            _loweringFrom = 0;
        }
        if (target != address(manager)) return;
        bytes memory given = _argumentsOf(data);
        if (selector == AccessManager.grantRole.selector) {
            (uint64 role, address account, uint32 delay) = abi.decode(given, (uint64, address, uint32));
            _grantedTo(role, account, delay);
            grantedLater[role][account] = true;
        } else if (selector == AccessManager.revokeRole.selector) {
            (uint64 role, address account) = abi.decode(given, (uint64, address));
            _revokedFrom(role, account);
        } else if (selector == AccessManager.setTargetClosed.selector) {
            (address which, bool closed) = abi.decode(given, (address, bool));
            _closed[which] = closed;
        } else if (selector == AccessManager.setTargetFunctionRole.selector) {
            (address which, bytes4[] memory own, uint64 role) = abi.decode(given, (address, bytes4[], uint64));
            _roleOf[which][own[0]] = role;
            movedLater[which][own[0]] = true;
        }
    }

    /// Privileged calls, and those of the manager itself.
    function _callOf(uint16 what) private view returns (address target, bytes memory data) {
        uint256 kind = _kindOf(what);
        uint256 rest = what / 20;
        if (kind < CALLS) return (targetOf(kind), dataOf(kind));
        address actor = actors[(rest >> 4) % ACTORS];
        uint64 role = _roleAt(uint8(rest & 7));
        target = address(manager);
        if (kind < 9) data = abi.encodeCall(AccessManager.grantRole, (role, actor, rest & 8 == 0 ? 0 : 12 hours));
        else if (kind == 9) data = abi.encodeCall(AccessManager.revokeRole, (role, actor));
        else if (kind == 10) data = abi.encodeCall(AccessManager.setTargetClosed, (targetOf(rest % 5), rest & 8 == 0));
        else if (kind == 11) {
            bytes4[] memory own = new bytes4[](1);
            own[0] = bytes4(dataOf(rest % CALLS));
            data = abi.encodeCall(AccessManager.setTargetFunctionRole, (targetOf(rest % CALLS), own, role));
        } else data = _wiringOf(rest, role, actor);
    }

    /// Calls of the market's contracts are 14 of 20; then granting twice, revoking, closing a target, moving a function, and wiring.
    function _kindOf(uint16 what) private pure returns (uint256) {
        return what % 20 < 2 * CALLS ? (what % 20) % CALLS : (what % 20) - CALLS;
    }

    /// What would change who administers: nobody gets it done.
    function _wiringOf(uint256 which, uint64 role, address actor) private view returns (bytes memory) {
        if (which % 5 == 0) return abi.encodeCall(AccessManager.setRoleAdmin, (role, OPERATOR));
        if (which % 5 == 1) return abi.encodeCall(AccessManager.setRoleGuardian, (role, OPERATOR));
        if (which % 5 == 2) return abi.encodeCall(AccessManager.setGrantDelay, (role, 0));
        if (which % 5 == 3) return abi.encodeCall(AccessManager.setTargetAdminDelay, (targetOf(0), 0));
        return abi.encodeCall(AccessManager.updateAuthority, (targetOf(which % CALLS), actor));
    }

    /// The account of several signatures does not undo itself.
    function _heldBack(address caller, address target, bytes memory data) private view returns (bool) {
        if (caller != actors[0] || target != address(manager)) return false;
        bytes4 selector = bytes4(data);
        if (selector == AccessManager.setTargetClosed.selector) return false;
        if (selector == AccessManager.setTargetFunctionRole.selector) return false;
        bool members = selector == AccessManager.grantRole.selector || selector == AccessManager.revokeRole.selector;
        return !members || abi.decode(_argumentsOf(data), (uint64)) == ADMIN;
    }

    function _argumentsOf(bytes memory data) private pure returns (bytes memory given) {
        given = new bytes(data.length - 4);
        for (uint256 i = 0; i < given.length; ++i) given[i] = data[i + 4];
    }

    /// Mostly who may.
    function _callerFor(uint8 who, uint16 what) private view returns (address) {
        if (who % 4 == 0) return actors[(who / 4) % ACTORS];
        uint256 kind = _kindOf(what);
        return actors[kind < CALLS ? [uint256(0), 1, 3, 4, 2, 1, 1][kind] : 0];
    }

    /// ADMIN among them; nobody is ever in ADMINISTRATION.
    function _roleAt(uint8 index) private pure returns (uint64) {
        return [ADMIN, OPERATOR, GUARDIAN, CERTIFIER, MAINTAINER, TARIFF_PUBLISHER, OPERATOR, GUARDIAN][index % 8];
    }

    function _unauthorizedCall(address caller, address target, bytes memory data) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IAccessManager.AccessManagerUnauthorizedCall.selector, caller, target, bytes4(data));
    }
}
