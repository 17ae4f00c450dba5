// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Earning} from "../interfaces/ILedger.sol";

/// What accounts pay for the words of their orders, and what clearers earn by them. A slot's words are added in pages of 32
/// points; money is counted once per transaction, however many slots it settles.
library WordFees {
    /// Points whose counts are added in one turn, eight in a word.
    uint256 internal constant PAGE = 32;
    uint256 private constant LANES = 0x0000007f0000007f0000007f0000007f0000007f0000007f0000007f0000007f;
    uint256 private constant ONES = 0x0000000100000001000000010000000100000001000000010000000100000001;

    /// Adds each point's words in `positions` (PackedEnergy, whole pages) to its count in `counts` (4 bytes per point), and returns
    /// their sum. A count cannot overflow: a point has at most 127 words in a slot, and at most 256 slots are settled at once.
    function add(bytes memory positions, bytes memory counts) internal pure returns (uint256 words) {
        assembly ("memory-safe") {
            let position := add(positions, 32)
            let end := add(position, mload(positions))
            let count := add(counts, 32)
            let sums := 0
            for {} lt(position, end) {} {
                let lanes := and(shr(24, mload(position)), LANES)
                sums := add(sums, lanes)
                mstore(count, add(mload(count), lanes))
                lanes := and(shr(24, mload(add(position, 32))), LANES)
                sums := add(sums, lanes)
                mstore(add(count, 32), add(mload(add(count, 32)), lanes))
                lanes := and(shr(24, mload(add(position, 64))), LANES)
                sums := add(sums, lanes)
                mstore(add(count, 64), add(mload(add(count, 64)), lanes))
                lanes := and(shr(24, mload(add(position, 96))), LANES)
                sums := add(sums, lanes)
                mstore(add(count, 96), add(mload(add(count, 96)), lanes))
                position := add(position, 128)
                count := add(count, 128)
            }
            // The sum of all lanes arrives in the highest one.
            words := shr(224, mul(sums, ONES))
        }
    }

    /// Takes the fee of each point's counted words from its delta.
    function charge(bytes memory counts, int128[] memory deltas, uint256 wordFeeNano) internal pure {
        assembly ("memory-safe") {
            // So that the point's bytes are the lowest of the word it loads.
            let count := add(counts, 4)
            let delta := add(deltas, 32)
            let end := add(delta, shl(5, mload(deltas)))
            for {} lt(delta, end) {} {
                mstore(delta, sub(mload(delta), mul(and(mload(count), 0xffffffff), wordFeeNano)))
                count := add(count, 4)
                delta := add(delta, 32)
            }
        }
    }

    /// Adds to the earnings of `clearer`: the entry that bears its name, or a new one. The array has room for one per slot; its
    /// length is kept at what is used.
    function credit(Earning[] memory earnings, address clearer, uint256 nano) internal pure {
        uint256 used = earnings.length;
        for (uint256 i = 0; i < used; ++i) {
            Earning memory own = earnings[i];
            if (own.clearer != clearer) continue;
            own.nano += uint128(nano);
            return;
        }
        assembly ("memory-safe") {
            mstore(earnings, add(used, 1))
        }
        earnings[used] = Earning(clearer, uint128(nano));
    }

    /// Room for `most` entries, none used yet.
    function room(uint256 most) internal pure returns (Earning[] memory earnings) {
        earnings = new Earning[](most);
        assembly ("memory-safe") {
            mstore(earnings, 0)
        }
    }
}
