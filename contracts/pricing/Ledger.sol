// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IBilaterals} from "../interfaces/IBilaterals.sol";
import {Earning, ILedger, Standing} from "../interfaces/ILedger.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {BalancePages} from "../libraries/BalancePages.sol";
import {Defaults} from "../libraries/Defaults.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

/// See ILedger for what each function does.
contract Ledger is ILedger {
    using SafeERC20 for IERC20;
    using Defaults for Defaults.Book;
    using BalancePages for mapping(uint256 page => uint256 pair);

    uint32 public constant BACKUP = type(uint32).max;
    uint32 public constant OPERATOR = type(uint32).max - 1;
    uint32 public constant MEMBERS = type(uint32).max - 2;
    uint32 public constant CONGESTION = type(uint32).max - 3;
    uint32 public constant DEFAULT_FUND = type(uint32).max - 4;

    /// Ledger units per base unit of the token.
    int128 public constant NANO_PER_BASE_UNIT = 1_000;
    /// Far above all money there is, far below the range of a balance: settlement can never overflow.
    int128 public constant HIGHEST_BALANCE = 1 << 120;

    address public immutable token;
    IMeteringPoints public immutable meteringPoints;
    address public immutable settlement;
    address public immutable orderBook;
    address public immutable bilaterals;
    address public immutable backupOwner;
    address public immutable operatorOwner;

    struct Request {
        uint128 amount;
        uint32 slot;
    }

    mapping(uint256 page => uint256 pair) private _balances;
    mapping(uint256 account => Request) private _requests;
    mapping(address clearer => uint256 nano) private _earned;
    mapping(address module => bool) public isModule;
    Defaults.Book private _defaults;
    /// Day of the last deposit or withdrawal, and the base units that left the ledger in it, less those that came in.
    uint32 private _day;
    int224 private _withdrawnInDay;

    constructor(
        address token_,
        IMeteringPoints meteringPoints_,
        address settlement_,
        address orderBook_,
        address bilaterals_,
        address backupOwner_,
        address operatorOwner_,
        address[] memory modules
    ) {
        token = token_;
        meteringPoints = meteringPoints_;
        settlement = settlement_;
        orderBook = orderBook_;
        bilaterals = bilaterals_;
        backupOwner = backupOwner_;
        operatorOwner = operatorOwner_;
        for (uint256 i = 0; i < modules.length; ++i) {
            isModule[modules[i]] = true;
            emit ModuleNamed(modules[i]);
        }
    }

    function deposit(uint32 account, uint256 amount) external {
        _deposit(account, amount);
    }

    function depositWithPermit(
        uint32 account,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        // Someone may have used the permit already; then its allowance is there, or the transfer fails.
        // solhint-disable-next-line no-empty-blocks
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(account, amount);
    }

    function requestWithdrawal(uint32 account, uint256 amount) external {
        _onlyOwner(account);
        if (amount == 0) revert ZeroAmount();
        uint128 capped = amount > type(uint128).max ? type(uint128).max : uint128(amount);
        uint32 slot = SlotTime.current();
        _requests[account] = Request(capped, slot);
        emit WithdrawalRequested(account, capped, slot);
    }

    function withdraw(uint32 account) external returns (uint256 amount) {
        _onlyOwner(account);
        Request storage request = _requests[account];
        if (request.amount == 0) revert NothingRequested(account);
        uint32 finalThrough = ISettlement(settlement).finalThrough();
        if (finalThrough < request.slot) revert NotFinalYet(account, request.slot, finalThrough);

        _defaults.repay(_balances, account, DEFAULT_FUND, BACKUP);
        amount = _availableRoundedDown(account);
        if (amount >= request.amount) {
            amount = request.amount;
            delete _requests[account];
        } else {
            request.amount -= uint128(amount);
        }
        _balances.add(account, -int128(uint128(amount)) * NANO_PER_BASE_UNIT);
        _count(int256(amount));
        emit Withdrawn(account, msg.sender, amount);
        IERC20(token).safeTransfer(msg.sender, amount);
    }

    function move(
        uint32 firstPoint,
        int128[] calldata deltasNano,
        int128 backup,
        int128 operatorFees,
        int128 members,
        int128 congestion,
        Earning[] calldata earnings
    ) external {
        if (msg.sender != settlement) revert NotSettlement(msg.sender);
        int256 sum =
            _balances.addAll(firstPoint, deltasNano) +
                int256(backup) +
                int256(operatorFees) +
                int256(members) +
                int256(congestion) +
                _earn(earnings);
        if (sum != 0) revert SumNotZero(sum); // [27]
        _balances.add(BACKUP, backup);
        _balances.add(OPERATOR, operatorFees);
        _balances.add(MEMBERS, members);
        _balances.add(CONGESTION, congestion);
        emit Moved(firstPoint, deltasNano, backup, operatorFees, members, congestion, earnings);
    }

    function transferBetween(uint32[] calldata accounts, int128[] calldata deltasNano) external {
        if (!isModule[msg.sender]) revert NotModule(msg.sender);
        if (accounts.length != deltasNano.length) revert TransferLengthsDiffer(accounts.length, deltasNano.length);
        int256 sum;
        for (uint256 i = 0; i < accounts.length; ++i) {
            uint32 account = accounts[i];
            _onlyKnown(account);
            int256 nano = int256(_balances.get(account)) + deltasNano[i];
            if (nano > HIGHEST_BALANCE || nano < -HIGHEST_BALANCE) revert BalanceOutOfRange(account, nano);
            sum += deltasNano[i];
            _balances.add(account, deltasNano[i]);
            // No margin was bound for it: orders are asked for theirs anew.
            if (deltasNano[i] < 0 && account < DEFAULT_FUND) IOrderBook(orderBook).dropMargin(account); // [96]
        }
        if (sum != 0) revert SumNotZero(sum);
        emit TransferredBetween(msg.sender, accounts, deltasNano);
    }

    function setCredit(uint32 point, uint96 creditNano_) external {
        _onlyOwner(BACKUP);
        _onlyPoint(point);
        uint96 before = _defaults.standings[point].creditNano;
        _defaults.setCredit(point, creditNano_);
        if (creditNano_ > before) {
            uint256 total = _defaults.creditNano;
            int256 free = int256(_balances.get(BACKUP)) - int256(IOrderBook(orderBook).backupMargin());
            if (free < int256(total)) revert CreditNotCovered(free, total); // [89]
        } else {
            int256 backing = int256(_balances.get(point)) + int256(uint256(creditNano_));
            uint256 required = IOrderBook(orderBook).requiredMargin(point) + _boundOf(point);
            if (backing < int256(required)) revert CreditInUse(point, backing, required); // [90]
        }
    }

    function suspend(uint32 point) external {
        _onlyPoint(point);
        _defaults.suspend(point, _balances.get(point), SlotTime.current());
        IOrderBook(orderBook).dropMargin(point);
    }

    function cover(uint32 point) external {
        uint32 since = _onlySuspended(point);
        uint32 finalThrough = ISettlement(settlement).finalThrough();
        if (finalThrough < since) revert NotFinalYet(point, since, finalThrough);
        _defaults.cover(_balances, point, DEFAULT_FUND, BACKUP);
    }

    function repay(uint32 point) external {
        _onlySuspended(point);
        if (!_defaults.repay(_balances, point, DEFAULT_FUND, BACKUP))
            revert NothingToRepay(point, _balances.get(point));
    }

    function withdrawEarned() external returns (uint256 amount) {
        uint256 nano = _earned[msg.sender];
        uint256 unit = uint128(NANO_PER_BASE_UNIT);
        amount = nano / unit;
        if (amount == 0) revert ZeroAmount();
        _earned[msg.sender] = nano % unit;
        _count(int256(amount));
        emit EarnedWithdrawn(msg.sender, amount);
        IERC20(token).safeTransfer(msg.sender, amount);
    }

    function withdrawnOn() external view returns (uint32 day, uint256 amount) {
        return (_day, _withdrawnInDay > 0 ? uint224(_withdrawnInDay) : 0);
    }

    function earnedOf(address clearer) external view returns (uint256 nano) {
        return _earned[clearer];
    }

    function balanceOf(uint32 account) external view returns (int128 nano) {
        return _balances.get(account);
    }

    function backingOf(uint32 point) public view returns (int256 nano) {
        return _defaults.backingOf(point, _balances.get(point));
    }

    function unboundOf(uint32 point) external view returns (int256 nano) {
        return backingOf(point) - int256(_boundOf(point));
    }

    function standingOf(uint32 point) external view returns (Standing memory) {
        return _defaults.standings[point];
    }

    function creditNano() external view returns (uint256) {
        return _defaults.creditNano;
    }

    function requestOf(uint32 account) external view returns (uint256 amount, uint32 slot) {
        Request storage request = _requests[account];
        return (request.amount, request.slot);
    }

    function ownerOf(uint32 account) public view returns (address) {
        if (account == BACKUP) return backupOwner;
        if (account == OPERATOR) return operatorOwner;
        if (account >= DEFAULT_FUND) return address(0);
        _onlyKnown(account);
        return meteringPoints.pointOf(account).owner;
    }

    /// Adds what clearers earned, and returns its sum.
    function _earn(Earning[] calldata earnings) private returns (int256 sum) {
        for (uint256 i = 0; i < earnings.length; ++i) {
            uint128 nano = earnings[i].nano;
            _earned[earnings[i].clearer] += nano;
            sum += int256(uint256(nano));
        }
    }

    /// How much leaves in a day is watched (IEmergency), never bounded here. What comes in again counts against it: else anybody
    /// could raise the alarm by sending the same tokens in and out.
    function _count(int256 amount) private {
        uint32 today = uint32(block.timestamp / 1 days);
        _withdrawnInDay = int224(amount) + (_day == today ? _withdrawnInDay : int224(0));
        _day = today;
    }

    function _deposit(uint32 account, uint256 amount) private {
        if (amount == 0) revert ZeroAmount();
        if (amount > uint256(uint128(HIGHEST_BALANCE / NANO_PER_BASE_UNIT))) revert DepositTooLarge(amount);
        _onlyKnown(account);

        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = IERC20(token).balanceOf(address(this)) - before;
        if (received != amount) revert WrongAmountReceived(amount, received);

        int128 nano = int128(uint128(amount)) * NANO_PER_BASE_UNIT;
        if (_balances.get(account) > HIGHEST_BALANCE - nano) revert DepositTooLarge(amount);
        _balances.add(account, nano);
        _count(-int256(amount));
        emit Deposited(account, msg.sender, amount);
        _defaults.repay(_balances, account, DEFAULT_FUND, BACKUP);
    }

    /// Whole base units that the balance leaves above the margin of the account's open slots.
    function _availableRoundedDown(uint32 account) private view returns (uint256) {
        int128 balance = _balances.get(account);
        uint256 required;
        if (account < DEFAULT_FUND) {
            uint256 credit = _defaults.standings[account].creditNano;
            required = IOrderBook(orderBook).requiredMargin(account) + _boundOf(account);
            required = required > credit ? required - credit : 0; // [92]
        } else if (account == BACKUP) required = IOrderBook(orderBook).backupMargin() + _defaults.creditNano;
        int256 free = int256(balance) - int256(required);
        if (free < NANO_PER_BASE_UNIT) revert MarginNeeded(account, balance, required); // [31]
        return uint256(free / NANO_PER_BASE_UNIT);
    }

    function _boundOf(uint32 point) private view returns (uint256 nano) {
        (nano, ) = IBilaterals(bilaterals).boundOf(point);
    }

    function _onlyPoint(uint32 point) private view {
        if (point >= meteringPoints.count()) revert UnknownAccount(point);
    }

    function _onlySuspended(uint32 point) private view returns (uint32 since) {
        since = _defaults.standings[point].sinceSlot;
        if (since == 0) revert NotSuspended(point);
    }

    function _onlyKnown(uint32 account) private view {
        if (account < DEFAULT_FUND && account >= meteringPoints.count()) revert UnknownAccount(account);
    }

    function _onlyOwner(uint32 account) private view {
        if (ownerOf(account) != msg.sender) revert NotAccountOwner(account, msg.sender);
    }
}
