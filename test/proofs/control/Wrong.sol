// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {floorHalf} from "../arithmetic/Bits.sol";

/// Properties that do not hold: a run in which the checker proves one of them is worth nothing.
contract Wrong {
    int128 private constant NANO_PER_BASE_UNIT = 1_000;

    /// A withdrawal that is rounded up leaves the margin.
    function roundsUp(int128 balance, uint256 required) external pure {
        require(required < 2 ** 126 && balance > -(2 ** 126) && balance < 2 ** 126);
        int256 free = int256(balance) - int256(required);
        require(free >= NANO_PER_BASE_UNIT);
        int256 amount = (free + NANO_PER_BASE_UNIT - 1) / NANO_PER_BASE_UNIT;
        assert(balance - amount * NANO_PER_BASE_UNIT >= int256(required));
    }

    /// The floor of the half lies strictly below the upper end.
    function strictlyBelow(int256 lo, int256 hi) external pure {
        require(lo <= hi && lo > -(2 ** 66) && hi < 2 ** 66);
        assert(floorHalf(lo + hi) < hi);
    }
}
