// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord, IAuction} from "../interfaces/IAuction.sol";
import {IMeterOracle} from "../interfaces/IMeterOracle.sol";
import {SlotToResettle, SlotToSettle} from "../interfaces/ISettlement.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {EnvelopeCharges} from "../libraries/EnvelopeCharges.sol";
import {KeptWords} from "../libraries/KeptWords.sol";
import {LanePayments} from "../libraries/LanePayments.sol";
import {PackedReadings} from "../libraries/PackedReadings.sol";
import {PackedSlots} from "../libraries/PackedSlots.sol";
import {RecordImage} from "../libraries/RecordImage.sol";
import {FixedMoney, SlotPayments} from "../libraries/SlotPayments.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {StatusRing} from "../libraries/StatusRing.sol";
import {TermsWord} from "../libraries/TermsWord.sol";
import {SettlementWork} from "./SettlementWork.sol";

/// See ISettlement for what each function does.
contract Settlement is SettlementWork {
    using StatusRing for mapping(uint256 page => uint256 word);

    /// What the chain keeps of the slots to be settled, and of one of them.
    struct Kept {
        uint32[] slots;
        uint256[] reports;
        uint256[] clearings;
        uint256[] terms;
        SlotKept one;
    }
    struct SlotKept {
        uint32 slot;
        uint256 report;
        uint256 clearing;
        TermsWord terms;
    }

    uint32 public finalThrough;
    mapping(uint256 page => uint256 word) private _statuses;

    constructor(Wiring memory wiring, uint32 genesisSlot_) SettlementWork(wiring, genesisSlot_) {
        finalThrough = genesisSlot_ - 1;
    }

    function settle(SlotToSettle[] calldata slots) external {
        uint32[] memory numbers = new uint32[](slots.length);
        for (uint256 i = 0; i < numbers.length; ++i) numbers[i] = slots[i].record.slot;
        (Work memory work, Kept memory kept) = _begin(numbers);
        for (uint256 i = 0; i < numbers.length; ++i) {
            SlotToSettle calldata given = slots[i];
            RecordImage.copy(work.given, given.record);
            bytes32 readingsHash = _takeReadings(work, given.readings);
            uint8 version = _settle(work, _keptOf(kept, i), readingsHash, given.root);
            _emitSettled(given.record.slot, version, Status.Settled, given.readings, work.money);
        }
        _close(work);
    }

    function settlePacked(bytes calldata slots) external {
        (uint32[] memory numbers, uint256 readings, uint256 records) = PackedSlots.numbersOf(slots);
        (Work memory work, Kept memory kept) = _begin(numbers);
        bytes memory sums = PackedSlots.roomForSums(numbers.length);
        uint256 at_ = readings;
        uint256 record = records;
        for (uint256 i = 0; i < numbers.length; ++i) {
            SlotKept memory own = _keptOf(kept, i);
            bytes32 readingsHash;
            (readingsHash, at_, work.measured) = PackedReadings.unpackTo(at_, work.readings, work.deltas.length);
            bytes32 root;
            (root, record) = PackedSlots.recordAt(work.given, own.slot, record);
            uint8 version = _settle(work, own, readingsHash, root);
            PackedSlots.addSums(sums, i, own.slot, version, work.money);
        }
        uint256 end;
        assembly ("memory-safe") {
            end := add(slots.offset, slots.length)
        }
        PackedSlots.checkEnd(at_, records);
        PackedSlots.checkEnd(record, end);
        bytes calldata given;
        assembly ("memory-safe") {
            given.offset := readings
            given.length := sub(records, readings)
        }
        emit SlotsSettled(sums, given);
        _close(work);
    }

    function resettle(SlotToResettle[] calldata slots) external {
        if (slots.length == 0) revert NothingToSettle();
        Work memory work = _open(0);
        // All that was paid is taken back, then all is paid anew; the ledger gets the difference. Words cost what they did.
        for (uint256 i = 0; i < slots.length; ++i) {
            uint32 slot = slots[i].record.slot;
            uint8 version = _reopen(work, slots[i], slot);
            RecordImage.copy(work.given, slots[i].record);
            bool cleared = _isCleared(work, slot, _clearingOf(slot));
            _pay(work, slot, _termsOf(slot), cleared);
            (, uint32 since, ) = _statuses.get(slot);
            _statuses.set(slot, Status.Settled, since, version);
        }
        LanePayments.flush(work.lanes, work.deltas);
        SlotPayments.negate(work.deltas, work.total);
        for (uint256 i = 0; i < slots.length; ++i) {
            uint32 slot = slots[i].record.slot;
            (, , uint8 version) = _statuses.get(slot);
            bool cleared = _clearingOf(slot) != 0;
            _takeReadings(work, slots[i].readings);
            RecordImage.copy(work.given, slots[i].record);
            _pay(work, slot, _termsOf(slot), cleared);
            _emitSettled(slot, version, Status.Settled, slots[i].readings, work.money);
        }
        _move(work);
    }

    function estimate(uint32 slot) external {
        Status status = _unsettled(slot);
        if (status == Status.Estimated) revert AlreadyEstimated(slot);
        uint256 from = SlotTime.reportDeadlineOf(slot);
        if (block.timestamp < from) revert TooEarly(slot, block.timestamp, from);
        // Without a report the window counts from the deadline, however late it is flagged: no report lands after that window.
        (uint8 version, ) = _reportOf(slot);
        uint32 since = version == 0 ? uint32(from / SlotTime.SLOT_SECONDS) : SlotTime.current();
        _statuses.set(slot, Status.Estimated, since, 0);
        emit Estimated(slot);
    }

    function settleEstimated(ClearingRecord calldata record) external {
        uint32 slot = record.slot;
        if (_unsettled(slot) != Status.Estimated) revert NotEstimated(slot);
        (, uint32 since, ) = _statuses.get(slot);
        uint256 from = SlotTime.startOf(since + uint32(SlotTime.FINAL_SLOTS));
        // A report that landed late is settled first, if its readings can be had.
        (uint8 version, ) = _reportOf(slot);
        if (version != 0) from += SlotTime.REPORT_SLOTS * SlotTime.SLOT_SECONDS;
        if (block.timestamp < from) revert TooEarly(slot, block.timestamp, from);

        // The window is over already: no report can land any more, so the slot is final at once.
        _statuses.set(slot, Status.Settled, since, 0);
        Work memory work = _open(1);
        RecordImage.copy(work.given, record);
        if (_isCleared(work, slot, _clearingOf(slot))) {
            TermsWord terms = _termsOf(slot);
            _prepare(work, slot, terms, true);
            _countWords(work);
            SlotPayments.addPositions(work.rows, work.positions, work.deltas);
            _addExtras(work, false);
            SlotPayments.fixedMoney(
                work.money,
                work.table,
                terms,
                record.backupSoldWh,
                record.backupNano,
                record.congestionNano
            );
            SlotPayments.addMoney(work.total, work.money);
        }
        _emitSettled(slot, 0, Status.Estimated, msg.data[0:0], work.money);
        _move(work);
    }

    function advanceFinal(uint256 limit) external returns (uint32 through) {
        through = finalThrough;
        uint32 current = SlotTime.current();
        for (uint256 i = 0; i < limit; ++i) {
            (Status status, uint32 since, ) = _statuses.get(through + 1);
            if (status != Status.Settled || current < since + SlotTime.FINAL_SLOTS) break;
            ++through;
        }
        if (through != finalThrough) {
            finalThrough = through;
            emit FinalThrough(through);
        }
    }

    function statusOf(uint32 slot) external view returns (Status status, uint32 sinceSlot, uint8 version) {
        return _statuses.get(slot);
    }

    /// Checks that slots are ascending and none of them beyond what may be open, and reads what is kept of them.
    function _begin(uint32[] memory numbers) private view returns (Work memory work, Kept memory kept) {
        if (numbers.length == 0) revert NothingToSettle();
        uint32 finalThrough_ = finalThrough;
        uint32 previous;
        for (uint256 i = 0; i < numbers.length; ++i) {
            uint32 slot = numbers[i];
            if (i != 0 && slot <= previous) revert SlotsNotAscending(previous, slot);
            _checkOpen(slot, finalThrough_);
            previous = slot;
        }
        kept.slots = numbers;
        kept.reports = KeptWords.read(address(meterOracle), IMeterOracle.entriesOf.selector, numbers);
        kept.clearings = KeptWords.read(address(auction), IAuction.entriesOf.selector, numbers);
        kept.terms = KeptWords.read(address(tariffs), ITariffs.wordsOf.selector, numbers);
        work = _open(numbers.length);
        work.statusPage = StatusRing.pageOf(numbers[0]);
        work.statuses = _statuses[work.statusPage];
        work.current = SlotTime.current();
    }

    /// What is kept of slot `i`. All lists are as long as that of the slots.
    function _keptOf(Kept memory kept, uint256 i) private pure returns (SlotKept memory) {
        SlotKept memory one = kept.one;
        assembly ("memory-safe") {
            let place := shl(5, add(i, 1))
            mstore(one, mload(add(mload(kept), place)))
            mstore(add(one, 0x20), mload(add(mload(add(kept, 0x20)), place)))
            mstore(add(one, 0x40), mload(add(mload(add(kept, 0x40)), place)))
            mstore(add(one, 0x60), mload(add(mload(add(kept, 0x60)), place)))
        }
        return one;
    }

    /// Settles a slot, whose readings and record are at hand, on its report; returns the report's version.
    function _settle(
        Work memory work,
        SlotKept memory own,
        bytes32 readingsHash,
        bytes32 root
    ) private returns (uint8 version) {
        uint32 slot = own.slot;
        uint256 page = StatusRing.pageOf(slot);
        if (page != work.statusPage) {
            _keepStatuses(work);
            work.statusPage = page;
            work.statuses = _statuses[page];
        }
        (Status status, , ) = StatusRing.entryOf(work.statuses, slot);
        if (status == Status.Settled) revert AlreadySettled(slot);
        version = uint8(own.report);
        if (version == 0) revert NotReported(slot);
        _checkReadings(slot, version, bytes28(bytes32(own.report)), readingsHash, root);
        bool cleared = _isCleared(work, slot, bytes28(bytes32(own.clearing)));
        work.statuses = StatusRing.withEntry(work.statuses, slot, Status.Settled, work.current, version);
        _pay(work, slot, own.terms, cleared);
        if (cleared) _countWords(work);
    }

    function _keepStatuses(Work memory work) private {
        _statuses[work.statusPage] = work.statuses;
    }

    /// Writes the statuses at hand and moves the money.
    function _close(Work memory work) private {
        _keepStatuses(work);
        _move(work);
    }

    /// Pays a slot on the readings at hand.
    function _pay(Work memory work, uint32 slot, TermsWord terms, bool cleared) private view {
        FixedMoney memory money = work.money;
        _prepare(work, slot, terms, cleared);
        // Without terms the slot took no orders, and nobody pays anything.
        if (!terms.isPublished()) return SlotPayments.clearMoney(money);
        if (!work.measured) PackedReadings.replaceMissing(work.readings, work.positions);
        LanePayments.add(work.lanes, work.highestPrice, work.rows, work.positions, work.readings, work.deltas);
        int256 chargedNano = cleared ? _addExtras(work, true) : int256(0);
        ClearingRecord memory record = work.given.record;
        SlotPayments.fixedMoney(
            money,
            work.table,
            terms,
            cleared ? record.backupSoldWh : 0,
            cleared ? record.backupNano : int128(0),
            cleared ? record.congestionNano : int128(0)
        );
        unchecked {
            money.members += chargedNano;
            money.congestion += EnvelopeCharges.chargeSlot(work.envelopes, slot, work.readings, work.deltas);
        }
        SlotPayments.addMoney(work.total, money);
    }

    /// Takes a slot's readings to hand; returns their hash.
    function _takeReadings(Work memory work, bytes calldata readings) private pure returns (bytes32) {
        PackedReadings.copyTo(readings, work.readings, work.deltas.length);
        return PackedReadings.hash(readings);
    }

    /// Checks that a settled slot may be settled anew, and both its reports; returns the new version.
    /// The settled one's readings are at hand then.
    function _reopen(
        Work memory work,
        SlotToResettle calldata given,
        uint32 slot
    ) private view returns (uint8 version) {
        (Status status, uint32 since, uint8 settled) = _statuses.get(slot);
        if (status != Status.Settled || settled == 0) revert NotSettled(slot);
        uint32 finalFrom = since + uint32(SlotTime.FINAL_SLOTS);
        if (SlotTime.current() >= finalFrom) revert WindowOver(slot, finalFrom); // [94]
        bytes28 expected;
        (version, expected) = _reportOf(slot);
        if (version == settled) revert NothingToResettle(slot, version);
        _checkReadings(slot, version, expected, PackedReadings.hash(given.readings), given.root);
        // The oracle kept it: no version that is settled is replaced without.
        (, expected) = meterOracle.replacedOf(slot);
        bytes32 settledHash = _takeReadings(work, given.settledReadings);
        _checkReadings(slot, settled, expected, settledHash, given.settledRoot); // [95]
    }

    /// Status of a slot that may still be settled; Open or Estimated.
    function _unsettled(uint32 slot) private view returns (Status status) {
        _checkOpen(slot, finalThrough);
        (status, , ) = _statuses.get(slot);
        if (status == Status.Settled) revert AlreadySettled(slot);
    }

    function _checkOpen(uint32 slot, uint32 finalThrough_) private view {
        if (slot < genesisSlot) revert BeforeGenesis(slot, genesisSlot);
        if (slot <= finalThrough_) revert AlreadySettled(slot);
        unchecked {
            if (slot > finalThrough_ + SlotTime.RING) revert TooManyOpenSlots(slot, finalThrough_ + 1);
        }
    }

    function _checkReadings(
        uint32 slot,
        uint8 version,
        bytes28 expected,
        bytes32 readingsHash,
        bytes32 root
    ) private pure {
        bytes32 hash;
        assembly ("memory-safe") {
            let free := mload(0x40)
            // Assembly sees whatever stands above the bits of a type.
            mstore(free, and(slot, 0xffffffff))
            mstore(add(free, 0x20), and(version, 0xff))
            mstore(add(free, 0x40), readingsHash)
            mstore(add(free, 0x60), root)
            hash := keccak256(free, 0x80)
        }
        if (bytes28(hash) != expected) revert ReadingsMismatch(slot, expected, bytes28(hash));
    }

    /// Whether the slot was cleared; then the record at hand must be the accepted one.
    function _isCleared(Work memory work, uint32 slot, bytes28 expected) private pure returns (bool) {
        if (expected == 0) return false;
        bytes28 got = work.given.digest;
        if (got != expected) revert RecordMismatch(slot, expected, got); // [24]
        return true;
    }

    function _reportOf(uint32 slot) private view returns (uint8 version, bytes28 digest) {
        return meterOracle.reportOf(slot);
    }

    function _clearingOf(uint32 slot) private view returns (bytes28) {
        return auction.clearingOf(slot);
    }

    function _termsOf(uint32 slot) private view returns (TermsWord) {
        return tariffs.wordOf(slot);
    }

    function _emitSettled(
        uint32 slot,
        uint8 version,
        Status status,
        bytes calldata readings,
        FixedMoney memory money
    ) private {
        emit Settled(
            slot,
            version,
            status,
            readings,
            int128(money.backup),
            int128(money.operatorFees),
            int128(money.members),
            int128(money.congestion)
        );
    }
}
