// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMeterOracle} from "../interfaces/IMeterOracle.sol";

/// A report as it is signed and as it is logged: both are ranges of these words, nothing is copied for either.
struct ReportWords {
    bytes32 typehash;
    uint256 slot;
    uint256 version;
    uint256 attempt;
    bytes32 readingsHash;
    bytes32 root;
    /// A bit per node.
    uint256 signers;
}

using ReportWordsLibrary for ReportWords global;

library ReportWordsLibrary {
    /// Of a packed report (IMeterOracle.reportMany), what stands before its signatures.
    uint256 private constant HEAD_BYTES = 71;
    uint256 private constant SIGNATURE_BYTES = 65;

    /// Reads the first one of packed reports; its signatures, and the reports behind it.
    function readFirst(
        ReportWords memory words,
        bytes calldata reports
    ) internal pure returns (bytes calldata signatures, bytes calldata rest) {
        uint256 size;
        assembly ("memory-safe") {
            let from := reports.offset
            let head := calldataload(from)
            mstore(add(words, 32), shr(224, head))
            mstore(add(words, 64), byte(4, head))
            mstore(add(words, 96), byte(5, head))
            calldatacopy(add(words, 128), add(from, 7), 64)
            signatures.offset := add(from, HEAD_BYTES)
            signatures.length := mul(byte(6, head), SIGNATURE_BYTES)
            size := add(signatures.length, HEAD_BYTES)
            rest.offset := add(from, size)
            rest.length := sub(reports.length, size)
        }
        // What lies beyond the end was read as well, whatever stands there; it is not used.
        if (size > reports.length) revert IMeterOracle.MalformedReports(reports.length);
    }

    /// What the nodes signed (EIP-712).
    function digest(ReportWords memory words, bytes32 domain) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, shl(240, 0x1901))
            mstore(add(free, 2), domain)
            mstore(add(free, 34), keccak256(words, 192))
            hash := keccak256(free, 66)
        }
    }

    /// keccak256(abi.encode(slot, version, readingsHash, root)).
    function stored(ReportWords memory words) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mcopy(free, add(words, 32), 64)
            mcopy(add(free, 64), add(words, 128), 64)
            hash := keccak256(free, 128)
        }
    }

    /// Emits `Reported`.
    function log(ReportWords memory words) internal {
        bytes32 topic = IMeterOracle.Reported.selector;
        assembly ("memory-safe") {
            log2(add(words, 64), 160, topic, mload(add(words, 32)))
        }
    }
}
