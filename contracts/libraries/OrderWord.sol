// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// One priced step of an order, as it stands in the book: 128 bits, so that a whole book replays cheaply from calldata.
///
///   bits 127..96  point     uint32  metering point (account)
///   bits  95..88  sequence  uint8   the account's sequence byte for the slot; a later order has another one
///   bits  87..80  zone      uint8   zone of the point, copied by the book when it appends
///   bits  79..72  flags     uint8   bit 0: offer (else bid); bit 1: green; bits 3..2: priority class of the point
///   bits  71..40  energyWh  uint32  0 only in the single word of a cancellation
///   bits  39..0   price     int40   limit, micro-token per kWh
type OrderWord is uint128;

using OrderWordLibrary for OrderWord global;

library OrderWordLibrary {
    uint256 internal constant OFFER = 1;
    uint256 internal constant GREEN = 2;

    function pack(
        uint32 point_,
        uint8 sequence_,
        uint8 zone_,
        uint8 flags_,
        uint32 energyWh_,
        int40 price_
    ) internal pure returns (OrderWord) {
        return
            OrderWord.wrap(
                (uint128(point_) << 96) |
                    (uint128(sequence_) << 88) |
                    (uint128(zone_) << 80) |
                    (uint128(flags_) << 72) |
                    (uint128(energyWh_) << 40) |
                    uint128(uint40(price_))
            );
    }

    function point(OrderWord word) internal pure returns (uint32) {
        return uint32(OrderWord.unwrap(word) >> 96);
    }

    function sequence(OrderWord word) internal pure returns (uint8) {
        return uint8(OrderWord.unwrap(word) >> 88);
    }

    function zone(OrderWord word) internal pure returns (uint8) {
        return uint8(OrderWord.unwrap(word) >> 80);
    }

    function flags(OrderWord word) internal pure returns (uint8) {
        return uint8(OrderWord.unwrap(word) >> 72);
    }

    function isOffer(OrderWord word) internal pure returns (bool) {
        return (OrderWord.unwrap(word) >> 72) & OFFER != 0;
    }

    function energyWh(OrderWord word) internal pure returns (uint32) {
        return uint32(OrderWord.unwrap(word) >> 40);
    }

    /// Limit price, micro-token per kWh, sign-extended from 40 bits.
    function price(OrderWord word) internal pure returns (int40) {
        return int40(uint40(OrderWord.unwrap(word)));
    }
}
