// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Earning} from "../../contracts/interfaces/ILedger.sol";
import {WordFees} from "../../contracts/libraries/WordFees.sol";

/// Words counted in pages against a plain count per point, over several slots and clearers.
contract WordFeesTest {
    uint256 private constant SLOTS = 4;

    function testFuzz_CountsChargesAndCredits(uint256 seed, uint8 points_, uint32 wordFeeNano) external pure {
        uint256 points = uint256(points_) % 40;
        uint256 pages = (points + WordFees.PAGE - 1) / WordFees.PAGE;
        bytes memory positions = new bytes(pages * WordFees.PAGE * 4);
        bytes memory counts = new bytes(positions.length);
        Earning[] memory earnings = WordFees.room(SLOTS);
        int128[] memory deltas = new int128[](points);
        int256[] memory expected = new int256[](points);
        uint256[3] memory earned;
        for (uint256 slot = 0; slot < SLOTS; ++slot) {
            uint256 sum;
            for (uint256 point = 0; point < points; ++point) {
                uint256 raw = uint32(_random(seed, slot * 100 + point));
                for (uint256 i = 0; i < 4; ++i) positions[point * 4 + i] = bytes1(uint8(raw >> (24 - 8 * i)));
                uint256 words = (raw >> 24) & 127;
                expected[point] -= int256(words * wordFeeNano);
                sum += words;
            }
            require(WordFees.add(positions, counts) == sum, "sum of words");
            uint256 clearer = _random(seed, 1_000 + slot) % 3;
            earned[clearer] += sum * wordFeeNano;
            WordFees.credit(earnings, address(uint160(clearer + 1)), sum * wordFeeNano);
        }
        WordFees.charge(counts, deltas, wordFeeNano);
        int256 total;
        for (uint256 point = 0; point < points; ++point) {
            require(deltas[point] == expected[point], "charge");
            total += deltas[point];
        }
        for (uint256 i = 0; i < earnings.length; ++i) {
            for (uint256 j = 0; j < i; ++j) require(earnings[i].clearer != earnings[j].clearer, "one entry each");
            require(earnings[i].nano == earned[uint160(earnings[i].clearer) - 1], "credit");
            total += int256(uint256(earnings[i].nano));
        }
        require(total == 0, "what is charged is earned");
    }

    function _random(uint256 seed, uint256 index) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, index)));
    }
}
