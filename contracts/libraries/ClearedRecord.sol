// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAuction} from "../interfaces/IAuction.sol";
import {ClearingOutcome} from "./ClearingTypes.sol";
import {ClearingSubmission, ZonePosting} from "./MarketTypes.sol";

/// An accepted clearing as the record that settlement takes, put together once: what is logged ends with what is hashed.
library ClearedRecord {
    /// Emits IAuction.Cleared for the sender.
    /// @param positions of the record
    /// @param extras of the record
    /// @return digest bytes28(keccak256(abi.encode(record))), as RecordDigest
    function log(
        ClearingSubmission calldata submission,
        ClearingOutcome memory outcome,
        bytes memory positions,
        bytes memory extras
    ) internal returns (bytes28 digest) {
        uint256 slot = submission.slot;
        ZonePosting[] calldata postings = submission.postings;
        bytes32 topic = IAuction.Cleared.selector;
        bytes32 hash;
        // abi.encode(record, boughtWh, welfareNano): offset of the record, two words, then the record: nine words, the offsets among
        // them counted from its begin, then prices, positions and extras, each with its length and padded with zeros.
        // Fields of ClearingOutcome: boughtWh 0x00, backupSoldWh 0x20, backupBoughtWh 0x40, backupNano 0x60, congestionNano 0x80,
        // welfareNano 0xc0. Price is the first of the five words of a ZonePosting.
        assembly ("memory-safe") {
            let data := mload(0x40)
            let record := add(data, 0x60)
            mstore(record, slot)
            mstore(add(record, 0x20), caller())
            mstore(add(record, 0x40), 0x120)
            mcopy(add(record, 0x60), add(outcome, 0x20), 0x80)
            let end := add(record, 0x120)
            mstore(end, postings.length)
            end := add(end, 0x20)
            for {
                let posting := postings.offset
                let last := add(posting, mul(postings.length, 0xa0))
            } lt(posting, last) {
                posting := add(posting, 0xa0)
            } {
                mstore(end, calldataload(posting))
                end := add(end, 0x20)
            }
            function append(from, to) -> behind {
                let size := mload(from)
                behind := add(add(to, 0x20), and(add(size, 31), not(31)))
                mstore(sub(behind, 0x20), 0)
                mcopy(to, from, add(size, 0x20))
            }
            mstore(add(record, 0xe0), sub(end, record))
            end := append(positions, end)
            mstore(add(record, 0x100), sub(end, record))
            end := append(extras, end)
            // abi.encode(record) is the record's offset, 0x20, and the record.
            mstore(add(data, 0x40), 0x20)
            hash := keccak256(add(data, 0x40), sub(end, add(data, 0x40)))
            mstore(data, 0x60)
            mstore(add(data, 0x20), mload(outcome))
            mstore(add(data, 0x40), mload(add(outcome, 0xc0)))
            log3(data, sub(end, data), topic, slot, caller())
        }
        return bytes28(hash);
    }
}
