// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISettlement} from "../interfaces/ISettlement.sol";
import {SlotTime} from "./SlotTime.sol";

/// What a share was worth at one moment, and of which slots that not were final: so that, when they are, one can tell whether the
/// money of any of them was changed.
library PriceMarks {
    struct Mark {
        uint256 assets;
        uint256 supply;
        uint32 slot;
        uint32 executedSlot;
        /// Last final slot when it was marked.
        uint32 after_;
        /// Which of the slots from `after_` + 1 on were settled and could be settled anew, a bit each, the first one lowest; and a hash of
        /// their versions.
        uint256 settled;
        bytes32 versions;
    }

    function set(Mark storage self, ISettlement settlement, uint256 assets, uint256 supply) internal {
        self.assets = assets;
        self.supply = supply;
        self.slot = SlotTime.current();
        self.after_ = settlement.finalThrough();
        (self.settled, self.versions) = _read(settlement, self.after_, self.slot, type(uint256).max);
    }

    /// Whether all slots that could be settled anew then are settled as they were. False as well when the ring knows some of them
    /// no longer.
    function holds(Mark storage self, ISettlement settlement) internal view returns (bool) {
        uint256 settled = self.settled;
        (uint256 found, bytes32 versions) = _read(settlement, self.after_, self.slot, settled);
        return found == settled && versions == self.versions;
    }

    /// First slot up to `through` that is not settled; 0 when all are.
    function firstUnsettled(ISettlement settlement, uint32 through) internal view returns (uint32) {
        for (uint32 slot = settlement.finalThrough() + 1; slot <= through; ++slot) {
            (ISettlement.Status status, , ) = settlement.statusOf(slot);
            if (status != ISettlement.Status.Settled) return slot;
        }
        return 0;
    }

    function _read(
        ISettlement settlement,
        uint32 after_,
        uint32 before,
        uint256 wanted
    ) private view returns (uint256 settled, bytes32 versions) {
        // No slot is settled beyond the ring.
        uint256 length = before > after_ + 1 ? before - after_ - 1 : 0;
        if (length > SlotTime.RING) length = SlotTime.RING;
        bytes memory bytes_ = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            if ((wanted >> i) & 1 == 0) continue;
            (ISettlement.Status status, uint32 since, uint8 version) = settlement.statusOf(after_ + 1 + uint32(i));
            if (status != ISettlement.Status.Settled) continue;
            // Nobody can settle these anew: estimated ones, and those whose window is over.
            if (version == 0 || since + SlotTime.FINAL_SLOTS <= before) continue;
            settled |= uint256(1) << i;
            bytes_[i] = bytes1(version);
        }
        versions = keccak256(bytes_);
    }
}
