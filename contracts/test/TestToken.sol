// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// A token without any value, for tests and the local market: anyone mints as much as he likes.
contract TestToken is ERC20Permit {
    constructor() ERC20("DAEG test token (worthless)", "tDAEG") ERC20Permit("DAEG test token (worthless)") {}

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
