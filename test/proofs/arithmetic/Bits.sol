// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// `x >> 1` in terms that the SMT checker knows.
function floorHalf(int256 x) pure returns (int256) {
    unchecked {
        return x >= 0 ? x / 2 : -((1 - x) / 2);
    }
}
