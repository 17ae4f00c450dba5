// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ZoneTally} from "./ClearingTypes.sol";

/// Where records of zones lie: one block of memory, each zone's followed by its twin's, 0x380 bytes each.
library ZoneTallies {
    /// Clean records of `count` zones and twins.
    /// @param apart whether green orders trade apart: the twins are listed too, behind all zones
    function allocate(uint256 count, bool apart) internal pure returns (ZoneTally[] memory tallies) {
        uint256 records;
        assembly ("memory-safe") {
            records := mload(0x40)
            let size := mul(count, 0x700)
            // Free memory is not clean.
            calldatacopy(records, calldatasize(), size)
            mstore(0x40, add(records, size))
        }
        return _list(records, count, apart);
    }

    /// All records as bytes, for another contract.
    function pack(ZoneTally[] memory tallies, uint256 count) internal pure returns (bytes memory packed) {
        assembly ("memory-safe") {
            packed := mload(0x40)
            let size := mul(count, 0x700)
            mstore(packed, size)
            mstore(0x40, add(packed, add(size, 0x20)))
            // The first entry of the list is the first record, if there is one.
            if size {
                mcopy(add(packed, 0x20), mload(add(tallies, 0x20)), size)
            }
        }
    }

    /// The records that `pack` gave, in place.
    function unpack(bytes memory packed, uint256 count, bool apart) internal pure returns (ZoneTally[] memory tallies) {
        uint256 records;
        assembly ("memory-safe") {
            records := add(packed, 0x20)
        }
        return _list(records, count, apart);
    }

    function _list(uint256 records, uint256 count, bool apart) private pure returns (ZoneTally[] memory tallies) {
        assembly ("memory-safe") {
            tallies := mload(0x40)
            let list := add(tallies, 0x20)
            let twins := add(list, shl(5, count))
            mstore(tallies, shl(apart, count))
            mstore(0x40, add(list, shl(add(5, apart), count)))
            for {} lt(list, twins) {
                list := add(list, 0x20)
            } {
                mstore(list, records)
                if apart {
                    mstore(add(list, shl(5, count)), add(records, 0x380))
                }
                records := add(records, 0x700)
            }
        }
    }
}
