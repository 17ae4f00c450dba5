// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMeterOracle} from "../interfaces/IMeterOracle.sol";
import {Signatures} from "./Signatures.sol";

/// A quorum of the present oracle committee's signatures, for contracts that are not called for every slot. The errors are
/// IMeterOracle's.
library CommitteeQuorum {
    /// Index of the node, r, and s with the parity of v (EIP-2098).
    uint256 private constant SIGNATURE_BYTES = 65;

    /// @param signatures 65 bytes each, ascending, as in IMeterOracle.report
    /// @return signerBits one bit per node that signed
    function check(
        IMeterOracle meterOracle,
        bytes32 digest,
        bytes calldata signatures
    ) internal view returns (uint32 signerBits) {
        (address[] memory nodes, uint8 faults, uint256 quorum) = meterOracle.committee();
        uint256 count = signatures.length / SIGNATURE_BYTES;
        if (count * SIGNATURE_BYTES != signatures.length) revert IMeterOracle.MalformedSignatures(signatures.length);
        if (nodes.length == 0) revert IMeterOracle.CommitteeTooSmall(0, faults);
        if (count < quorum) revert IMeterOracle.TooFewSignatures(count, quorum);
        uint8 previous;
        for (uint256 i = 0; i < count; ++i) {
            bytes calldata one = signatures[i * SIGNATURE_BYTES:(i + 1) * SIGNATURE_BYTES];
            uint8 signer = uint8(one[0]);
            if (i != 0 && signer <= previous) revert IMeterOracle.SignersNotAscending(previous, signer);
            if (signer >= nodes.length) revert IMeterOracle.UnknownSigner(signer, nodes.length);
            address recovered = Signatures.recoverCompact(digest, bytes32(one[1:33]), uint256(bytes32(one[33:65])));
            if (recovered != nodes[signer]) revert IMeterOracle.WrongSignature(signer, recovered, nodes[signer]);
            signerBits |= uint32(1) << signer;
            previous = signer;
        }
    }
}
