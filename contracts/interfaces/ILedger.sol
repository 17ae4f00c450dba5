// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What one address earned by clearing, nano-token.
struct Earning {
    address clearer;
    uint128 nano;
}

/// @title The one ledger at the token border. Amounts of accounts in nano-token (ledger units); 1 token base unit = 1,000.
/// An account is a metering point, or one of the fixed accounts below; beside them any address has what it earned by clearing. Only
/// Settlement and the modules named at deployment move money between accounts, and every move sums to zero; only the owner takes money
/// out. No role can do either.
interface ILedger {
    event Deposited(uint32 indexed account, address indexed from, uint256 amount);
    event WithdrawalRequested(uint32 indexed account, uint256 amount, uint32 slot);
    event Withdrawn(uint32 indexed account, address indexed to, uint256 amount);
    event EarnedWithdrawn(address indexed clearer, uint256 amount);
    /// `deltasNano[i]` was added to point `firstPoint + i`; then the fixed accounts' deltas, and what clearers earned.
    event Moved(
        uint32 firstPoint,
        int128[] deltasNano,
        int128 backup,
        int128 operatorFees,
        int128 members,
        int128 congestion,
        Earning[] earnings
    );
    /// A contract that may move money between accounts; named at deployment, for ever.
    event ModuleNamed(address indexed module);
    /// `deltasNano[i]` was added to `accounts[i]`; an account may occur more than once.
    event TransferredBetween(address indexed module, uint32[] accounts, int128[] deltasNano);

    error NotAccountOwner(uint32 account, address caller);
    error NotSettlement(address caller);
    error SumNotZero(int256 sum);
    error NotModule(address caller);
    error LengthsDiffer(uint256 accounts, uint256 deltas);
    /// A transfer would leave an account beyond anything that money can be.
    error BalanceOutOfRange(uint32 account, int256 nano);
    error NothingRequested(uint32 account);
    error NotFinalYet(uint32 account, uint32 requestedSlot, uint32 finalThrough);
    error MarginNeeded(uint32 account, int256 balanceNano, uint256 requiredNano);
    error ZeroAmount();
    error UnknownAccount(uint32 account);
    error DepositTooLarge(uint256 amount);
    /// The token took a fee or moved another amount than asked.
    error WrongAmountReceived(uint256 expected, uint256 received);

    /// Fixed accounts: the backup supplier, the operator's share of fees, the members' pool (fees on local energy, netted
    /// imbalance), congestion rent, and the default fund: anybody pays in, nobody takes out, and it pays what accounts cannot.
    function BACKUP() external view returns (uint32);
    function OPERATOR() external view returns (uint32);
    function MEMBERS() external view returns (uint32);
    function CONGESTION() external view returns (uint32);
    function DEFAULT_FUND() external view returns (uint32);

    /// Moves `amount` token base units from the caller into `account`. Anyone may pay into any account.
    function deposit(uint32 account, uint256 amount) external;

    /// The same with an ERC-2612 permit of the caller.
    function depositWithPermit(
        uint32 account,
        uint256 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    /// Asks for `amount` base units; payable when every slot up to now's is final. Replaces an earlier request.
    function requestWithdrawal(uint32 account, uint256 amount) external;

    /// Pays a requested withdrawal to the owner, as far as balance less margin allows; the rest stays requested. Only the owner.
    function withdraw(uint32 account) external returns (uint256 amount);

    /// Pays the caller what it earned by clearing, in whole base units; what is left of the last one stays. ZeroAmount below one.
    function withdrawEarned() external returns (uint256 amount);

    /// Only Settlement. Adds the deltas and the earnings; reverts unless everything sums to zero.
    function move(
        uint32 firstPoint,
        int128[] calldata deltasNano,
        int128 backup,
        int128 operatorFees,
        int128 members,
        int128 congestion,
        Earning[] calldata earnings
    ) external;

    /// Only a module. Adds the deltas, which sum to zero, in order; an account may be left negative (then it defaults).
    function transferBetween(uint32[] calldata accounts, int128[] calldata deltasNano) external;

    function balanceOf(uint32 account) external view returns (int128 nano);
    /// Balance of a point less what its bilateral trades bind: what the margin of its orders is checked against.
    function unboundOf(uint32 point) external view returns (int256 nano);
    /// What an address earned by clearing and did not take out yet.
    function earnedOf(address clearer) external view returns (uint256 nano);
    function isModule(address module) external view returns (bool);
    function token() external view returns (address);
    /// Open request of an account: token base units and the slot in which it was made.
    function requestOf(uint32 account) external view returns (uint256 amount, uint32 slot);
    /// Who takes money out of an account; address(0) for the members' pool, congestion rent and the default fund.
    function ownerOf(uint32 account) external view returns (address);
    function settlement() external view returns (address);
    function orderBook() external view returns (address);
    function bilaterals() external view returns (address);
}
