// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Baselines of demand response: the mean of the highest `high` of the last `days` eligible days, in the same slots (NAESB REQ.13 "baseline
/// type I, interval meter"; "high 5 of 10" is NYISO's customer baseline load, Emergency Demand Response Program Manual, section 5.2).
/// Energy Wh. Twin: services/core/demand/baseline.ts.
library Baseline {
    /// Saturdays and Sundays in UTC; day 0 was a Thursday.
    function isWeekend(uint256 day) internal pure returns (bool) {
        return (day + 3) % 7 > 4;
    }

    /// How many days count of `found`: the same share of them, rounded up.
    function highOf(uint256 found, uint256 high, uint256 days_) internal pure returns (uint256) {
        return (found * high + days_ - 1) / days_;
    }

    /// Mean of the highest `high` entries from index 1 on; index 0 is the event itself. Overwrites `totals`.
    function highMean(uint256[] memory totals, uint256 high, bool roundUp) internal pure returns (uint256) {
        uint256 sum;
        uint256 length = totals.length;
        for (uint256 taken = 0; taken < high; ++taken) {
            uint256 best = 1;
            for (uint256 i = 2; i < length; ++i) if (totals[i] > totals[best]) best = i;
            sum += totals[best];
            totals[best] = 0;
        }
        return roundUp ? (sum + high - 1) / high : sum / high;
    }

    /// What of the difference counts: less than the baseline where less was asked for, more where more.
    function response(uint256 baselineWh, uint256 meteredWh, bool increase) internal pure returns (uint256) {
        (uint256 most, uint256 least) = increase ? (meteredWh, baselineWh) : (baselineWh, meteredWh);
        return most > least ? most - least : 0;
    }
}
