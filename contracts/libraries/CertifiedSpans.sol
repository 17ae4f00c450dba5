// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Certification} from "../interfaces/IGenerators.sol";

/// A stretch of slots that are all certified, or all not.
struct CertifiedSpan {
    uint32 untilSlot;
    uint32 maintainedSlot;
    bool certified;
}

/// All periods in which a generator was certified by its certificate and by maintenance dates, one word each; the latest one is read
/// first. Periods never overlap and stand in ascending order.
library CertifiedSpans {
    uint256 private constant SLOTS_PER_DAY = 96;
    uint32 private constant NEVER = type(uint32).max;

    struct Spans {
        Certification latest;
        /// bits 95..64 maintained, 63..32 until, 31..0 from.
        mapping(uint256 index => uint256) older;
    }

    function begin(Spans storage self, uint32 commissionedSlot, uint16 maintenanceDays) internal {
        self.latest.maintenanceDue = dueAfter(commissionedSlot, maintenanceDays);
    }

    /// From `from` on, or from where the running period began. The caller checked that `from` < maintenanceDue.
    function certify(
        Spans storage self,
        uint32 from,
        uint32 expirySlot
    ) internal returns (uint32 fromSlot, uint32 untilSlot) {
        Certification memory latest = self.latest;
        if (latest.untilSlot < from) {
            _keep(self, latest);
            latest.fromSlot = from;
        }
        latest.expirySlot = expirySlot;
        latest.untilSlot = _min(expirySlot, latest.maintenanceDue);
        self.latest = latest;
        return (latest.fromSlot, latest.untilSlot);
    }

    /// Nothing is certified from `slot` on until the next `certify`.
    function end(Spans storage self, uint32 slot) internal {
        Certification memory latest = self.latest;
        if (latest.expirySlot > slot) latest.expirySlot = slot;
        if (latest.untilSlot > slot) latest.untilSlot = slot < latest.fromSlot ? latest.fromSlot : slot;
        self.latest = latest;
        // Maintained in this very slot: the period before reaches to its end.
        if (slot >= latest.fromSlot || latest.older == 0) return;
        uint256 word = self.older[latest.older - 1];
        if (uint32(word >> 32) <= slot) return;
        self.older[latest.older - 1] = (word & ~(uint256(NEVER) << 32)) | (uint256(slot) << 32);
    }

    /// Starts a new period at `from`: the operating hours of each period count for themselves.
    function maintain(
        Spans storage self,
        uint32 from,
        uint16 maintenanceDays
    ) internal returns (uint32 maintenanceDue, uint32 untilSlot) {
        Certification memory latest = self.latest;
        if (latest.untilSlot > from) latest.untilSlot = from;
        _keep(self, latest);
        latest.fromSlot = from;
        latest.maintainedSlot = from;
        latest.maintenanceDue = dueAfter(from, maintenanceDays);
        untilSlot = _min(latest.expirySlot, latest.maintenanceDue);
        latest.untilSlot = untilSlot < from ? from : untilSlot;
        self.latest = latest;
        return (latest.maintenanceDue, latest.untilSlot);
    }

    /// The stretch that `slot` lies in.
    function spanAt(Spans storage self, uint32 slot) internal view returns (CertifiedSpan memory span) {
        Certification memory latest = self.latest;
        if (slot >= latest.untilSlot) return CertifiedSpan(NEVER, latest.maintainedSlot, false);
        if (slot >= latest.fromSlot) return CertifiedSpan(latest.untilSlot, latest.maintainedSlot, true);
        uint32 next = latest.fromSlot;
        for (uint256 i = latest.older; i != 0; --i) {
            uint256 word = self.older[i - 1];
            if (slot >= uint32(word >> 32)) return CertifiedSpan(next, uint32(word >> 64), false);
            if (slot >= uint32(word)) return CertifiedSpan(uint32(word >> 32), uint32(word >> 64), true);
            next = uint32(word);
        }
        return CertifiedSpan(next, 0, false);
    }

    /// Whether any slot from `from` until before `until` is certified.
    function touches(Spans storage self, uint32 from, uint32 until) internal view returns (bool) {
        while (from < until) {
            CertifiedSpan memory span = spanAt(self, from);
            if (span.certified) return true;
            from = span.untilSlot;
        }
        return false;
    }

    function dueAfter(uint32 slot, uint16 maintenanceDays) internal pure returns (uint32) {
        if (maintenanceDays == 0) return NEVER;
        uint256 due = uint256(slot) + maintenanceDays * SLOTS_PER_DAY;
        return due < NEVER ? uint32(due) : NEVER;
    }

    /// Puts the latest period to the older ones, unless it is empty.
    function _keep(Spans storage self, Certification memory latest) private {
        if (latest.untilSlot <= latest.fromSlot) return;
        self.older[latest.older++] =
            (uint256(latest.maintainedSlot) << 64) |
            (uint256(latest.untilSlot) << 32) |
            latest.fromSlot;
    }

    function _min(uint32 a, uint32 b) private pure returns (uint32) {
        return a < b ? a : b;
    }
}
