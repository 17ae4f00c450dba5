// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IMeterOracle, Report} from "../interfaces/IMeterOracle.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {CodeStore} from "../libraries/CodeStore.sol";
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
        uint32 slot = report_.slot;
        _checkTimeAndVersion(slot, report_.version);
        bytes32 digest = _hashTypedDataV4(
            keccak256(
                abi.encode(REPORT_TYPEHASH, slot, report_.version, report_.attempt, report_.readingsHash, report_.root)
            )
        );
        uint32 signerBits = _checkSignatures(digest, signatures);

        bytes32 stored = keccak256(abi.encode(slot, report_.version, report_.readingsHash, report_.root));
        _reports[slot % SlotTime.RING] =
            (uint256(stored) & ~uint256(type(uint32).max)) |
            (uint256(slot / SlotTime.RING) << 8) |
            report_.version;
        emit Reported(slot, report_.version, report_.attempt, report_.readingsHash, report_.root, signerBits);
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

    function _checkTimeAndVersion(uint32 slot, uint8 version) private {
        uint256 end = SlotTime.endOf(slot);
        if (block.timestamp < end) revert SlotNotOver(slot, end);
        uint256 entry = _reports[slot % SlotTime.RING];
        uint8 current = uint24(entry >> 8) == slot / SlotTime.RING ? uint8(entry) : 0;
        if (version <= current) revert VersionNotHigher(slot, version, current);
        // An entry of a newer lap is never overwritten: by then the slot is far past this time.
        uint256 open = (SlotTime.REPORT_SLOTS + SlotTime.FINAL_SLOTS) * SlotTime.SLOT_SECONDS;
        if (block.timestamp - end >= open) revert SlotIsFinal(slot);
        if (current == 0) return;
        (ISettlement.Status status, uint32 since, uint8 settled) = ISettlement(settlement).statusOf(slot);
        if (status != ISettlement.Status.Settled) return;
        // What is settled is resettled in time: the last slots of its window take no report.
        if (SlotTime.current() >= since + SlotTime.CORRECTION_SLOTS) revert SlotIsFinal(slot); // [93]
        if (settled == current) _replaced[slot % SlotTime.RING] = entry;
    }

    function _checkSignatures(bytes32 digest, bytes calldata signatures) private view returns (uint32 signerBits) {
        Committee memory current = _committee;
        uint256 count = signatures.length / SIGNATURE_BYTES;
        if (count * SIGNATURE_BYTES != signatures.length) revert MalformedSignatures(signatures.length);
        uint256 quorum = 2 * uint256(current.faults) + 1;
        if (count < quorum) revert TooFewSignatures(count, quorum);
        if (current.nodes == 0) revert CommitteeTooSmall(0, 0);
        bytes memory packed = CodeStore.readFirst(current.pointer, uint256(current.nodes) * 20);
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
