// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {DaySteps} from "./DaySteps.sol";
import {PackedDays} from "./PackedDays.sol";

/// EIP-712 hashes of a day order, as wallets show it and as packed bytes.
library DayHash {
    bytes32 internal constant TYPEHASH = keccak256(
        "DayOrder(uint32 point,uint32 firstSlot,uint8 stepsPerSlot,uint8 sequence,bool green,int24[] energyWh,int40[] priceMicroPerKwh)"
    );

    bytes32 internal constant PACKED_TYPEHASH = keccak256("PackedDayOrder(bytes order)");
    /// Where the head tells the length of the signature, which is not signed.
    uint256 private constant LENGTH_PLACE = 12;

    /// Struct hash of the order's bytes up to its last step, with zeros for the length of the signature.
    function packedHash(PackedDays.Day memory day) internal pure returns (bytes32) {
        uint256 head = day.head;
        uint256 length = day.end - head;
        bytes32 contentHash;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, head, length)
            mstore8(add(free, LENGTH_PLACE), 0)
            mstore8(add(free, add(LENGTH_PLACE, 1)), 0)
            contentHash := keccak256(free, length)
        }
        return keccak256(abi.encode(PACKED_TYPEHASH, contentHash));
    }

    /// Struct hash; the steps stand unpacked in memory (DaySteps): `energies` points at the energies, 32 bytes each, the prices stand DaySteps.GAP further on.
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
