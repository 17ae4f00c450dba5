// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BalancePages} from "../../contracts/libraries/BalancePages.sol";

contract LedgerProof {
    using BalancePages for mapping(uint256 page => uint256 pair);

    int128 private constant NANO_PER_BASE_UNIT = 1_000;
    mapping(uint256 page => uint256 pair) private _balances;

    error MarginNeeded(uint32 account, int128 balance, uint256 required);

    /// A movement changes one balance by exactly its amount, and no other.
    function moves(uint32 account, int256 delta, uint32 other) external {
        int256 before = _balances.get(account);
        int256 otherBefore = _balances.get(other);
        require(before > -1e36 && before < 1e36 && delta > -1e36 && delta < 1e36);
        _balances.add(account, delta);
        assert(_balances.get(account) == before + delta);
        assert(other == account || _balances.get(other) == otherBefore);
    }

    /// A withdrawal leaves the margin, and keeps back less than one base unit of what is free.
    function withdraws(int128 balance, uint256 required) external pure {
        require(required < 1e36 && balance > -1e36 && balance < 1e36);
        uint256 amount = _available(0, balance, required);
        assert(amount > 0);
        assert(balance - int256(amount) * NANO_PER_BASE_UNIT >= int256(required));
        assert(balance - int256(amount) * NANO_PER_BASE_UNIT < int256(required) + NANO_PER_BASE_UNIT);
    }

    /// @custom:quotes contracts/pricing/Ledger.sol
    function _available(uint32 account, int128 balance, uint256 required) private pure returns (uint256) {
        int256 free = int256(balance) - int256(required);
        if (free < NANO_PER_BASE_UNIT) revert MarginNeeded(account, balance, required);
        return uint256(free / NANO_PER_BASE_UNIT);
    }
}
