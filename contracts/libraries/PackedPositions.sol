// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Positions of a slot as calldata holds them (ISettlement.settlePacked), and the bytes that they stand for (PackedEnergy). All places
/// are in calldata, `to` in memory.
library PackedPositions {
    /// So many bytes may be written beyond the positions, before what comes next is.
    uint256 internal constant BEYOND = 64;

    /// Of each two bytes the highest bit; of each four the lower two, and the highest bit.
    uint256 private constant SIGNS = 0x8000800080008000800080008000800080008000800080008000800080008000;
    uint256 private constant LOW = 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff;
    uint256 private constant HIGH = 0x8000000080000000800000008000000080000000800000008000000080000000;
    uint256 private constant ONES = 0x0000000100000001000000010000000100000001000000010000000100000001;

    /// Bytes of the positions packed at `from`.
    function sizeOf(uint256 from) internal pure returns (uint256 size) {
        assembly ("memory-safe") {
            let head := calldataload(from)
            size := and(shr(216, head), 0xffffffff)
            if byte(0, head) {
                size := shl(2, size)
            }
        }
    }

    function endOf(uint256 from) internal pure returns (uint256 end) {
        assembly ("memory-safe") {
            let head := calldataload(from)
            let count := and(shr(216, head), 0xffffffff)
            switch byte(0, head)
            case 0 {
                end := add(add(from, 5), count)
            }
            default {
                end := add(add(from, 8), add(shl(5, shr(4, add(count, 15))), shl(3, and(shr(192, head), 0xffff))))
            }
        }
    }

    /// Writes the positions packed at `from`, and zeros up to a whole word.
    function unpack(uint256 from, uint256 to) internal pure {
        assembly ("memory-safe") {
            let head := calldataload(from)
            let size := and(shr(216, head), 0xffffffff)
            switch byte(0, head)
            case 0 {
                mstore(add(to, and(size, not(31))), 0)
                calldatacopy(to, add(from, 5), size)
            }
            default {
                let end := add(to, shl(2, size))
                mstore(0x00, end)
                mstore(0x20, mul(and(shr(208, head), 0x7f), shl(24, ONES)))
                from := add(from, 8)
                // Sixteen positions a turn, two words.
                for {
                    let at_ := to
                } lt(at_, mload(0x00)) {
                    at_ := add(at_, 64)
                } {
                    let energy := calldataload(from)
                    let signs := and(energy, SIGNS)
                    energy := sub(energy, signs)
                    mstore(at_, or(or(and(shr(16, energy), LOW), and(signs, HIGH)), mload(0x20)))
                    mstore(add(at_, 32), or(or(and(energy, LOW), and(shl(16, signs), HIGH)), mload(0x20)))
                    from := add(from, 32)
                }
                mstore(end, 0)
                // What does not fit into two bytes.
                for {
                    let last := add(from, shl(3, and(shr(192, head), 0xffff)))
                } lt(from, last) {
                    from := add(from, 8)
                } {
                    let other := shl(192, shr(192, calldataload(from)))
                    let point := shr(224, other)
                    if lt(point, size) {
                        let at_ := add(to, shl(2, point))
                        mstore(at_, or(shl(32, other), shr(32, shl(32, mload(at_)))))
                    }
                }
            }
        }
    }
}
