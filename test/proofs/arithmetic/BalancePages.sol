// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// contracts/libraries/BalancePages.sol without bit operations, for the SMT checker. Both agree on every page and account:
/// test/solidity/Arithmetic.t.sol.
library BalancePages {
    uint256 private constant HALF = 2 ** 128;

    function get(mapping(uint256 page => uint256 pair) storage self, uint32 account) internal view returns (int256) {
        uint256 pair = self[account / 2];
        return _signed(account % 2 == 0 ? pair % HALF : pair / HALF);
    }

    function add(mapping(uint256 page => uint256 pair) storage self, uint32 account, int256 delta) internal {
        if (delta == 0) return;
        uint256 pair = self[account / 2];
        self[account / 2] = account % 2 == 0 ? _sum(pair, delta, 0) : _sum(pair, 0, delta);
    }

    function _sum(uint256 pair, int256 low, int256 high) private pure returns (uint256) {
        return _unsigned(_signed(pair / HALF) + high) * HALF + _unsigned(_signed(pair % HALF) + low);
    }

    function _signed(uint256 half) private pure returns (int256) {
        return half < HALF / 2 ? int256(half) : int256(half) - int256(HALF);
    }

    function _unsigned(int256 balance) private pure returns (uint256) {
        return uint256(balance < 0 ? balance + int256(HALF) : balance);
    }
}
