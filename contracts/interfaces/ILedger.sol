// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// What one address earned by clearing, nano-token.
struct Earning {
    address clearer;
    uint128 nano;
}

/// Credit and default of one point, nano-token.
struct Standing {
    /// What the backup supplier still stands for.
    uint96 creditNano;
    /// Owed to the backup supplier: credit that was drawn.
    uint96 drawnNano;
    /// Slot in which the account was suspended; 0 when it is not.
    uint32 sinceSlot;
    /// Owed to the default fund.
    uint96 fundNano;
    /// What lacked when it was suspended and is not covered yet.
    uint96 shortNano;
}

/// @title The one ledger at the token border. Amounts of accounts in nano-token (ledger units); 1 token base unit = 1,000.
/// An account is a metering point, or one of the fixed accounts below; beside them any address has what it earned by clearing. Only
/// Settlement and the modules named at deployment move money between accounts, and every move sums to zero; only the owner takes money
/// out. No role can do either.
///
/// **Credit.** The backup supplier may stand for a point: credit counts as margin of its orders and at withdrawal, and is margin of the
/// backup until it is drawn. It is lowered only as far as the point's margin does not need it.
///
/// **Default.** Anyone may `suspend` a point whose balance is negative: what lacks is marked, and its orders and trades are refused. When
/// every slot up to that moment is final, anyone may `cover` what is marked and still lacks: from the default fund, then from the
/// point's credit as far as the backup's balance goes; the rest stays as its debt, and may be covered later. What the point has
/// after that flows back to the backup (where it is credit again), then to the fund: at every deposit and withdrawal, and
/// whenever anyone calls `repay`. It is reinstated when its balance is not negative and it owes nothing.
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

    /// Undrawn credit of the point from now on.
    event CreditSet(uint32 indexed point, uint256 creditNano);
    event Suspended(uint32 indexed point, uint256 shortNano, uint32 slot);
    /// The default fund and the backup supplier paid this into the point's account.
    event Covered(uint32 indexed point, uint256 fromFundNano, uint256 fromCreditNano);
    /// The point paid this back.
    event Repaid(uint32 indexed point, uint256 toBackupNano, uint256 toFundNano);
    event Reinstated(uint32 indexed point);

    error NotAccountOwner(uint32 account, address caller);
    error NotSettlement(address caller);
    error SumNotZero(int256 sum);
    /// The backup's balance less its margin does not cover all credit.
    error CreditNotCovered(int256 freeNano, uint256 creditNano);
    /// The point's margin needs the credit.
    error CreditInUse(uint32 point, int256 backingNano, uint256 requiredNano);
    error NotInDefault(uint32 point, int256 balanceNano);
    error AlreadySuspended(uint32 point, uint32 sinceSlot);
    error NotSuspended(uint32 point);
    /// Nothing lacks, or neither fund nor credit have anything.
    error NothingToCover(uint32 point);
    error NothingToRepay(uint32 point, int256 balanceNano);
    error NotModule(address caller);
    error TransferLengthsDiffer(uint256 accounts, uint256 deltas);
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

    /// Only a module. Adds the deltas, which sum to zero, in order; an account may be left negative (then it defaults). The orders of a point
    /// that it takes from are checked against its margin anew.
    function transferBetween(uint32[] calldata accounts, int128[] calldata deltasNano) external;

    /// Sets the undrawn credit of a point. Only the backup supplier.
    function setCredit(uint32 point, uint96 creditNano) external;

    /// Suspends a point with a negative balance, or marks anew what lacks when the last mark is paid. Anyone.
    function suspend(uint32 point) external;

    /// Covers what was marked, when every slot up to the mark is final. Anyone, again and again while something lacks.
    function cover(uint32 point) external;

    /// Pays back what a suspended point owes as far as its balance goes, and reinstates it when nothing is left. Anyone.
    function repay(uint32 point) external;

    function standingOf(uint32 point) external view returns (Standing memory);
    /// Sum of all undrawn credit, which the backup's margin contains.
    function creditNano() external view returns (uint256);
    /// Balance and credit of a point; below zero while it is suspended. What its margin is checked against.
    function backingOf(uint32 point) external view returns (int256 nano);
    function balanceOf(uint32 account) external view returns (int128 nano);
    /// `backingOf` less what the point's bilateral trades bind: what the margin of its orders is checked against.
    function unboundOf(uint32 point) external view returns (int256 nano);
    /// What an address earned by clearing and did not take out yet.
    function earnedOf(address clearer) external view returns (uint256 nano);
    function isModule(address module) external view returns (bool);
    /// Day (unix time / 86,400) of the last deposit or withdrawal, and the base units that left in it so far, less those that came in;
    /// zero while more came in.
    function withdrawnOn() external view returns (uint32 day, uint256 amount);
    function token() external view returns (address);
    /// Open request of an account: token base units and the slot in which it was made.
    function requestOf(uint32 account) external view returns (uint256 amount, uint32 slot);
    /// Who takes money out of an account; address(0) for the members' pool, congestion rent and the default fund.
    function ownerOf(uint32 account) external view returns (address);
    function settlement() external view returns (address);
    function orderBook() external view returns (address);
    function bilaterals() external view returns (address);
}
