// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {MeterOracle} from "../../contracts/consumption/MeterOracle.sol";
import {IMeterOracle} from "../../contracts/interfaces/IMeterOracle.sol";
import {CommitteeQuorum} from "../../contracts/libraries/CommitteeQuorum.sol";

interface Vm {
    function expectRevert(bytes calldata data) external;
}

/// A committee before it has nodes.
contract CommitteeTest {
    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function check(IMeterOracle oracle, bytes calldata signatures) external view returns (uint32) {
        return CommitteeQuorum.check(oracle, keccak256("digest"), signatures);
    }

    function test_NobodySignsForACommitteeWithoutNodes() external {
        MeterOracle bare = new MeterOracle(address(this), address(this));
        bytes memory tooSmall = abi.encodeWithSelector(IMeterOracle.CommitteeTooSmall.selector, 0, 0);
        VM.expectRevert(tooSmall);
        this.check(bare, "");
        // A quorum of nobody is one signature.
        VM.expectRevert(tooSmall);
        this.check(bare, new bytes(65));
    }
}
