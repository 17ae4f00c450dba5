// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BatchMark, IStorageShares, RequestStanding} from "../interfaces/IStorageShares.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {PriceMarks} from "../libraries/PriceMarks.sol";
import {Requests} from "../libraries/Requests.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

/// The shares of a community battery: requests, batches, payments. What the shares are worth is `_worth`. See IStorageShares.
abstract contract StorageShares is IStorageShares, ERC4626 {
    using Math for uint256;
    using PriceMarks for PriceMarks.Mark;
    using Requests for Requests.Book;
    using SafeERC20 for IERC20;

    uint32 private constant SLOTS_PER_DAY = 96;
    /// An executed batch that lacks tokens for longer is overdue.
    uint32 private constant GRACE_SLOTS = 96;
    /// Far above all money there is.
    uint256 public constant MOST_ASSETS = 1 << 96;
    /// A share is first worth a millionth of a base unit: an attacker who gives tokens away to make a share dear loses a million
    /// times what rounding takes from another.
    uint8 private constant OFFSET = 6;
    uint256 private constant VIRTUAL_SHARES = 10 ** OFFSET;
    /// Of the first price of a share: below it nobody enters.
    uint256 private constant WIPED_OUT = 1e6;

    ISettlement public immutable settlement;

    uint256 public owedAssets;
    /// Days with redemptions; those before `_head` are paid.
    uint32[] private _days;
    uint256 private _head;
    mapping(uint256 day => PriceMarks.Mark) private _marks;
    Requests.Book private _deposits;
    Requests.Book internal _redemptions;

    constructor(
        ISettlement settlement_,
        address token,
        string memory name_,
        string memory symbol_
    ) ERC20(name_, symbol_) ERC4626(IERC20(token)) {
        settlement = settlement_;
    }

    function requestDeposit(uint256 assets) external {
        _onlyWithPoint();
        if (assets == 0) revert ZeroAmount();
        if (assets > MOST_ASSETS) revert AmountTooLarge(assets, MOST_ASSETS);
        // Counted before it comes: idle() is never too high.
        uint32 day = _request(_deposits, assets);
        _receive(assets);
        emit DepositRequested(msg.sender, day, assets);
    }

    function requestRedeem(uint256 shares) external {
        if (shares == 0) revert ZeroAmount();
        _transfer(msg.sender, address(this), shares);
        uint32 day = _request(_redemptions, shares);
        if (_days.length == 0 || _days[_days.length - 1] != day) _days.push(day);
        emit RedemptionRequested(msg.sender, day, shares);
    }

    function mark(uint32 day) external {
        if (_deposits.askedOn(day) == 0 && _redemptions.askedOn(day) == 0) revert NothingAsked(day);
        uint32 marked = _marks[day].slot;
        if (marked != 0) revert AlreadyMarked(day, marked);
        // All that could be known when the requests were made is money now. [96]
        uint32 unsettled = PriceMarks.firstUnsettled(settlement, throughSlotOf(day));
        if (unsettled != 0) revert SlotUnsettled(day, unsettled);
        _mark(day);
    }

    function execute(uint32 day) external {
        PriceMarks.Mark storage marked = _marks[day];
        if (marked.slot == 0) revert NotMarked(day);
        if (marked.executedSlot != 0) revert AlreadyExecuted(day, marked.executedSlot);
        uint32 finalThrough = settlement.finalThrough();
        if (finalThrough + 1 < marked.slot) revert BatchNotFinal(day, marked.slot - 1, finalThrough);
        // A slot that the mark contains was settled anew: what was marked never became final. [97]
        if (!marked.holds(settlement)) {
            _mark(day);
            return;
        }
        marked.executedSlot = SlotTime.current();
        _executeDeposits(day, marked);
    }

    function pay() external {
        if (_head == _days.length) revert NothingDue();
        uint32 day = _days[_head];
        PriceMarks.Mark storage marked = _marks[day];
        if (marked.executedSlot == 0) revert NotExecuted(day);

        uint256 shares = _redemptions.openOn(day);
        uint256 assets = _lower(shares, marked);
        if (assets == 0) {
            ++_head;
            emit Paid(day, 0, 0, _redemptions.close(day));
            return;
        }
        uint256 atHand = idle();
        if (atHand == 0) revert TokensMissing(day, assets);
        if (assets > atHand) {
            // As many shares as the tokens buy at the lower worth, rounded up.
            uint256 now_ = atHand.mulDiv(totalSupply() + VIRTUAL_SHARES, totalAssets() + 1, Math.Rounding.Ceil);
            shares = atHand.mulDiv(marked.supply + VIRTUAL_SHARES, marked.assets + 1, Math.Rounding.Ceil);
            if (now_ > shares) shares = now_;
            assets = atHand;
        }
        _redemptions.execute(day, shares, assets);
        owedAssets += assets;
        _burn(address(this), shares);
        if (_redemptions.openOn(day) == 0) {
            ++_head;
            _redemptions.close(day);
        }
        emit Paid(day, shares, assets, 0);
    }

    function takeBack(address receiver) external returns (uint256 assets, uint256 shares) {
        assets = _deposits.takeReturned(msg.sender);
        shares = _redemptions.takeReturned(msg.sender);
        if (assets == 0 && shares == 0) revert NothingReturned(msg.sender);
        owedAssets -= assets;
        emit TakenBack(msg.sender, receiver, assets, shares);
        if (shares != 0) _transfer(address(this), receiver, shares);
        if (assets != 0) IERC20(asset()).safeTransfer(receiver, assets);
    }

    function deposit(uint256 assets, address receiver) public override returns (uint256 shares) {
        uint256 most = maxDeposit(msg.sender);
        if (assets > most) revert ERC4626ExceededMaxDeposit(receiver, assets, most);
        shares = _deposits.take(msg.sender, assets);
        _giveShares(receiver, assets, shares);
    }

    function mint(uint256 shares, address receiver) public override returns (uint256 assets) {
        uint256 most = maxMint(msg.sender);
        if (shares > most) revert ERC4626ExceededMaxMint(receiver, shares, most);
        assets = _deposits.takeGiven(msg.sender, shares);
        _giveShares(receiver, assets, shares);
    }

    function withdraw(uint256 assets, address receiver, address owner) public override returns (uint256 shares) {
        if (owner != msg.sender) revert NotRequester(owner, msg.sender);
        uint256 most = maxWithdraw(owner);
        if (assets > most) revert ERC4626ExceededMaxWithdraw(owner, assets, most);
        shares = _redemptions.takeGiven(owner, assets);
        _giveAssets(receiver, assets, shares);
    }

    function redeem(uint256 shares, address receiver, address owner) public override returns (uint256 assets) {
        if (owner != msg.sender) revert NotRequester(owner, msg.sender);
        uint256 most = maxRedeem(owner);
        if (shares > most) revert ERC4626ExceededMaxRedeem(owner, shares, most);
        assets = _redemptions.take(owner, shares);
        _giveAssets(receiver, assets, shares);
    }

    function depositsOf(address holder) external view returns (RequestStanding memory) {
        return _deposits.standingOf(holder);
    }

    function redemptionsOf(address holder) external view returns (RequestStanding memory) {
        return _redemptions.standingOf(holder);
    }

    function markOf(uint32 day) external view returns (BatchMark memory) {
        PriceMarks.Mark storage marked = _marks[day];
        return BatchMark(marked.assets, marked.supply, marked.slot, marked.executedSlot);
    }

    function unpaidDays() external view returns (uint32[] memory days_) {
        days_ = new uint32[](_days.length - _head);
        for (uint256 i = 0; i < days_.length; ++i) days_[i] = _days[_head + i];
    }

    function pendingAssets() external view returns (uint256) {
        return _deposits.pending;
    }

    function pendingShares() external view returns (uint256) {
        return _redemptions.pending;
    }

    function totalAssets() public view override returns (uint256) {
        int256 worth = _worth();
        return worth > 0 ? uint256(worth) : 0;
    }

    function idle() public view returns (uint256) {
        return IERC20(asset()).balanceOf(address(this)) - _deposits.pending - owedAssets;
    }

    function throughSlotOf(uint32 day) public pure returns (uint32) {
        return (day + 1) * SLOTS_PER_DAY - 1 + uint32(SlotTime.AHEAD_SLOTS);
    }

    function maxDeposit(address holder) public view override returns (uint256) {
        return _deposits.standingOf(holder).done;
    }

    function maxMint(address holder) public view override returns (uint256) {
        return _deposits.standingOf(holder).given;
    }

    function maxWithdraw(address holder) public view override returns (uint256) {
        return _redemptions.standingOf(holder).given;
    }

    function maxRedeem(address holder) public view override returns (uint256) {
        return _redemptions.standingOf(holder).done;
    }

    function previewDeposit(uint256) public pure override returns (uint256) {
        revert NoPreview();
    }

    function previewMint(uint256) public pure override returns (uint256) {
        revert NoPreview();
    }

    function previewWithdraw(uint256) public pure override returns (uint256) {
        revert NoPreview();
    }

    function previewRedeem(uint256) public pure override returns (uint256) {
        revert NoPreview();
    }

    function _request(Requests.Book storage book, uint256 amount) private returns (uint32 day) {
        day = SlotTime.current() / SLOTS_PER_DAY;
        uint32 openDay = book.add(msg.sender, day, amount);
        if (openDay != day) revert RequestOpen(msg.sender, openDay);
    }

    function _mark(uint32 day) private {
        (uint256 assets, uint256 supply) = (totalAssets(), totalSupply());
        _marks[day].set(settlement, assets, supply);
        emit Marked(day, SlotTime.current(), assets, supply);
    }

    /// Gives shares at the higher worth, rounded down, or returns the tokens.
    function _executeDeposits(uint32 day, PriceMarks.Mark storage marked) private {
        uint256 assets = _deposits.openOn(day);
        uint256 shares;
        if (_worth() >= 0 && totalSupply() <= totalAssets() * WIPED_OUT * VIRTUAL_SHARES) {
            shares = _convertToShares(assets, Math.Rounding.Floor);
            uint256 then_ = assets.mulDiv(marked.supply + VIRTUAL_SHARES, marked.assets + 1);
            if (then_ < shares) shares = then_; // [98]
        }
        if (shares != 0) _deposits.execute(day, assets, shares);
        owedAssets += _deposits.close(day);
        _mint(address(this), shares);
        emit Executed(day, assets, shares);
    }

    /// What shares are worth: the lower of marked and present, rounded down. [99]
    function _lower(uint256 shares, PriceMarks.Mark storage marked) private view returns (uint256 assets) {
        if (_worth() <= 0) return 0;
        assets = _convertToAssets(shares, Math.Rounding.Floor);
        uint256 then_ = shares.mulDiv(marked.assets + 1, marked.supply + VIRTUAL_SHARES);
        if (then_ < assets) assets = then_;
    }

    /// Whether the oldest batch lacks tokens for longer than the grace.
    function _overdue() internal view returns (bool, uint32 day) {
        if (_head == _days.length) return (false, 0);
        day = _days[_head];
        PriceMarks.Mark storage marked = _marks[day];
        if (marked.executedSlot == 0 || SlotTime.current() < marked.executedSlot + GRACE_SLOTS) return (false, day);
        return (_lower(_redemptions.openOn(day), marked) > idle(), day);
    }

    function _receive(uint256 assets) internal {
        uint256 before = IERC20(asset()).balanceOf(address(this));
        IERC20(asset()).safeTransferFrom(msg.sender, address(this), assets);
        uint256 received = IERC20(asset()).balanceOf(address(this)) - before;
        if (received != assets) revert WrongAmountReceived(assets, received);
    }

    function _giveShares(address receiver, uint256 assets, uint256 shares) private {
        _transfer(address(this), receiver, shares);
        emit Deposit(msg.sender, receiver, assets, shares);
    }

    function _giveAssets(address receiver, uint256 assets, uint256 shares) private {
        owedAssets -= assets;
        emit Withdraw(msg.sender, receiver, msg.sender, assets, shares);
        IERC20(asset()).safeTransfer(receiver, assets);
    }

    function _decimalsOffset() internal pure override returns (uint8) {
        return OFFSET;
    }

    /// Idle tokens and the battery's account, base units, rounded down; below zero too.
    function _worth() internal view virtual returns (int256);

    function _onlyWithPoint() internal view virtual;
}
