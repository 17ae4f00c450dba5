// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// Where one holder's requests of one kind stand. Deposits: asked in token base units, given in shares; redemptions the other way round.
struct RequestStanding {
    /// UTC day of the open request; meaningless without `asked`.
    uint32 day;
    /// Asked for, and neither executed nor returned yet.
    uint256 asked;
    /// Executed and not fetched yet: what was handed in, and what it gives.
    uint256 done;
    uint256 given;
    /// Handed in and not taken: it can be taken back.
    uint256 returned;
}

/// What a share was worth when a batch was marked.
struct BatchMark {
    uint256 assets;
    uint256 supply;
    /// Slot in which it was marked; 0 before. Slots before it must be final before the batch is executed.
    uint32 slot;
    /// Slot in which it was executed; 0 before.
    uint32 executedSlot;
}

/// @title ERC-4626 shares of something whose worth is known late: requested by the day, executed by final slots, paid in parts.
/// @notice **Worth.** totalAssets = tokens of the vault (without those of open requests and of executed redemptions) plus what the
/// battery's account is worth (ICommunityStorage), rounded down; a negative account counts as it is, the sum never below zero.
///
/// **In and out blindly, and by final slots.** Requests of a UTC day make one batch and cannot be taken back. A batch is *marked* (the worth
/// of a share is written down) when every slot that had a price, a position or a trade when its requests were made is settled: 120 slots
/// after the day, as far as orders and trades reach. It is *executed* when every slot whose money the mark contains is final. If one of them was
/// settled anew meanwhile, it is marked again instead. Who enters pays the higher of the marked and the present worth of a share, who leaves
/// gets the lower: nobody buys a profit that is settled or known, nobody gets one that is not final, and nobody leaves a loss behind. What lies
/// between stays with those who stay, so no execution ever lowers the worth of a share.
///
/// **Paid in order, in parts.** `pay` pays the oldest executed batch with the tokens at hand, at the worth of that moment if it is lower than
/// marked: so many shares are burned as are paid. The rest stay shares, in the vault's keeping, and bear what happens: claims are never more than the tokens
/// that are there. Deposits wait for no redemption. ERC-4626's `deposit`, `mint`, `withdraw`, `redeem` and `max...` are about what executed
/// requests gave (as in ERC-7540, without its operators): they say and take what is there now. Its previews revert.
///
/// Where the vault is worth nothing, redemptions are returned as shares and deposits as tokens; nothing waits for it. Rounding is in favour
/// of those who stay: less than a base unit per holder and payment.
interface IStorageShares {
    event DepositRequested(address indexed holder, uint32 indexed day, uint256 assets);
    event RedemptionRequested(address indexed holder, uint32 indexed day, uint256 shares);
    event Marked(uint32 indexed day, uint32 slot, uint256 assets, uint256 supply);
    /// All deposits of the day gave `shares`; without any they are returned. Its redemptions are due.
    event Executed(uint32 indexed day, uint256 assets, uint256 shares);
    /// Shares of redemptions of the day were burned for `assets`; `returned` shares go back to their holders.
    event Paid(uint32 indexed day, uint256 shares, uint256 assets, uint256 returned);
    event TakenBack(address indexed holder, address indexed receiver, uint256 assets, uint256 shares);

    error PointNotSet();
    error ZeroAmount();
    error AmountTooLarge(uint256 amount, uint256 most);
    error WrongAmountReceived(uint256 expected, uint256 received);
    /// An earlier day's request is not executed yet, or not paid in full.
    error RequestOpen(address holder, uint32 day);
    error NothingAsked(uint32 day);
    error AlreadyMarked(uint32 day, uint32 slot);
    error SlotUnsettled(uint32 day, uint32 slot);
    error NotMarked(uint32 day);
    error AlreadyExecuted(uint32 day, uint32 slot);
    error BatchNotFinal(uint32 day, uint32 throughSlot, uint32 finalThrough);
    error NothingDue();
    error NotExecuted(uint32 day);
    /// Call `fetch`, later again, until the tokens are here.
    error TokensMissing(uint32 day, uint256 needed);
    error NotRequester(address owner, address caller);
    error NothingReturned(address holder);
    /// Requests have no price in advance.
    error NoPreview();

    /// Hands in tokens for shares. Cannot be taken back.
    function requestDeposit(uint256 assets) external;
    /// Hands in shares for tokens. Cannot be taken back.
    function requestRedeem(uint256 shares) external;
    /// Marks a day's batch. Anyone, once all slots up to `throughSlotOf(day)` are settled.
    function mark(uint32 day) external;
    /// Executes a marked batch, or marks it again. Anyone. Where the vault is worth less than zero, or a share less than a millionth of
    /// its first price, deposits are returned: they would pay old losses.
    function execute(uint32 day) external;
    /// Pays the oldest batch with open redemptions, as far as there are tokens. Anyone. Shares that are worth nothing are returned.
    function pay() external;
    /// Takes what a batch returned to the caller.
    function takeBack(address receiver) external returns (uint256 assets, uint256 shares);
    function depositsOf(address holder) external view returns (RequestStanding memory);
    function redemptionsOf(address holder) external view returns (RequestStanding memory);
    function markOf(uint32 day) external view returns (BatchMark memory);
    /// Days with redemptions that are not paid, oldest first: the order in which they are.
    function unpaidDays() external view returns (uint32[] memory);
    /// Last slot that must be settled before a day's batch is marked.
    function throughSlotOf(uint32 day) external pure returns (uint32);
    /// Tokens that belong to nobody's request.
    function idle() external view returns (uint256);
    /// Tokens of open deposit requests, and shares of open redemption requests.
    function pendingAssets() external view returns (uint256);
    function pendingShares() external view returns (uint256);
    /// Tokens of executed redemptions and returned deposits that were not fetched yet.
    function owedAssets() external view returns (uint256);
}
