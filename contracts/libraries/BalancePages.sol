// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Balances of accounts, two int128 per storage word: neighbours in one settlement share a write.
/// Even accounts stand in the low half. Callers keep balances far inside the range, so sums are not checked here.
library BalancePages {
    function get(mapping(uint256 page => uint256 pair) storage self, uint32 account) internal view returns (int128) {
        return int128(uint128(self[account >> 1] >> (uint256(account & 1) << 7)));
    }

    function add(mapping(uint256 page => uint256 pair) storage self, uint32 account, int128 delta) internal {
        if (delta == 0) return;
        uint256 pair = self[account >> 1];
        self[account >> 1] = account & 1 == 0 ? _sum(pair, delta, 0) : _sum(pair, 0, delta);
    }

    /// Adds `deltas[i]` to account `first + i` and returns the sum of all deltas.
    function addAll(
        mapping(uint256 page => uint256 pair) storage self,
        uint32 first,
        int128[] calldata deltas
    ) internal returns (int256 sum) {
        uint256 i = 0;
        unchecked {
            if (first & 1 == 1 && deltas.length != 0) {
                add(self, first, deltas[0]);
                sum = deltas[0];
                i = 1;
            }
            for (; i + 1 < deltas.length; i += 2) {
                int128 low = deltas[i];
                int128 high = deltas[i + 1];
                if (low == 0 && high == 0) continue;
                uint256 page = (uint256(first) + i) >> 1;
                self[page] = _sum(self[page], low, high);
                sum += int256(low) + int256(high);
            }
            if (i < deltas.length) {
                add(self, first + uint32(i), deltas[i]);
                sum += deltas[i];
            }
        }
    }

    function _sum(uint256 pair, int128 low, int128 high) private pure returns (uint256) {
        unchecked {
            int128 newLow = int128(uint128(pair)) + low;
            int128 newHigh = int128(uint128(pair >> 128)) + high;
            return (uint256(uint128(newHigh)) << 128) | uint128(newLow);
        }
    }
}
