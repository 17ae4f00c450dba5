// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// EIP-712: Report(uint32 slot,uint8 version,uint8 attempt,bytes32 readingsHash,bytes32 root)
/// Domain: name "DAEG", version "1", chainId, verifyingContract = the oracle.
struct Report {
    uint32 slot;
    /// 1 for the first report of a slot; a higher version replaces it until the slot is final.
    uint8 version;
    /// Counts leaders tried; a node signs one proposal per slot, version and attempt.
    uint8 attempt;
    /// keccak256 of the packed readings, 8 bytes per point (PackedReadings).
    bytes32 readingsHash;
    /// Merkle root over the same readings (leaf: point, slot, packed reading).
    bytes32 root;
}

/// @title Reports of the committee: n > 3f nodes, n <= 31, quorum 2f + 1.
interface IMeterOracle {
    /// Why a report of a batch was skipped.
    enum Skip {
        None,
        SlotNotOver,
        VersionNotHigher,
        SlotIsFinal,
        TooFewSignatures,
        /// Of nobody in the committee, of another node than it names, or not in order.
        WrongSignatures
    }

    event CommitteeSet(address[] nodes, uint8 faults, uint32 epoch);
    event Reported(
        uint32 indexed slot,
        uint8 version,
        uint8 attempt,
        bytes32 readingsHash,
        bytes32 root,
        uint32 signers
    );
    /// A report of a batch was not taken.
    event ReportSkipped(uint32 indexed slot, uint8 version, uint8 attempt, Skip reason);

    error CommitteeTooSmall(uint256 nodes, uint8 faults);
    error CommitteeTooLarge(uint256 nodes);
    error DuplicateNode(address node);
    error SlotNotOver(uint32 slot, uint256 end);
    error TooFewSignatures(uint256 signatures, uint256 quorum);
    error SignersNotAscending(uint8 previous, uint8 signer);
    error UnknownSigner(uint8 signer, uint256 nodes);
    error WrongSignature(uint8 signer, address recovered, address expected);
    error MalformedSignatures(uint256 length);
    /// A batch ends inside a report: these are its last bytes.
    error MalformedReports(uint256 left);
    error VersionNotHigher(uint32 slot, uint8 version, uint8 current);
    error SlotIsFinal(uint32 slot);

    /// Replaces the committee. Restricted.
    function setCommittee(address[] calldata nodes, uint8 faults) external;

    /// Lands a report, until 96 slots after the deadline (then the slot is settled as estimated). A higher version replaces the last one,
    /// until 88 slots after the slot was settled: 8 more are left to resettle it before it is final. `signatures`: 65 bytes each, ascending: index in the
    /// committee, then r and s with the parity of v in its highest bit (EIP-2098). Anyone may send it.
    function report(Report calldata report_, bytes calldata signatures) external;

    /// Lands reports as `report` does, of any slots, signed one by one: the transaction and the committee are paid once. A report that
    /// fails is skipped with `ReportSkipped`, and nothing it does can revert the others; a batch of which nothing is taken changes nothing.
    /// `reports`, one after the other: slot 4 bytes, version 1, attempt 1, number of signatures 1, readingsHash 32, root 32, then the
    /// signatures, 65 bytes each. Anyone may send it.
    function reportMany(bytes calldata reports) external returns (uint256 taken);

    /// Version of the last report (0 = none) and the first 28 bytes of keccak256(abi.encode(slot, version, readingsHash, root)).
    /// Slots older than the ring are forgotten.
    function reportOf(uint32 slot) external view returns (uint8 version, bytes28 digest);
    /// `reportOf` for many slots: bits 255..32 digest, 31..8 lap of the ring, 7..0 version; 0 = no report.
    function entriesOf(uint32[] calldata slots) external view returns (uint256[] memory);
    /// The report that a slot was settled with, when a higher version replaced it: what `Settlement.resettle` takes back. Version 0 = none.
    function replacedOf(uint32 slot) external view returns (uint8 version, bytes28 digest);
    function epoch() external view returns (uint32);
    function settlement() external view returns (address);
    function committee() external view returns (address[] memory nodes, uint8 faults, uint256 quorum);
}
