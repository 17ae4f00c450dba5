// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IMeterOracle} from "../interfaces/IMeterOracle.sol";
import {Signatures} from "./Signatures.sol";

/// A quorum of the present oracle committee's signatures, for contracts that are not called for every slot. The errors are
/// IMeterOracle's.
library CommitteeQuorum {
    /// @param signers indices of the committee, ascending, one per signature
    /// @return signerBits one bit per node that signed
    function check(
        IMeterOracle meterOracle,
        bytes32 digest,
        uint8[] calldata signers,
        bytes[] calldata signatures
    ) internal view returns (uint32 signerBits) {
        (address[] memory nodes, uint8 faults, uint256 quorum) = meterOracle.committee();
        uint256 length = signers.length;
        if (length != signatures.length) revert IMeterOracle.LengthsDiffer(length, signatures.length);
        if (nodes.length == 0) revert IMeterOracle.CommitteeTooSmall(0, faults);
        if (length < quorum) revert IMeterOracle.TooFewSignatures(length, quorum);
        for (uint256 i = 0; i < length; ++i) {
            uint8 signer = signers[i];
            if (i != 0 && signers[i - 1] >= signer) revert IMeterOracle.SignersNotAscending(signers[i - 1], signer);
            if (signer >= nodes.length) revert IMeterOracle.UnknownSigner(signer, nodes.length);
            address recovered = Signatures.recover(digest, signatures[i]);
            if (recovered != nodes[signer]) revert IMeterOracle.WrongSignature(signer, recovered, nodes[signer]);
            signerBits |= uint32(1) << signer;
        }
    }
}
