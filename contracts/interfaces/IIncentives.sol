// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// One step of the schedule: up to this much of a generator's energy, this premium.
struct PremiumStep {
    /// Of the generator's paid energy since its beginning, Wh; ascending.
    uint64 throughWh;
    /// Micro-token per kWh; never higher than the step before.
    uint64 premium;
}

/// @title Renewable incentive: a premium per certified kWh out of a pool that anybody may fill.
/// @notice What is certified is what IGenerators counted: metered, final, in slots in which the certification ran. So a revoked, expired
/// or suspended certification earns nothing for its slots, however late somebody asks. Per generator and month only so much counts; beyond
/// the last step of the schedule nothing is paid. Steps go by the generator's own energy: nobody gains by asking before another.
/// Money is in nano-token (Wh x micro-token per kWh); withdrawals round down to token base units, the rest stays.
interface IIncentives {
    /// At deployment.
    event ScheduleSet(uint64 capWhPerMonth, PremiumStep[] steps);
    event Funded(address indexed from, uint256 amount);
    event Accrued(
        uint32 indexed generator,
        uint16 indexed month,
        address indexed producer,
        uint256 wh,
        uint256 amountNano,
        uint64 paidWh
    );
    event Withdrawn(address indexed producer, address to, uint256 amount);

    error EmptySchedule();
    error ScheduleNotDegressive(uint256 step);
    error ZeroAmount();
    error WrongAmountReceived(uint256 expected, uint256 received);
    /// Nothing certified in the month is unpaid and within the cap.
    error NothingToPay(uint32 generator, uint16 month);
    error PoolTooSmall(uint256 neededNano, uint256 poolNano);
    error NothingEarned(address producer);

    /// Adds to the pool.
    function fund(uint256 amount) external;

    /// Credits the producer with the premium for Wh certified in `month` and not paid yet, at most `maxWh`. Anyone; a month may be paid in parts.
    function accrue(uint32 generator, uint16 month, uint64 maxWh) external returns (uint256 amountNano);

    /// Pays what the caller earned, in whole base units.
    function withdraw(address to) external returns (uint256 amount);

    /// Premium of the Wh from `fromWh` to `throughWh` of a generator's paid energy, nano-token.
    function premiumOf(uint256 fromWh, uint256 throughWh) external view returns (uint256 amountNano);
    function stepCount() external view returns (uint256);
    function stepOf(uint256 index) external view returns (PremiumStep memory);
    /// Wh per generator and month that earn a premium.
    function capWhPerMonth() external view returns (uint64);
    function poolNano() external view returns (uint256);
    function earnedOf(address producer) external view returns (uint256 amountNano);
    function paidOf(uint32 generator) external view returns (uint256 wh);
    function paidInMonth(uint32 generator, uint16 month) external view returns (uint256 wh);
}
