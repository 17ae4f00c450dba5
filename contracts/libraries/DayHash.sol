// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DaySteps} from "./DaySteps.sol";
import {PackedDays} from "./PackedDays.sol";

/// EIP-712 hash of a day order whose steps stand unpacked in memory (DaySteps).
library DayHash {
    bytes32 internal constant TYPEHASH = keccak256(
        "DayOrder(uint32 point,uint32 firstSlot,uint8 stepsPerSlot,uint8 sequence,bool green,int24[] energyWh,int40[] priceMicroPerKwh)"
    );

    /// Struct hash; `energies` points at the energies, 32 bytes each, the prices stand DaySteps.GAP further on.
    function structHash(PackedDays.Day memory day, uint256 energies) internal pure returns (bytes32) {
        uint256 prices = energies + DaySteps.GAP;
        uint256 length = day.slots * day.steps * 32;
        bytes32 energyHash;
        bytes32 priceHash;
        assembly ("memory-safe") {
            energyHash := keccak256(energies, length)
            priceHash := keccak256(prices, length)
        }
        return
            keccak256(
                abi.encode(
                    TYPEHASH,
                    day.point,
                    day.firstSlot,
                    day.steps,
                    day.sequence,
                    day.green,
                    energyHash,
                    priceHash
                )
            );
    }
}
