// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {floorHalf} from "../arithmetic/Bits.sol";

/// Properties that do not hold: a run in which the checker proves one of them is worth nothing.
contract RoundedUp {
    /// A withdrawal that is rounded up leaves the margin.
    function withdraws(int256 balance, int256 required) external pure {
        require(required >= 0 && required < 1e36 && balance > -1e36 && balance < 1e36);
        require(balance - required >= 1_000);
        int256 amount = (balance - required + 999) / 1_000;
        assert(balance - amount * 1_000 >= required);
    }
}

contract StrictlyBelow {
    /// The floor of the half lies strictly below the upper end.
    function half(int256 lo, int256 hi) external pure {
        require(lo <= hi && lo > -1e36 && hi < 1e36);
        assert(floorHalf(lo + hi) < hi);
    }
}

contract WithoutTradeTerm {
    /// A margin that forgets the trading limit covers a buyer that used less than it bought.
    function boughtTooMuch(int256 p, int256 a, int256 s, int256 F, int256 D, int256 k) external pure {
        require(p >= 0 && a >= 0 && s >= 0 && F >= 0 && D >= 0 && k >= 0 && k <= D);
        require(p < 1e9 && a < 1e9 && s < 1e9 && F < 1e12 && D < 1e12);
        assert((p + a) * (F + D) - 2 * p * (F + D - k) + s * F >= 0);
    }
}
