// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What the order book looks at once per batch: the market's state, and the zones whose open books an islanding voided.
///
///   bits 167..160 market state   bits 159..128 last slot with a voided book   bits 127..0 voided zones
type EmergencyWord is uint256;

using EmergencyWordLibrary for EmergencyWord global;

library EmergencyWordLibrary {
    uint256 private constant STATE_SHIFT = 160;

    function state(EmergencyWord word) internal pure returns (uint256) {
        return EmergencyWord.unwrap(word) >> STATE_SHIFT;
    }

    function withState(EmergencyWord word, uint256 state_) internal pure returns (EmergencyWord) {
        return EmergencyWord.wrap(uint256(uint160(EmergencyWord.unwrap(word))) | (state_ << STATE_SHIFT));
    }

    /// Adds zones voided in every open book up to `through`, the last slot that takes orders in the current slot `current`. Zones
    /// of an earlier islanding stay while one of its slots is to come.
    function withVoid(
        EmergencyWord word,
        uint256 zones,
        uint32 current,
        uint32 through
    ) internal pure returns (EmergencyWord) {
        uint256 raw = EmergencyWord.unwrap(word);
        if (uint32(raw >> 128) > current) zones |= uint128(raw);
        return EmergencyWord.wrap(((raw >> STATE_SHIFT) << STATE_SHIFT) | (uint256(through) << 128) | zones);
    }

    /// Zones voided in a slot.
    function voidedIn(EmergencyWord word, uint256 slot) internal pure returns (uint256 zones) {
        uint256 raw = EmergencyWord.unwrap(word);
        return slot > uint32(raw >> 128) ? 0 : uint128(raw);
    }
}
