// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// A token that keeps one percent of every transfer. For tests only.
contract TestFeeToken is ERC20 {
    constructor() ERC20("taking", "TAKE") {
        _mint(msg.sender, 1_000_000);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0)) _take(to, value / 100);
    }

    function _take(address account, uint256 value) private {
        super._update(account, address(0), value);
    }
}
