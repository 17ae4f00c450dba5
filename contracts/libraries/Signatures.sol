// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Signature checks that never revert and never spend more than a bound, whatever the signer is.
library Signatures {
    /// Gas that a contract wallet gets for its EIP-1271 check.
    uint256 internal constant WALLET_GAS = 100_000;
    uint256 private constant HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    /// Signer of an EIP-2098 signature (r, s with the parity of v in its highest bit) with low s; zero for anything else.
    function recoverCompact(bytes32 digest, bytes32 r, uint256 vs) internal view returns (address) {
        return _ecrecover(digest, r, bytes32(vs & uint256(type(int256).max)), (vs >> 255) + 27);
    }

    /// Signer of a 65-byte (r, s, v) or 64-byte (EIP-2098) signature with low s, `length` bytes at `pointer` in memory; zero for anything
    /// else.
    function recoverMemory(bytes32 digest, uint256 pointer, uint256 length) internal view returns (address) {
        bytes32 r;
        bytes32 s;
        uint256 v;
        assembly ("memory-safe") {
            r := mload(pointer)
            s := mload(add(pointer, 32))
            v := byte(0, mload(add(pointer, 64)))
        }
        return _recover(digest, length, r, s, v);
    }

    /// Who signed, a bit for each: `signatures` of 65 bytes (index of the signer, r, s with the parity of v in its highest bit), by
    /// ascending index in `addresses`, 20 bytes each. Zero when there are none or anything is wrong with one of them.
    function signersOf(
        bytes memory addresses,
        bytes32 digest,
        bytes calldata signatures
    ) internal view returns (uint256 signers) {
        assembly ("memory-safe") {
            // The precompile's input stands at 0, over the free memory pointer and the word of zeros, which are put back.
            let free := mload(0x40)
            mstore(0, digest)
            let wrong := 0
            let from := signatures.offset
            for {
                let end := add(from, signatures.length)
            } lt(from, end) {
                from := add(from, 65)
            } {
                let s := calldataload(add(from, 33))
                mstore(0x20, add(27, shr(255, s)))
                s := shr(1, shl(1, s))
                mstore(0x40, calldataload(add(from, 1)))
                mstore(0x60, s)
                // The precompile answers with nothing when there is no signer.
                pop(staticcall(gas(), 1, 0, 0x80, 0x20, 0x20))
                wrong := or(or(wrong, gt(s, HALF_ORDER)), iszero(returndatasize()))
                let index := byte(0, calldataload(from))
                wrong := or(wrong, xor(mload(0x20), shr(96, mload(add(add(addresses, 32), mul(index, 20))))))
                index := shl(index, 1)
                wrong := or(wrong, iszero(gt(index, signers)))
                signers := or(signers, index)
            }
            mstore(0x40, free)
            mstore(0x60, 0)
            // Beyond the last address stands whatever stands there.
            signers := mul(signers, iszero(or(wrong, shr(div(mload(addresses), 20), signers))))
        }
    }

    /// Whether `signer`, an EOA or an EIP-1271 wallet, signed the digest; the signature stands in memory.
    function isValid(address signer, bytes32 digest, uint256 pointer, uint256 length) internal view returns (bool) {
        // The signer is never zero: an owner or a registered delegate.
        if (recoverMemory(digest, pointer, length) == signer) return signer != address(0);
        return signer.code.length != 0 && _walletAccepts(signer, digest, pointer, length);
    }

    function _recover(
        bytes32 digest,
        uint256 length,
        bytes32 r,
        bytes32 s,
        uint256 v
    ) private view returns (address signer) {
        if (length != 65) {
            if (length != 64) return address(0);
            v = (uint256(s) >> 255) + 27;
            s = bytes32(uint256(s) & uint256(type(int256).max));
        }
        return _ecrecover(digest, r, s, v);
    }

    function _ecrecover(bytes32 digest, bytes32 r, bytes32 s, uint256 v) private view returns (address signer) {
        if (uint256(s) > HALF_ORDER) return address(0);
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, digest)
            mstore(add(free, 32), v)
            mstore(add(free, 64), r)
            mstore(add(free, 96), s)
            // The precompile answers with nothing when there is no signer.
            mstore(0, 0)
            pop(staticcall(gas(), 1, free, 128, 0, 32))
            signer := mload(0)
        }
    }

    /// Asks the wallet with bounded gas, and reads 32 bytes of what it returns whatever their number.
    function _walletAccepts(
        address wallet,
        bytes32 digest,
        uint256 pointer,
        uint256 length
    ) private view returns (bool accepted) {
        assembly ("memory-safe") {
            let magic := shl(224, 0x1626ba7e)
            let call_ := mload(0x40)
            mstore(call_, magic)
            mstore(add(call_, 4), digest)
            mstore(add(call_, 36), 64)
            mstore(add(call_, 68), length)
            mcopy(add(call_, 100), pointer, length)
            mstore(0, 0)
            let size := add(100, and(add(length, 31), not(31)))
            let ok := staticcall(WALLET_GAS, wallet, call_, size, 0, 32)
            accepted := and(ok, and(gt(returndatasize(), 31), eq(mload(0), magic)))
        }
    }
}
