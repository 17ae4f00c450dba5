// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Bytes kept as the code of a contract that cannot run: written once, read whole for one account access.
library CodeStore {
    error NotStored(uint256 length);

    /// What one contract's code can hold (EIP-170), after the STOP.
    uint256 internal constant MOST_BYTES = 24_575;

    /// Stores at most MOST_BYTES.
    function write(bytes memory data) internal returns (address pointer) {
        // Init code returns everything after its 11 bytes: a STOP, then the data.
        bytes memory initCode = abi.encodePacked(hex"600b5981380380925939f300", data);
        assembly ("memory-safe") {
            pointer := create(0, add(initCode, 32), mload(initCode))
        }
        if (pointer == address(0)) revert NotStored(data.length);
    }

    function read(address pointer) internal view returns (bytes memory data) {
        assembly ("memory-safe") {
            let size := sub(extcodesize(pointer), 1)
            data := mload(0x40)
            mstore(0x40, add(data, and(add(size, 63), not(31))))
            mstore(data, size)
            extcodecopy(pointer, add(data, 32), 1, size)
        }
    }

    /// The first `length` bytes of what is stored, without asking for its size.
    function readFirst(address pointer, uint256 length) internal view returns (bytes memory data) {
        assembly ("memory-safe") {
            data := mload(0x40)
            mstore(0x40, add(data, and(add(length, 63), not(31))))
            mstore(data, length)
            extcodecopy(pointer, add(data, 32), 1, length)
        }
    }

    /// What several pointers hold, one after the other.
    function readAll(address[] memory pointers) internal view returns (bytes memory data) {
        assembly ("memory-safe") {
            data := mload(0x40)
            let at := add(data, 32)
            let item := add(pointers, 32)
            for {
                let end := add(item, shl(5, mload(pointers)))
            } lt(item, end) {
                item := add(item, 32)
            } {
                let size := sub(extcodesize(mload(item)), 1)
                extcodecopy(mload(item), at, 1, size)
                at := add(at, size)
            }
            mstore(data, sub(sub(at, data), 32))
            mstore(0x40, and(add(at, 31), not(31)))
        }
    }
}
