// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IGenerators} from "../interfaces/IGenerators.sol";
import {IIncentives, PremiumStep} from "../interfaces/IIncentives.sol";

/// See IIncentives for what each function does.
contract Incentives is IIncentives {
    using SafeERC20 for IERC20;

    uint256 private constant NANO_PER_BASE_UNIT = 1_000;
    uint256 private constant MONTHS_PER_WORD = 4;

    IERC20 public immutable token;
    IGenerators public immutable generators;
    uint64 public immutable capWhPerMonth;

    uint256 public poolNano;
    PremiumStep[] private _steps;
    mapping(address producer => uint256) public earnedOf;
    mapping(uint256 generator => uint256) private _paidWh;
    /// 64 bits per month, four months per word.
    mapping(uint256 generatorAndMonths => uint256) private _months;

    constructor(IERC20 token_, IGenerators generators_, uint64 capWhPerMonth_, PremiumStep[] memory steps) {
        token = token_;
        generators = generators_;
        capWhPerMonth = capWhPerMonth_;
        if (steps.length == 0) revert EmptySchedule();
        for (uint256 i = 0; i < steps.length; ++i) {
            bool falls =
                i == 0 || (steps[i].throughWh > steps[i - 1].throughWh && steps[i].premium <= steps[i - 1].premium);
            if (!falls) revert ScheduleNotDegressive(i);
            _steps.push(steps[i]);
        }
        emit ScheduleSet(capWhPerMonth_, steps);
    }

    function fund(uint256 amount) external {
        if (amount == 0) revert ZeroAmount();
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert WrongAmountReceived(amount, received);
        poolNano += amount * NANO_PER_BASE_UNIT;
        emit Funded(msg.sender, amount);
    }

    function accrue(uint32 generator, uint16 month, uint64 maxWh) external returns (uint256 amountNano) {
        (, uint256 certifiedWh, ) = generators.monthOf(generator, month);
        if (certifiedWh > capWhPerMonth) certifiedWh = capWhPerMonth;
        uint256 before = paidInMonth(generator, month);
        if (certifiedWh <= before || maxWh == 0) revert NothingToPay(generator, month);
        uint256 wh = certifiedWh - before;
        if (wh > maxWh) wh = maxWh;
        uint256 paidWh = _paidWh[generator];
        amountNano = premiumOf(paidWh, paidWh + wh);
        if (amountNano > poolNano) revert PoolTooSmall(amountNano, poolNano);

        poolNano -= amountNano;
        _paidWh[generator] = paidWh + wh;
        _months[_keyOf(generator, month)] += wh << _shiftOf(month);
        address producer = generators.generatorOf(generator).producer;
        earnedOf[producer] += amountNano;
        emit Accrued(generator, month, producer, wh, amountNano, uint64(paidWh + wh));
    }

    function withdraw(address to) external returns (uint256 amount) {
        uint256 earned = earnedOf[msg.sender];
        amount = earned / NANO_PER_BASE_UNIT;
        if (amount == 0) revert NothingEarned(msg.sender);
        earnedOf[msg.sender] = earned % NANO_PER_BASE_UNIT;
        token.safeTransfer(to, amount);
        emit Withdrawn(msg.sender, to, amount);
    }

    function stepCount() external view returns (uint256) {
        return _steps.length;
    }

    function stepOf(uint256 index) external view returns (PremiumStep memory) {
        return _steps[index];
    }

    function paidOf(uint32 generator) external view returns (uint256 wh) {
        return _paidWh[generator];
    }

    function paidInMonth(uint32 generator, uint16 month) public view returns (uint256 wh) {
        return uint64(_months[_keyOf(generator, month)] >> _shiftOf(month));
    }

    function premiumOf(uint256 fromWh, uint256 throughWh) public view returns (uint256 amountNano) {
        uint256 length = _steps.length;
        for (uint256 i = 0; i < length && fromWh < throughWh; ++i) {
            PremiumStep memory step = _steps[i];
            if (step.throughWh <= fromWh) continue;
            uint256 end = step.throughWh < throughWh ? step.throughWh : throughWh;
            amountNano += (end - fromWh) * step.premium;
            fromWh = end;
        }
    }

    function _keyOf(uint32 generator, uint16 month) private pure returns (uint256) {
        return (uint256(generator) << 16) | (month / MONTHS_PER_WORD);
    }

    function _shiftOf(uint16 month) private pure returns (uint256) {
        return (month % MONTHS_PER_WORD) * 64;
    }
}
