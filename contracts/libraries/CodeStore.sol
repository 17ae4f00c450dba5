// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Bytes kept as the code of a contract that cannot run: written once, read whole for one account access.
library CodeStore {
    error NotStored(uint256 length);

    /// Stores at most 24,575 bytes.
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
}
