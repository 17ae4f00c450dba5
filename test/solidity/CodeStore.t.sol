// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CodeStore} from "../../contracts/libraries/CodeStore.sol";

contract CodeStoreTest {
    function write(bytes calldata data) external returns (address) {
        return CodeStore.write(data);
    }

    function testFuzz_GivesBackWhatWasStored(bytes calldata data) external {
        if (data.length > 24_575) return;
        require(keccak256(CodeStore.read(CodeStore.write(data))) == keccak256(data), "stored");
    }

    /// The simulated chain takes contracts of any size; a code that cannot be paid for fails in the same way.
    function test_NamesWhatCouldNotBeStored() external {
        bytes memory most = new bytes(24_575);
        (bool done, bytes memory answer) = address(this).call{gas: 3_000_000}(abi.encodeCall(this.write, (most)));
        require(!done, "stored");
        require(keccak256(answer) == keccak256(abi.encodeWithSelector(CodeStore.NotStored.selector, 24_575)), "reason");
    }
}
