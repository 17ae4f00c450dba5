// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {NetworkLimit} from "./MarketTypes.sol";

/// Limits of a meshed network as bytes, one after the other: minWh and maxWh of 8 bytes, then a weight of 4 bytes per zone
/// (two's complement). As memory words the rows of a network of 118 zones and 190 lines would cost more gas than their proof.
library PackedLimits {
    uint256 internal constant HEAD_BYTES = 16;
    uint256 internal constant WEIGHT_BYTES = 4;

    /// `limit` (counted from 0) has weights for another number of zones.
    error WrongWeightCount(uint256 limit, uint256 weights, uint256 zones);
    /// A limit must allow no trade at all: minWh <= 0 <= maxWh.
    error LimitExcludesZero(uint256 limit, int64 minWh, int64 maxWh);

    function bytesPerLimit(uint256 zones) internal pure returns (uint256) {
        return HEAD_BYTES + WEIGHT_BYTES * zones;
    }

    /// Packs the limits `from` .. `to` - 1 of a list, which are checked first.
    function pack(
        NetworkLimit[] calldata limits,
        uint256 from,
        uint256 to,
        uint256 zones
    ) internal pure returns (bytes memory packed) {
        uint256 size = (to - from) * bytesPerLimit(zones);
        // Whole words are written; the last one spills over.
        packed = new bytes(size + 32);
        uint256 target;
        assembly ("memory-safe") {
            mstore(packed, size)
            target := add(packed, 0x20)
        }
        for (uint256 i = from; i < to; ++i) {
            NetworkLimit calldata limit = limits[i];
            int32[] calldata weights = limit.weights;
            (int64 minWh, int64 maxWh) = (limit.minWh, limit.maxWh);
            if (weights.length != zones) revert WrongWeightCount(i, weights.length, zones);
            if (minWh > 0 || maxWh < 0) revert LimitExcludesZero(i, minWh, maxWh);
            assembly ("memory-safe") {
                mstore(target, or(shl(192, minWh), shr(64, shl(192, maxWh))))
                target := add(target, 16)
            }
            for (uint256 zone = 0; zone < zones; ++zone) {
                int256 weight = weights[zone];
                assembly ("memory-safe") {
                    mstore(target, shl(224, weight))
                    target := add(target, 4)
                }
            }
        }
    }

    /// @param packed whole limits of so many zones
    function unpack(bytes memory packed, uint256 zones) internal pure returns (NetworkLimit[] memory limits) {
        limits = new NetworkLimit[](packed.length / bytesPerLimit(zones));
        uint256 source;
        assembly ("memory-safe") {
            source := add(packed, 0x20)
        }
        for (uint256 i = 0; i < limits.length; ++i) {
            NetworkLimit memory limit = limits[i];
            limit.weights = new int32[](zones);
            int64 value;
            assembly ("memory-safe") {
                value := sar(192, mload(source))
            }
            limit.minWh = value;
            assembly ("memory-safe") {
                value := sar(192, mload(add(source, 8)))
                source := add(source, 16)
            }
            limit.maxWh = value;
            for (uint256 zone = 0; zone < zones; ++zone) {
                int32 weight;
                assembly ("memory-safe") {
                    weight := sar(224, mload(source))
                    source := add(source, 4)
                }
                limit.weights[zone] = weight;
            }
        }
    }
}
