// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IStorageShares} from "./IStorageShares.sol";

/// @title A community battery as ERC-4626 shares. The vault owns the battery's metering point; what the battery earns is what its shares earn.
/// @notice **Worth of the account**: the ledger balance of the point less what it owes there (ILedger.standingOf), in whole base units, rounded
/// down. Energy in the battery counts for nothing. How shares are bought, priced and paid: IStorageShares.
///
/// **Where the tokens come from.** `fetch`, open to all, asks the ledger for what open redemptions need, and takes it as the margin of the
/// battery's point frees it. If a batch lacks tokens a day after its execution anyone may `halt` trading: then the ledger keeps only what
/// a connection without orders may cost in the slots that are not final. That last part becomes free by credit of the backup supplier, by new
/// deposits, or when all shares are on their way out and an heir takes the point over (`takeOver`): the heir pays for the account what is in it.
///
/// **Who may do what.** The manager appoints the key of the battery's home agent, moves idle tokens into the ledger account, sets the trading
/// limit and names an heir; nothing else. The key signs orders: never worse than the tariffs where there is a backup supplier, and a trade
/// agreed with a neighbour never worse than they are (IBilaterals). Tokens leave the ledger to the vault alone, the vault to holders alone.
interface ICommunityStorage is IStorageShares {
    event PointSet(uint32 indexed point);
    event DelegateAppointed(address indexed delegate, uint40 validUntil);
    /// Trading ends: the batch of this day lacks tokens.
    event Halted(uint32 indexed day);
    event LedgerFunded(uint256 assets);
    event HeirNamed(address indexed heir);
    /// The point and its ledger account are the heir's; the vault got `assets`.
    event TakenOver(uint32 indexed point, address indexed heir, uint256 assets);

    error PointAlreadySet(uint32 point);
    error NotVaultPoint(uint32 point, address owner);
    error NothingToFetch();
    error NothingToHalt();
    /// A batch lacks tokens for a day already: no key before it is paid.
    error BatchOverdue(uint32 day);
    error NotFree(uint256 amount, uint256 free);
    error NotHeir(address caller);
    /// So many shares are not on their way out.
    error SharesStay(uint256 shares);
    error TakeOverTooDear(uint256 assets, uint256 most);

    /// Names the metering point that the operator registered to the vault, while there is none. Restricted to the manager.
    function setPoint(uint32 point) external;
    /// Lets a key sign the point's orders until a chain time, instead of the one before. Not while a batch is overdue. Restricted to the manager.
    function appoint(address delegate, uint40 validUntil) external;
    /// IMeteringPoints.setTradeLimit of the point. Restricted to the manager.
    function setTradeLimit(uint24 tradeLimitWh) external;
    /// Moves idle tokens, beyond what open redemptions need at the present worth, into the point's ledger account. Restricted to the manager.
    function fundLedger(uint256 assets) external;
    /// Names who may take the point over; the zero address: nobody. Restricted to the manager.
    function nameHeir(address heir) external;
    /// Asks the ledger for what open redemptions need and an eighth of it more, or takes what was asked for. Anyone.
    function fetch() external;
    /// Revokes the delegate while a batch is overdue. Anyone.
    function halt() external;
    /// The heir gets the point with its account, for what the account is worth, rounded up, at most `most`; nothing where it is
    /// worth less. Only while all shares (but a millionth, which rounding may leave to nobody) are on their way out.
    function takeOver(uint256 most) external returns (uint256 assets);
    function point() external view returns (uint32);
    function pointSet() external view returns (bool);
    function delegate() external view returns (address);
    function heir() external view returns (address);
}
