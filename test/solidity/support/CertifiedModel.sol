// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Which slots are certified, kept slot by slot (a bit each) instead of by periods: what the tests compare Generators with.
library CertifiedModel {
    uint32 internal constant NEVER = type(uint32).max;

    struct Model {
        /// The last slot whose bit stands; the present one.
        uint32 present;
        uint32 expiry;
        uint32 due;
        uint16 maintenanceDays;
        bool consented;
        bool flagged;
        mapping(uint256 day => uint256 bits) certified;
        /// First slots after recorded maintenance.
        uint32[] maintained;
    }

    /// The slots up to `to` are certified by what is known now.
    function advance(Model storage self, uint32 to) internal {
        uint32 over = self.expiry < self.due ? self.expiry : self.due;
        uint32 through = to + 1 < over ? to + 1 : over;
        for (uint32 from = self.present + 1; from < through; from = _nextDay(from)) {
            uint32 until = _nextDay(from) < through ? _nextDay(from) : through;
            self.certified[from / 96] |= ((1 << (until - from)) - 1) << (from % 96);
        }
        self.present = to;
    }

    function certify(Model storage self, uint32 expiry) internal {
        self.expiry = expiry;
    }

    /// From the present slot on.
    function end(Model storage self) internal {
        if (self.expiry > self.present) self.expiry = self.present;
        self.certified[self.present / 96] &= ~(uint256(1) << (self.present % 96));
    }

    function maintain(Model storage self) internal {
        self.maintained.push(self.present + 1);
        if (self.maintenanceDays != 0) self.due = self.present + 1 + uint32(self.maintenanceDays) * 96;
    }

    function isCertified(Model storage self, uint32 slot) internal view returns (bool) {
        return (self.certified[slot / 96] >> (slot % 96)) & 1 == 1;
    }

    /// Whether any slot from `from` until before `until` is.
    function touches(Model storage self, uint32 from, uint32 until) internal view returns (bool) {
        for (; from < until; from = _nextDay(from)) {
            uint32 to = _nextDay(from) < until ? _nextDay(from) : until;
            if ((self.certified[from / 96] >> (from % 96)) & ((1 << (to - from)) - 1) != 0) return true;
        }
        return false;
    }

    /// Number of recorded maintenances that lie before a slot.
    function maintenancesBefore(Model storage self, uint32 slot) internal view returns (uint256 count) {
        count = self.maintained.length;
        while (count != 0 && self.maintained[count - 1] > slot) --count;
    }

    function _nextDay(uint32 slot) private pure returns (uint32) {
        return slot - (slot % 96) + 96;
    }
}
