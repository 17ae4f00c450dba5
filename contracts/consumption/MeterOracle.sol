// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IMeterOracle, Report} from "../interfaces/IMeterOracle.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {CodeStore} from "../libraries/CodeStore.sol";
import {ReportWords} from "../libraries/ReportWords.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {SlotRing} from "../libraries/SlotRing.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

/// See IMeterOracle for what each function does.
contract MeterOracle is IMeterOracle, AccessManaged, EIP712 {
    uint256 public constant MAX_NODES = 31;
    uint256 private constant SIGNATURE_BYTES = 65;
    bytes32 public constant REPORT_TYPEHASH = keccak256(
        "Report(uint32 slot,uint8 version,uint8 attempt,bytes32 readingsHash,bytes32 root)"
    );

    address public immutable settlement;

    /// The nodes' addresses stand as code, 20 bytes each: one account access instead of a storage read per signer.
    struct Committee {
        address pointer;
        uint8 nodes;
        uint8 faults;
        uint32 epoch;
    }

    /// What all reports of a batch share.
    struct Batch {
        bytes nodes;
        uint256 quorumBytes;
        bytes32 domain;
    }

    Committee private _committee;
    /// bits 255..32 digest, 31..8 lap (slot / 256), 7..0 version.
    mapping(uint256 ringIndex => uint256 entry) private _reports;
    /// The same of reports that a slot was settled with and that a higher version replaced; written only then.
    mapping(uint256 ringIndex => uint256 entry) private _replaced;

    constructor(address manager, address settlement_) AccessManaged(manager) EIP712("DAEG", "1") {
        settlement = settlement_;
    }

    function setCommittee(address[] calldata nodes, uint8 faults) external restricted {
        if (nodes.length > MAX_NODES) revert CommitteeTooLarge(nodes.length);
        if (nodes.length <= 3 * uint256(faults)) revert CommitteeTooSmall(nodes.length, faults);
        bytes memory packed;
        for (uint256 i = 0; i < nodes.length; ++i) {
            if (nodes[i] == address(0)) revert DuplicateNode(address(0));
            for (uint256 j = 0; j < i; ++j) if (nodes[j] == nodes[i]) revert DuplicateNode(nodes[i]);
            packed = bytes.concat(packed, bytes20(nodes[i]));
        }
        uint32 next = _committee.epoch + 1;
        _committee = Committee(CodeStore.write(packed), uint8(nodes.length), faults, next);
        emit CommitteeSet(nodes, faults, next);
    }

    function report(Report calldata report_, bytes calldata signatures) external {
        ReportWords memory words = ReportWords(
            REPORT_TYPEHASH,
            report_.slot,
            report_.version,
            report_.attempt,
            report_.readingsHash,
            report_.root,
            0
        );
        (uint32 slot, uint8 version) = (report_.slot, report_.version);
        (Skip refusal, uint256 entry, bool kept) = _look(slot, version);
        if (refusal == Skip.SlotNotOver) revert SlotNotOver(slot, SlotTime.endOf(slot));
        if (refusal == Skip.VersionNotHigher) revert VersionNotHigher(slot, version, uint8(entry));
        if (refusal == Skip.SlotIsFinal) revert SlotIsFinal(slot);
        words.signers = _checkSignatures(words.digest(_domainSeparatorV4()), signatures);
        _take(words, entry, kept);
    }

    function reportMany(bytes calldata reports) external returns (uint256 taken) {
        Batch memory batch;
        uint256 quorum;
        (batch.nodes, quorum) = _members();
        batch.quorumBytes = quorum * SIGNATURE_BYTES;
        batch.domain = _domainSeparatorV4();
        ReportWords memory words;
        words.typehash = REPORT_TYPEHASH;
        while (reports.length != 0) {
            bytes calldata signatures;
            (signatures, reports) = words.readFirst(reports);
            Skip refusal = _tryTaking(words, signatures, batch);
            if (refusal != Skip.None)
                emit ReportSkipped(uint32(words.slot), uint8(words.version), uint8(words.attempt), refusal);
            else {
                unchecked {
                    ++taken;
                }
            }
        }
    }

    function reportOf(uint32 slot) external view returns (uint8 version, bytes28 digest) {
        return _entryOf(_reports[slot % SlotTime.RING], slot);
    }

    function entriesOf(uint32[] calldata slots) external view returns (uint256[] memory) {
        return SlotRing.read(_reports, slots, 8, type(uint24).max, 8);
    }

    function replacedOf(uint32 slot) external view returns (uint8 version, bytes28 digest) {
        return _entryOf(_replaced[slot % SlotTime.RING], slot);
    }

    function committee() external view returns (address[] memory nodes, uint8 faults, uint256 quorum) {
        Committee memory current = _committee;
        nodes = new address[](current.nodes);
        if (current.nodes != 0) {
            bytes memory packed = CodeStore.read(current.pointer);
            for (uint256 i = 0; i < nodes.length; ++i) nodes[i] = _nodeAt(packed, i);
        }
        return (nodes, current.faults, 2 * uint256(current.faults) + 1);
    }

    function epoch() external view returns (uint32) {
        return _committee.epoch;
    }

    /// What an entry of the ring says of the slot: nothing when it is another lap's.
    function _entryOf(uint256 entry, uint32 slot) private pure returns (uint8 version, bytes28 digest) {
        if (uint24(entry >> 8) != slot / SlotTime.RING) return (0, 0);
        return (uint8(entry), bytes28(bytes32(entry)));
    }

    /// Whether a report can be taken now, what the ring holds of its slot (0: nothing of this lap), and whether the slot was settled
    /// with that: then it is kept.
    function _look(uint256 slot, uint256 version) private view returns (Skip refusal, uint256 entry, bool kept) {
        unchecked {
            uint256 end = (slot + 1) * SlotTime.SLOT_SECONDS;
            if (block.timestamp < end) return (Skip.SlotNotOver, 0, false);
            entry = _reports[slot % SlotTime.RING];
            if (uint24(entry >> 8) != slot / SlotTime.RING) entry = 0;
            uint256 current = uint8(entry);
            if (version <= current) return (Skip.VersionNotHigher, entry, false);
            // An entry of a newer lap is never overwritten: by then the slot is far past this time.
            uint256 open = (SlotTime.REPORT_SLOTS + SlotTime.FINAL_SLOTS) * SlotTime.SLOT_SECONDS;
            if (block.timestamp - end >= open) return (Skip.SlotIsFinal, entry, false);
            if (current == 0) return (Skip.None, 0, false);
            (ISettlement.Status status, uint32 since, uint8 settled) = ISettlement(settlement).statusOf(uint32(slot));
            if (status != ISettlement.Status.Settled) return (Skip.None, entry, false);
            // What is settled is resettled in time: the last slots of its window take no report.
            if (SlotTime.current() >= since + SlotTime.CORRECTION_SLOTS) return (Skip.SlotIsFinal, entry, false); // [93]
            return (Skip.None, entry, settled == current);
        }
    }

    /// Takes one report of a batch, or says why not.
    function _tryTaking(
        ReportWords memory words,
        bytes calldata signatures,
        Batch memory batch
    ) private returns (Skip refusal) {
        uint256 entry;
        bool kept;
        (refusal, entry, kept) = _look(words.slot, words.version);
        if (refusal != Skip.None) return refusal;
        if (signatures.length < batch.quorumBytes) return Skip.TooFewSignatures;
        uint256 bits = Signatures.signersOf(batch.nodes, words.digest(batch.domain), signatures);
        if (bits == 0) return Skip.WrongSignatures;
        words.signers = bits;
        _take(words, entry, kept);
    }

    function _take(ReportWords memory words, uint256 entry, bool kept) private {
        uint256 index = words.slot % SlotTime.RING;
        if (kept) _replaced[index] = entry;
        _reports[index] =
            (uint256(words.stored()) & ~uint256(type(uint32).max)) |
            ((words.slot / SlotTime.RING) << 8) |
            words.version;
        words.log();
    }

    /// The committee's addresses, 20 bytes each, and how many of them have to sign.
    function _members() private view returns (bytes memory packed, uint256 quorum) {
        Committee memory current = _committee;
        if (current.nodes == 0) revert CommitteeTooSmall(0, 0);
        packed = CodeStore.readFirst(current.pointer, uint256(current.nodes) * 20);
        return (packed, 2 * uint256(current.faults) + 1);
    }

    function _checkSignatures(bytes32 digest, bytes calldata signatures) private view returns (uint32 signerBits) {
        (bytes memory packed, uint256 quorum) = _members();
        uint256 count = signatures.length / SIGNATURE_BYTES;
        if (count * SIGNATURE_BYTES != signatures.length) revert MalformedSignatures(signatures.length);
        if (count < quorum) revert TooFewSignatures(count, quorum);
        uint256 bits = Signatures.signersOf(packed, digest, signatures);
        // Whatever is wrong with them, the other loop finds the first one and says so.
        return bits != 0 ? uint32(bits) : _signersOneByOne(packed, digest, signatures);
    }

    function _signersOneByOne(
        bytes memory packed,
        bytes32 digest,
        bytes calldata signatures
    ) private view returns (uint32 signerBits) {
        uint8 nodes = uint8(packed.length / 20);
        uint8 previous;
        unchecked {
            for (uint256 at_ = 0; at_ < signatures.length; at_ += SIGNATURE_BYTES) {
                uint8 signer;
                bytes32 r;
                uint256 vs;
                assembly ("memory-safe") {
                    let from := add(signatures.offset, at_)
                    signer := byte(0, calldataload(from))
                    r := calldataload(add(from, 1))
                    vs := calldataload(add(from, 33))
                }
                if (signer <= previous && at_ != 0) revert SignersNotAscending(previous, signer);
                if (signer >= nodes) revert UnknownSigner(signer, nodes);
                address expected = _nodeAt(packed, signer);
                address recovered = Signatures.recoverCompact(digest, r, vs);
                if (recovered != expected) revert WrongSignature(signer, recovered, expected);
                signerBits |= uint32(1) << signer;
                previous = signer;
            }
        }
    }

    function _nodeAt(bytes memory packed, uint256 index) private pure returns (address node) {
        assembly ("memory-safe") {
            node := shr(96, mload(add(add(packed, 32), mul(index, 20))))
        }
    }
}
