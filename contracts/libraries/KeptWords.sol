// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Reads what other contracts keep of many slots, one word each (SlotRing).
library KeptWords {
    /// `selector` of a view that takes `uint32[] slots` and returns `uint256[]`, as long. One encoding by hand serves every contract:
    /// the compiler's would be copied word by word for each call, and each answer once more.
    function read(address from, bytes4 selector, uint32[] memory slots) internal view returns (uint256[] memory words) {
        assembly ("memory-safe") {
            let size := add(shl(5, mload(slots)), 0x20)
            let call_ := mload(0x40)
            mstore(call_, selector)
            mstore(add(call_, 4), 0x20)
            mcopy(add(call_, 0x24), slots, size)
            let done := staticcall(gas(), from, call_, add(size, 0x24), 0, 0)
            // An answer has its place in front of its length.
            returndatacopy(call_, 0, returndatasize())
            if iszero(done) {
                revert(call_, returndatasize())
            }
            if or(lt(returndatasize(), add(size, 0x20)), xor(mload(add(call_, 0x20)), mload(slots))) {
                revert(0, 0)
            }
            words := add(call_, 0x20)
            mstore(0x40, add(words, size))
        }
    }
}
