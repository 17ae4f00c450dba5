// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// An amount shared by weights, exactly, in any chunks: the first k together get floor(amount x their weights / all weights). So every
/// share is within one unit of its proportion, and all sum to the amount. (Largest remainders would need all of them sorted at once.)
library SharedCost {
    /// Shares of the next parties.
    /// @param all sum of the weights of all parties, not zero
    /// @param before sum of the weights of the parties before these
    /// @return shares one per weight
    /// @return through weights up to and with the last of these
    function split(
        uint256 amount,
        uint256 all,
        uint256[] memory weights,
        uint256 before
    ) internal pure returns (uint256[] memory shares, uint256 through) {
        shares = new uint256[](weights.length);
        through = before;
        uint256 given = (amount * before) / all;
        for (uint256 i = 0; i < weights.length; ++i) {
            if (weights[i] == 0) continue;
            through += weights[i];
            uint256 next = (amount * through) / all;
            shares[i] = next - given;
            given = next;
        }
    }
}
