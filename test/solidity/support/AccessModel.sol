// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What an access manager has to do, written anew: who is in which role with what delay, and what waits.
abstract contract AccessModel {
    uint64 public constant ADMIN = 0;
    uint256 internal constant EXPIRY_SECONDS = 7 days;

    struct Member {
        bool present;
        uint32 delay;
        /// Until `effect` the delay of before counts.
        uint32 before;
        uint256 effect;
    }

    struct Waiting {
        address caller;
        address target;
        bytes data;
        uint256 scheduledAt;
        uint256 readyAt;
    }

    mapping(uint64 role => mapping(address account => Member)) private _members;
    mapping(address target => mapping(bytes4 selector => uint64)) internal _roleOf;
    mapping(uint64 role => uint64) internal _guardianOf;
    mapping(address target => bool) internal _closed;
    /// By operation; what was made or cancelled has no `readyAt`.
    mapping(bytes32 operation => Waiting) internal _waiting;
    bytes32[] internal _operations;

    function memberOf(uint64 role, address account) public view returns (bool present, uint32 delay) {
        Member storage member = _members[role][account];
        return (member.present, block.timestamp < member.effect ? member.before : member.delay);
    }

    function roleOf(address target, bytes4 selector) public view returns (uint64) {
        return _roleOf[target][selector];
    }

    function _grantedTo(uint64 role, address account, uint32 delay) internal {
        (bool present, uint32 present_) = memberOf(role, account);
        Member storage member = _members[role][account];
        if (!present) _members[role][account] = Member(true, delay, 0, 0);
        else {
            (member.before, member.delay) = (present_, delay);
            // A shorter delay counts only when the difference is over.
            member.effect = block.timestamp + (present_ > delay ? present_ - delay : 0);
        }
    }

    function _revokedFrom(uint64 role, address account) internal {
        delete _members[role][account];
    }

    function _operationOf(address caller, address target, bytes memory data) internal pure returns (bytes32) {
        return keccak256(abi.encode(caller, target, data));
    }

    function _noteScheduled(address caller, address target, bytes memory data, uint256 readyAt) internal {
        bytes32 operation = _operationOf(caller, target, data);
        if (_waiting[operation].caller == address(0)) _operations.push(operation);
        _waiting[operation] = Waiting(caller, target, data, block.timestamp, readyAt);
    }

    /// Whether something waits that has not expired.
    function _waits(bytes32 operation) internal view returns (bool) {
        uint256 readyAt = _waiting[operation].readyAt;
        return readyAt != 0 && block.timestamp < readyAt + EXPIRY_SECONDS;
    }
}
