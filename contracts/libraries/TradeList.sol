// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {TradeTerms} from "./MarketTypes.sol";
import {SlotTime} from "./SlotTime.sol";
import {TradeWord} from "./TradeWord.sol";

/// The bilateral trades of every slot as one running hash (28 bytes) with their number, one storage word per slot in the ring; entries
/// of older laps read as empty.
///
///   bits 255..32 hash   bits 31..24 number of words   bits 23..0 slot
library TradeList {
    uint256 internal constant WORD_BYTES = 32;

    function get(
        mapping(uint256 ringIndex => uint256 entry) storage ring,
        uint32 slot
    ) internal view returns (bytes28 hash, uint256 count) {
        uint256 entry = ring[slot % SlotTime.RING];
        if (uint24(entry) != slot) return (0, 0);
        return (bytes28(bytes32(entry)), uint8(entry >> 24));
    }

    /// Folds one more word; its number stays below 256.
    function add(
        mapping(uint256 ringIndex => uint256 entry) storage ring,
        uint32 slot,
        TradeWord word
    ) internal returns (uint256 count) {
        bytes28 hash;
        (hash, count) = get(ring, slot);
        ++count;
        ring[slot % SlotTime.RING] = uint256(bytes32(fold(hash, word))) | (count << 24) | slot;
    }

    /// bytes28(keccak256(hash before, word)); the hash before the first word is zero.
    function fold(bytes28 hash, TradeWord word) internal pure returns (bytes28) {
        return bytes28(keccak256(abi.encodePacked(hash, TradeWord.unwrap(word))));
    }

    /// Hash of a whole list, 32 bytes per word.
    function hashOf(bytes calldata words) internal pure returns (bytes28 hash) {
        for (uint256 at = 0; at + WORD_BYTES <= words.length; at += WORD_BYTES) {
            hash = fold(hash, TradeWord.wrap(uint256(bytes32(words[at:at + WORD_BYTES]))));
        }
    }

    /// What the clearing sees of a list: one entry per word, without energy where the word was undone or undoes one.
    function terms(bytes calldata words) internal pure returns (TradeTerms[] memory list) {
        list = new TradeTerms[](words.length / WORD_BYTES);
        uint256[] memory live = new uint256[](list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            TradeWord word = TradeWord.wrap(uint256(bytes32(words[i * WORD_BYTES:(i + 1) * WORD_BYTES])));
            list[i] = TradeTerms(word.from(), word.to(), 0, word.maxSpread());
            if (!word.cancels()) {
                live[i] = TradeWord.unwrap(word);
                list[i].limitWh = word.energyWh();
                continue;
            }
            for (uint256 j = 0; j < i; ++j) {
                if (live[j] == 0 || TradeWord.unwrap(TradeWord.wrap(live[j]).cancelling()) != TradeWord.unwrap(word))
                    continue;
                live[j] = 0;
                list[j].limitWh = 0;
                break;
            }
        }
    }
}
