// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Sealed batches: until the gate the chain holds only hashes of orders. A relayer puts down a bond for each; who opens in time
/// has it back, who does not forfeits it to the members.
interface ISealedBatches {
    /// At deployment: what every `Sealed` takes from the relayer's deposit and `Opened` gives back, token base units.
    event BondSet(uint256 bond);
    event Deposited(address indexed relayer, address indexed from, uint256 amount);
    event Withdrawn(address indexed relayer, uint256 amount);
    event Sealed(uint32 indexed slot, address indexed relayer, bytes32 commitment);
    /// Its orders are in the book's `Appended` and `OrderSkipped` of the same transaction.
    event Opened(uint32 indexed slot, address indexed relayer, bytes32 commitment, uint256 appended);
    event Forfeited(uint32 indexed slot, address indexed relayer, uint256 amount);

    error ZeroAmount();
    error WrongAmountReceived(uint256 expected, uint256 received);
    /// The relayer's free deposit is below what is asked for.
    error DepositTooLow(address relayer, uint256 free, uint256 needed);
    /// Batches are sealed up to the gate, for slots at most 120 ahead.
    error NotSealable(uint32 slot, uint256 now_, uint256 gate);
    error TooManySealed(uint32 slot, address relayer, uint256 most);
    error EmptyCommitment();
    /// Batches are opened after the gate, for 150 s.
    error NotInWindow(uint32 slot, uint256 now_, uint256 gate, uint256 end);
    /// The relayer sealed no such batch for the slot, or it was opened already.
    error UnknownCommitment(uint32 slot, address relayer, bytes32 commitment);
    error NothingForfeited(uint32 slot, address relayer);

    /// Bond of one batch, token base units.
    function bond() external view returns (uint256);
    function orderBook() external view returns (address);

    /// Moves `amount` token base units from the caller into the relayer's deposit. Anyone may pay for anyone.
    function deposit(address relayer, uint256 amount) external;
    /// Gives back what no open batch binds. Only the relayer itself.
    function withdraw(uint256 amount) external;
    /// Seals a batch: at most 4 per slot and relayer. `commitment`: commitmentOf.
    function seal(uint32 slot, bytes32 commitment) external;
    /// Appends the orders (PackedOrder, as OrderBook.appendPacked) after the gate and up to 1/6 of a slot later; the bond is free again.
    /// Only the relayer that sealed them: another could choose the gas so that a contract wallet's signature fails.
    function openSealed(uint32 slot, bytes calldata orders, bytes32 salt) external returns (uint256 appended);
    /// Pays the bonds of a relayer's batches that were not opened in time to the members' account of the ledger.
    function forfeit(uint32 slot, address relayer) external returns (uint256 amount);

    /// keccak256(abi.encode(slot, relayer, orders, salt)).
    function commitmentOf(
        uint32 slot,
        address relayer,
        bytes calldata orders,
        bytes32 salt
    ) external pure returns (bytes32);
    /// Commitments that the relayer sealed for the slot and did not open, 0 for the others; the first 28 bytes of each.
    function sealedOf(uint32 slot, address relayer) external view returns (bytes28[4] memory);
    function freeOf(address relayer) external view returns (uint256);
}
