// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";

/// Sums of a clearing into the width of its record. No book that a contract takes comes near these bounds; a record must never
/// hold a sum that was cut off all the same.
library Narrow {
    function toUint64(uint256 value) internal pure returns (uint64) {
        if (value > type(uint64).max) revert IClearingErrors.MoneyOverflow(); // [22]
        return uint64(value);
    }

    function toUint128(uint256 value) internal pure returns (uint128) {
        if (value > type(uint128).max) revert IClearingErrors.MoneyOverflow();
        return uint128(value);
    }

    function toInt128(int256 value) internal pure returns (int128) {
        if (value != int128(value)) revert IClearingErrors.MoneyOverflow(); // [22]
        return int128(value);
    }
}
