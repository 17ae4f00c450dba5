// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// A bilateral trade in one slot, as the registry folds it and the record keeps it:
///
///   bits 255..224 seller's point  bits 223..192 buyer's point  bits 191..184 seller's zone  bits 183..176 buyer's zone
///   bits 175..144 energyWh        bits 143..104 agreed price   bits 103..64  maxSpread       bit 1 cancels  bit 0 seller bears the spread
///
/// Prices micro-token per kWh, two's complement. A word with the cancelling bit undoes the first earlier one that is equal but for it.
type TradeWord is uint256;

using TradeWordLibrary for TradeWord global;

library TradeWordLibrary {
    uint256 internal constant SELLER_BEARS = 1;
    uint256 internal constant CANCELS = 2;

    function pack(
        uint32 seller_,
        uint32 buyer_,
        uint8 from_,
        uint8 to_,
        uint32 energyWh_,
        int40 price_,
        int40 maxSpread_,
        bool sellerBears
    ) internal pure returns (TradeWord) {
        uint256 points =
            (uint256(seller_) << 224) | (uint256(buyer_) << 192) | (uint256(from_) << 184) | (uint256(to_) << 176);
        uint256 prices = (uint256(uint40(price_)) << 104) | (uint256(uint40(maxSpread_)) << 64);
        return TradeWord.wrap(points | (uint256(energyWh_) << 144) | prices | (sellerBears ? SELLER_BEARS : 0));
    }

    function seller(TradeWord word) internal pure returns (uint256) {
        return TradeWord.unwrap(word) >> 224;
    }

    function buyer(TradeWord word) internal pure returns (uint256) {
        return uint32(TradeWord.unwrap(word) >> 192);
    }

    function from(TradeWord word) internal pure returns (uint8) {
        return uint8(TradeWord.unwrap(word) >> 184);
    }

    function to(TradeWord word) internal pure returns (uint8) {
        return uint8(TradeWord.unwrap(word) >> 176);
    }

    function energyWh(TradeWord word) internal pure returns (uint32) {
        return uint32(TradeWord.unwrap(word) >> 144);
    }

    function price(TradeWord word) internal pure returns (int256) {
        return int40(uint40(TradeWord.unwrap(word) >> 104));
    }

    function maxSpread(TradeWord word) internal pure returns (int40) {
        return int40(uint40(TradeWord.unwrap(word) >> 64));
    }

    function sellerBearsSpread(TradeWord word) internal pure returns (bool) {
        return TradeWord.unwrap(word) & SELLER_BEARS != 0;
    }

    function cancels(TradeWord word) internal pure returns (bool) {
        return TradeWord.unwrap(word) & CANCELS != 0;
    }

    /// The word that undoes this one.
    function cancelling(TradeWord word) internal pure returns (TradeWord) {
        return TradeWord.wrap(TradeWord.unwrap(word) | CANCELS);
    }
}
