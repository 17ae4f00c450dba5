// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISettlement} from "../interfaces/ISettlement.sol";
import {ClearingRecord} from "../interfaces/IAuction.sol";

/// Makes many slots that nobody reported final in few transactions. For tests only.
contract TestBatch {
    ISettlement public immutable settlement;

    constructor(ISettlement settlement_) {
        settlement = settlement_;
    }

    /// Slots that are open, from `first` to `last`.
    function estimate(uint32 first, uint32 last) external {
        for (uint32 slot = first; slot <= last; ++slot) {
            (ISettlement.Status status, , ) = settlement.statusOf(slot);
            if (status == ISettlement.Status.Open) settlement.estimate(slot);
        }
    }

    /// Slots that are estimated and were not cleared.
    function settle(uint32 first, uint32 last) external {
        for (uint32 slot = first; slot <= last; ++slot) {
            (ISettlement.Status status, , ) = settlement.statusOf(slot);
            if (status != ISettlement.Status.Estimated) continue;
            ClearingRecord memory record;
            record.slot = slot;
            settlement.settleEstimated(record);
        }
    }
}
