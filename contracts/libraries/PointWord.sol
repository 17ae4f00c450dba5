// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A metering point in one storage word, so that an order costs one read.
///
///   bits 255..248 handovers     bits 247..246 priority class, 245..240 raises: together what a margin was checked for
///   bits 239..216 tradeLimitWh  bits 215..192 exportLimitWh  bits 191..168 importLimitWh
///   bits 167..160 zone          bits 159..0   owner (zero = no such point)
type PointWord is uint256;

using PointWordLibrary for PointWord global;

library PointWordLibrary {
    function pack(
        address owner_,
        uint8 zone_,
        uint24 importLimitWh_,
        uint24 exportLimitWh_,
        uint24 tradeLimitWh_,
        uint8 raises_,
        uint8 handovers_
    ) internal pure returns (PointWord) {
        uint256 limits =
            (uint256(tradeLimitWh_) << 216) | (uint256(exportLimitWh_) << 192) | (uint256(importLimitWh_) << 168);
        return
            PointWord.wrap(
                (uint256(handovers_) << 248) |
                    (uint256(raises_) << 240) |
                    limits |
                    (uint256(zone_) << 160) |
                    uint256(uint160(owner_))
            );
    }

    function owner(PointWord word) internal pure returns (address) {
        return address(uint160(PointWord.unwrap(word)));
    }

    function zone(PointWord word) internal pure returns (uint8) {
        return uint8(PointWord.unwrap(word) >> 160);
    }

    function importLimitWh(PointWord word) internal pure returns (uint24) {
        return uint24(PointWord.unwrap(word) >> 168);
    }

    function exportLimitWh(PointWord word) internal pure returns (uint24) {
        return uint24(PointWord.unwrap(word) >> 192);
    }

    function tradeLimitWh(PointWord word) internal pure returns (uint24) {
        return uint24(PointWord.unwrap(word) >> 216);
    }

    /// Changes with every raise of the trading limit, and with the priority class.
    function raises(PointWord word) internal pure returns (uint8) {
        return uint8(PointWord.unwrap(word) >> 240);
    }

    /// Priority class of the point's bids: 0 normal, 1 opportunistic, 2 critical, 3 emergency.
    function priority(PointWord word) internal pure returns (uint8) {
        return uint8(PointWord.unwrap(word) >> 246) & 3;
    }

    function handovers(PointWord word) internal pure returns (uint8) {
        return uint8(PointWord.unwrap(word) >> 248);
    }
}
