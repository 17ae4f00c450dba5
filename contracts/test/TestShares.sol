// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {StorageShares} from "../balancing/StorageShares.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {TestToken} from "./TestToken.sol";

/// Shares of a battery whose account and slots do what a test says. For tests only.
contract TestShares is StorageShares {
    /// Token base units, elsewhere; the margin keeps what is not fetched.
    int256 public account;
    uint32 public finalThrough;
    uint32 public settledThrough;
    mapping(uint32 slot => uint8) private _versions;

    constructor(address token) StorageShares(ISettlement(address(this)), token, "Test", "TEST") {}

    function setSlots(uint32 finalThrough_, uint32 settledThrough_) external {
        finalThrough = finalThrough_;
        settledThrough = settledThrough_;
    }

    /// The slot is settled anew, for more or less.
    function correct(uint32 slot, int256 assets) external {
        ++_versions[slot];
        account += assets;
    }

    function earn(int256 assets) external {
        account += assets;
    }

    /// Base units that leave the account for the vault, or the other way.
    function fetch(uint256 assets) external {
        account -= int256(assets);
        TestToken(asset()).mint(address(this), assets);
    }

    function fundLedger(uint256 assets) external {
        account += int256(assets);
        TestToken(asset()).transfer(address(1), assets);
    }

    function statusOf(uint32 slot) external view returns (ISettlement.Status status, uint32 sinceSlot, uint8 version) {
        if (slot <= settledThrough) return (ISettlement.Status.Settled, slot + 1, 1 + _versions[slot]);
    }

    function overdue() external view returns (bool result, uint32 day) {
        return _overdue();
    }

    function _worth() internal view override returns (int256) {
        return int256(idle()) + account;
    }

    // solhint-disable-next-line no-empty-blocks
    function _onlyWithPoint() internal view override {}
}
