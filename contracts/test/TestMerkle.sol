// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";

/// Checks a reading against a report's root as its users will. For tests only.
contract TestMerkle {
    function verify(
        bytes32[] calldata proof,
        bytes32 root,
        uint32 point,
        uint32 slot,
        uint64 reading
    ) external pure returns (bool) {
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(point, slot, reading))));
        return MerkleProof.verifyCalldata(proof, root, leaf);
    }
}
