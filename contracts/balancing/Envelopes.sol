// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IEnvelopes} from "../interfaces/IEnvelopes.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {CodeStore} from "../libraries/CodeStore.sol";
import {EnvelopeCharges} from "../libraries/EnvelopeCharges.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

/// See IEnvelopes for what each function does.
contract Envelopes is IEnvelopes, AccessManaged {
    ISettlement public immutable settlement;

    /// Lists as code; one ring, never cleared: `_pages` tells whether an entry is the slot's.
    mapping(uint256 ringIndex => address pointer) private _ring;
    mapping(uint256 page => uint256 bits) private _pages;

    constructor(address manager, ISettlement settlement_) AccessManaged(manager) {
        settlement = settlement_;
        address named = settlement_.envelopes();
        if (named != address(this)) revert WrongWiring(address(this), named);
    }

    function set(uint32 firstSlot, bytes[] calldata lists) external restricted {
        uint256 count = lists.length;
        if (count == 0) revert NothingToSet();
        uint256 frozen = frozenAt(firstSlot);
        if (block.timestamp >= frozen) revert EnvelopeFrozen(firstSlot, frozen);
        uint32 last = firstSlot + uint32(count) - 1;
        uint32 latest = SlotTime.current() + uint32(SlotTime.AHEAD_SLOTS);
        if (last > latest) revert EnvelopeTooFarAhead(last, latest);
        uint32 finalThrough = settlement.finalThrough();
        if (last > finalThrough + SlotTime.RING) revert EnvelopeRingFull(last, finalThrough + 1);

        bytes32 previous;
        address pointer;
        for (uint32 i = 0; i < count; ++i) {
            uint32 slot = firstSlot + i;
            bytes32 hash = keccak256(lists[i]);
            // Envelopes seldom change from slot to slot: the same list is stored once.
            if (hash != previous) {
                _check(slot, lists[i]);
                pointer = CodeStore.write(lists[i]);
                previous = hash;
            }
            _ring[slot % SlotTime.RING] = pointer;
            _pages[slot / SlotTime.RING] |= uint256(1) << (slot % SlotTime.RING);
        }
        emit EnvelopesSet(firstSlot, lists);
    }

    function pageOf(uint32 page) external view returns (uint256) {
        return _pages[page];
    }

    function listOf(uint32 slot) external view returns (bytes memory list) {
        if ((_pages[slot / SlotTime.RING] >> (slot % SlotTime.RING)) & 1 == 0) return list;
        return CodeStore.read(_ring[slot % SlotTime.RING]);
    }

    function frozenAt(uint32 slot) public pure returns (uint256) {
        return SlotTime.gateOf(slot) - SlotTime.SLOT_SECONDS;
    }

    function _check(uint32 slot, bytes calldata list) private pure {
        if (list.length % EnvelopeCharges.ENTRY_BYTES != 0) revert MalformedEnvelopes(slot, list.length);
        uint256 before;
        for (uint256 i = 0; i < list.length; i += EnvelopeCharges.ENTRY_BYTES) {
            uint256 number = uint32(bytes4(list[i:i + 4]));
            if (i != 0 && number <= before) revert EnvelopesNotAscending(slot, i / EnvelopeCharges.ENTRY_BYTES);
            before = number;
        }
    }
}
