// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// A wallet that behaves as told when asked for its signature (EIP-1271). For tests only.
contract TestWallet {
    enum Mood {
        Honest,
        Reverting,
        GasBomb,
        ReturnBomb,
        ShortAnswer,
        WrongAnswer
    }

    address public immutable owner;
    Mood public mood;

    constructor(address owner_, Mood mood_) {
        owner = owner_;
        mood = mood_;
    }

    function execute(address target, bytes calldata data) external {
        (bool ok, ) = target.call(data);
        require(ok, "call failed");
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        if (mood == Mood.Reverting) revert("no");
        if (mood == Mood.GasBomb) {
            uint256 spent;
            while (true) spent = uint256(keccak256(abi.encode(spent, hash)));
        }
        if (mood == Mood.ReturnBomb) {
            assembly ("memory-safe") {
                return(0, 1000000)
            }
        }
        if (mood == Mood.ShortAnswer) {
            assembly ("memory-safe") {
                mstore(0, shl(224, 0x1626ba7e))
                return(0, 4)
            }
        }
        if (mood == Mood.WrongAnswer) return 0xffffffff;
        return ECDSA.recover(hash, signature) == owner ? this.isValidSignature.selector : bytes4(0);
    }
}
