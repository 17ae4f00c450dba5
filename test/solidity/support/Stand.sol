// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What the invariant tests use of the test runner.
interface Cheats {
    function warp(uint256 timestamp) external;
    function prank(address caller) external;
    function startPrank(address caller) external;
    function stopPrank() external;
    function expectRevert(bytes calldata data) external;
    function getCode(string calldata artifact) external view returns (bytes memory);
    function getNonce(address account) external view returns (uint64);
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function addr(uint256 key) external pure returns (address);
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
}

interface Mintable {
    function mint(address to, uint256 amount) external;
    function approve(address spender, uint256 amount) external returns (bool);
    function transfer(address to, uint256 amount) external returns (bool);
    function balanceOf(address account) external view returns (uint256);
}

/// Base of the actors: they run the compiled contracts as they are deployed, not copies compiled with the test.
abstract contract Stand {
    Cheats internal constant VM = Cheats(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint256 internal constant SLOT_SECONDS = 900;

    function _deploy(string memory artifact, bytes memory arguments) internal returns (address made) {
        bytes memory code = bytes.concat(VM.getCode(artifact), arguments);
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
        }
        require(made != address(0), artifact);
    }

    /// Where the contract after `further` others will stand.
    function _next(uint256 further) internal view returns (address) {
        return VM.computeCreateAddress(address(this), VM.getNonce(address(this)) + further);
    }

    /// Time only goes on.
    function _warp(uint256 timestamp) internal {
        if (timestamp > block.timestamp) VM.warp(timestamp);
    }

    function _actor(uint256 index) internal pure returns (address) {
        return address(uint160(0x100000 + index));
    }
}
