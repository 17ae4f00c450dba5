// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BookTable, ClearingBook} from "./ClearingBook.sol";
import {ClearingLoops} from "./ClearingLoops.sol";
import {ZoneTally} from "./ClearingTypes.sol";
import {ClearingSubmission} from "./MarketTypes.sol";

/// Reads a book in which zones were voided (IGrid.island): what orders of these zones stand before the void are filled with nothing
/// and bound no price. Their words still count, and a later order of a point is what it would be without them.
///
/// A void stands among the batches: two zero bytes, then a bit per zone in 32 bytes. The words between two voids are read by
/// `ClearingLoops.read` as a book of their own, the last ones first. No run of words crosses a void: an account's next order has another
/// sequence.
library ClearingVoids {
    /// As ClearingLoops.read. Adds the zones of all voids to `table.voided`, for the part of the book before.
    /// @param directory of the zones' records; those of voided zones are replaced
    function read(
        ClearingSubmission calldata submission,
        BookTable memory table,
        uint256 directory
    ) internal pure returns (uint256[] memory margin) {
        unchecked {
            ZoneTally memory dead = ClearingBook.worst();
            _bury(directory, dead, table.voided);
            uint256 end = submission.book.length;
            for (uint256 voids = table.voids; ; --voids) {
                // The words behind the void, then what is before it.
                (uint256 begin, uint256 zones) = _find(submission.batches, voids);
                uint256[] memory found = ClearingLoops.read(
                    _part(submission.book, begin, end),
                    table.memoryOffset,
                    directory,
                    table.points
                );
                margin = margin.length == 0 ? found : _join(margin, found);
                if (voids == 0) return margin;
                _bury(directory, dead, zones); // [94]
                table.voided |= zones;
                end = begin;
            }
        }
    }

    function _part(bytes calldata book, uint256 begin, uint256 end) private pure returns (bytes calldata part) {
        assembly ("memory-safe") {
            part.offset := add(book.offset, begin)
            part.length := sub(end, begin)
        }
    }

    /// Bytes of the book before a void, counted from 1, and its zones; nothing for none.
    function _find(bytes calldata batches, uint256 voids) private pure returns (uint256 begin, uint256 zones) {
        assembly ("memory-safe") {
            let at := batches.offset
            for {} voids {
                at := add(at, 2)
            } {
                let count := shr(240, calldataload(at))
                begin := add(begin, shl(4, count))
                if iszero(count) {
                    zones := calldataload(add(at, 2))
                    at := add(at, 0x20)
                    voids := sub(voids, 1)
                }
            }
        }
    }

    /// Has the words of the zones counted in the dead record from now on.
    function _bury(uint256 directory, ZoneTally memory dead, uint256 zones) private pure {
        assembly ("memory-safe") {
            for {} zones {
                zones := shr(1, zones)
                directory := add(directory, 0x80)
            } {
                if and(zones, 1) {
                    mstore(directory, dead)
                    mstore(add(directory, 0x20), add(dead, 0x160))
                    mstore(add(directory, 0x40), dead)
                    mstore(add(directory, 0x60), add(dead, 0x160))
                }
            }
        }
    }

    /// One list of both; `more` was made after `list`.
    function _join(uint256[] memory list, uint256[] memory more) private pure returns (uint256[] memory) {
        assembly ("memory-safe") {
            let count := mload(list)
            let added := mload(more)
            mcopy(add(list, shl(5, add(count, 1))), add(more, 0x20), shl(5, added))
            count := add(count, added)
            mstore(list, count)
            mstore(0x40, add(list, shl(5, add(count, 1))))
        }
        return list;
    }
}
