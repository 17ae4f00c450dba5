// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What ClearingBook hands out at the margin: floor(energy x total / available), and one Wh more to the first orders while something
/// is left. The library does it in assembly; Arithmetic.t.sol compares both.
contract ShareProof {
    /// A share of a marginal group that is not filled whole leaves room for the Wh of the remainder.
    function share(uint256 energyWh, uint256 total, uint256 available) external pure {
        require(available > 0 && total < available && energyWh > 0 && energyWh < 2 ** 32 && available < 2 ** 64);
        assert((energyWh * total) / available < energyWh);
    }
}

contract RemainderProof {
    /// Order by order, shares x available + remainders = energy x total, and each remainder is below what is available.
    function next(
        uint256 total,
        uint256 available,
        uint256 seen,
        uint256 shares,
        uint256 count,
        uint256 remainder,
        uint256 energyWh
    ) external pure {
        require(available < 2 ** 64 && total < available && seen < available && count < 2 ** 64);
        require(shares * available + remainder == seen * total);
        require(remainder <= count * available);
        require(energyWh > 0 && energyWh <= available - seen);
        uint256 part = (energyWh * total) / available;
        seen += energyWh;
        shares += part;
        count += 1;
        remainder += energyWh * total - part * available;
        assert(shares * available + remainder == seen * total);
        assert(remainder <= count * available);
    }
}

contract TotalProof {
    /// So after the last order what is left is less than one Wh for each: the shares with it sum to the total.
    function last(uint256 total, uint256 available, uint256 shares, uint256 count, uint256 remainder) external pure {
        require(available < 2 ** 64 && available > 0 && total < available && count > 0 && count < 2 ** 64);
        require(shares < 2 ** 64 && shares * available + remainder == available * total);
        require(remainder < count * available);
        assert(shares <= total);
        assert(total - shares < count);
    }
}
