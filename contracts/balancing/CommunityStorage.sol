// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ICommunityStorage} from "../interfaces/ICommunityStorage.sol";
import {ILedger, Standing} from "../interfaces/ILedger.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {StorageShares} from "./StorageShares.sol";

/// The battery's metering point and its account, and who may do what with them. See ICommunityStorage.
contract CommunityStorage is ICommunityStorage, StorageShares, AccessManaged {
    using Math for uint256;
    using SafeERC20 for IERC20;

    int256 private constant NANO_PER_BASE_UNIT = 1_000;
    /// A part of all shares that rounding may leave to nobody.
    uint256 private constant DUST = 1e6;

    ILedger public immutable ledger;
    IMeteringPoints public immutable meteringPoints;

    uint32 public point;
    bool public pointSet;
    address public delegate;
    address public heir;

    constructor(
        address manager,
        ILedger ledger_,
        IMeteringPoints meteringPoints_,
        string memory name_,
        string memory symbol_
    ) StorageShares(ISettlement(ledger_.settlement()), ledger_.token(), name_, symbol_) AccessManaged(manager) {
        ledger = ledger_;
        meteringPoints = meteringPoints_;
    }

    function setPoint(uint32 point_) external restricted {
        if (pointSet) revert PointAlreadySet(point);
        address owner = meteringPoints.pointOf(point_).owner;
        if (owner != address(this)) revert NotVaultPoint(point_, owner);
        point = point_;
        pointSet = true;
        emit PointSet(point_);
    }

    function appoint(address delegate_, uint40 validUntil) external restricted {
        _onlyWithPoint();
        (bool overdue, uint32 day) = _overdue();
        if (overdue) revert BatchOverdue(day);
        if (delegate != address(0)) meteringPoints.setDelegate(point, delegate, 0);
        delegate = delegate_;
        meteringPoints.setDelegate(point, delegate_, validUntil);
        emit DelegateAppointed(delegate_, validUntil);
    }

    function setTradeLimit(uint24 tradeLimitWh) external restricted {
        _onlyWithPoint();
        meteringPoints.setTradeLimit(point, tradeLimitWh);
    }

    function fundLedger(uint256 assets) external restricted {
        _onlyWithPoint();
        uint256 needed = _needed();
        uint256 free = idle();
        free = free > needed ? free - needed : 0;
        if (assets > free) revert NotFree(assets, free);
        IERC20(asset()).forceApprove(address(ledger), assets);
        ledger.deposit(point, assets);
        emit LedgerFunded(assets);
    }

    function nameHeir(address heir_) external restricted {
        heir = heir_;
        emit HeirNamed(heir_);
    }

    function fetch() external {
        _onlyWithPoint();
        (uint256 asked, ) = ledger.requestOf(point);
        // Never replaced: whoever asks later would put off what others wait for.
        if (asked != 0) {
            ledger.withdraw(point);
            return;
        }
        // A share may be worth more until the batch is paid.
        uint256 needed = _needed();
        needed += needed / 8;
        uint256 free = idle();
        if (needed <= free) revert NothingToFetch();
        ledger.requestWithdrawal(point, needed - free);
    }

    function halt() external {
        (bool overdue, uint32 day) = _overdue();
        if (!overdue || delegate == address(0)) revert NothingToHalt();
        address revoked = delegate;
        delegate = address(0);
        meteringPoints.setDelegate(point, revoked, 0);
        emit Halted(day);
    }

    function takeOver(uint256 most) external returns (uint256 assets) {
        _onlyWithPoint();
        if (msg.sender != heir) revert NotHeir(msg.sender);
        uint256 staying = totalSupply() - _redemptions.pending;
        if (staying > totalSupply() / DUST) revert SharesStay(staying);
        int256 nano = _accountNano();
        if (nano > 0) assets = uint256(nano).ceilDiv(uint256(NANO_PER_BASE_UNIT));
        if (assets > most) revert TakeOverTooDear(assets, most);
        pointSet = false;
        heir = address(0);
        delegate = address(0);
        _receive(assets);
        meteringPoints.changeOwner(point, msg.sender);
        emit TakenOver(point, msg.sender, assets);
    }

    /// What open redemptions are worth now.
    function _needed() private view returns (uint256) {
        return totalAssets() == 0 ? 0 : _convertToAssets(_redemptions.pending, Math.Rounding.Ceil);
    }

    /// What the point's account has, less what the default fund or the backup supplier paid for it.
    function _accountNano() private view returns (int256) {
        if (!pointSet) return 0;
        Standing memory standing = ledger.standingOf(point);
        return
            int256(ledger.balanceOf(point)) - int256(uint256(standing.drawnNano)) - int256(uint256(standing.fundNano));
    }

    function _worth() internal view override returns (int256 worth) {
        int256 nano = _accountNano();
        worth = int256(idle()) + nano / NANO_PER_BASE_UNIT;
        if (nano % NANO_PER_BASE_UNIT < 0) --worth;
    }

    function _onlyWithPoint() internal view override {
        if (!pointSet) revert PointNotSet();
    }
}
