// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {ClearingParts} from "../libraries/ClearingParts.sol";
import {ClearingOutcome} from "../libraries/ClearingTypes.sol";
import {MarketTerms} from "../libraries/MarketTypes.sol";
import {ClearingPart, PartResult} from "../libraries/PartTypes.sol";

/// Clearings in parts as a contract of its own, for tests.
contract PartsHarness is IClearingErrors {
    event Proven(address submitter, ClearingOutcome outcome, bytes positions);

    mapping(address submitter => bytes32 progress) public progressOf;

    /// Takes a part of the clearing of the book from `bookStart` to `bookEnd`; gives the state for the next.
    function clearPart(
        ClearingPart calldata part,
        MarketTerms calldata market,
        bytes32 bookEnd,
        bytes32 bookStart
    ) external returns (bytes memory next) {
        PartResult memory result = ClearingParts.take(part, market, progressOf[msg.sender], bookEnd, bookStart);
        next = result.next;
        progressOf[msg.sender] = next.length == 0 ? bytes32(0) : keccak256(next);
        if (next.length == 0) emit Proven(msg.sender, result.outcome, result.positions);
    }
}
