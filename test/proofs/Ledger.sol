// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

contract WithdrawalProof {
    int256 private constant NANO_PER_BASE_UNIT = 1_000;

    /// A withdrawal leaves the margin, and keeps back less than one base unit of what is free.
    function withdraws(int256 balance, uint256 required) external pure {
        require(required < 1e36 && balance > -1e36 && balance < 1e36);
        require(balance - int256(required) >= NANO_PER_BASE_UNIT);
        uint256 amount = _available(balance, required);
        assert(amount > 0);
        assert(balance - int256(amount) * NANO_PER_BASE_UNIT >= int256(required));
        assert(balance - int256(amount) * NANO_PER_BASE_UNIT < int256(required) + NANO_PER_BASE_UNIT);
    }

    /// @custom:quotes contracts/pricing/Ledger.sol
    function _available(int256 balance, uint256 required) private pure returns (uint256) {
        int256 free = int256(balance) - int256(required);
        return uint256(free / NANO_PER_BASE_UNIT);
    }
}

/// A page of two balances in terms of division: Arithmetic.t.sol compares it with BalancePages. `low` and `high` are the halves as
/// they are stored, a negative balance as 2^128 less its size.
contract MovementProof {
    int256 private constant HALF = 2 ** 128;

    /// Adding to the low balance of a page changes it by exactly the amount, and the high one not at all.
    function moves(int256 low, int256 high, int256 delta) external pure {
        require(low > -1e36 && low < 1e36 && high >= 0 && high < HALF && delta > -1e36 && delta < 1e36);
        int256 stored = low < 0 ? low + HALF : low;
        int256 pair = high * HALF + stored;
        int256 before = pair % HALF < HALF / 2 ? pair % HALF : (pair % HALF) - HALF;
        int256 sum = before + delta;
        int256 written = (pair / HALF) * HALF + (sum < 0 ? sum + HALF : sum);
        int256 got = written % HALF < HALF / 2 ? written % HALF : (written % HALF) - HALF;
        assert(got == low + delta);
        assert(written / HALF == high);
    }
}
