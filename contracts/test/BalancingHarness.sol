// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EnvelopeCharges} from "../libraries/EnvelopeCharges.sol";
import {SharedCost} from "../libraries/SharedCost.sol";
import {SlotReadings, WholeSlots} from "../libraries/WholeSlots.sol";

/// The pure libraries of balancing, for comparison with their TypeScript. Not deployed in a market.
contract BalancingHarness {
    function charge(
        bytes memory list,
        uint256[] memory words,
        bytes memory readings,
        uint256 price
    ) external pure returns (int128[] memory deltas, int256 chargedNano) {
        deltas = new int128[](words.length);
        chargedNano = EnvelopeCharges.charge(list, words, readings, deltas, price);
    }

    function rootOf(uint32 slot, SlotReadings calldata given) external pure returns (bytes32) {
        return WholeSlots.rootOf(slot, given);
    }

    function split(
        uint256 amount,
        uint256 all,
        uint256[] memory weights,
        uint256 before
    ) external pure returns (uint256[] memory shares, uint256 through) {
        return SharedCost.split(amount, all, weights, before);
    }
}
