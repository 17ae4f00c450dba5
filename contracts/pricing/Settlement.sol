// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "../interfaces/IAuction.sol";
import {SlotToResettle, SlotToSettle} from "../interfaces/ISettlement.sol";
import {EnvelopeCharges} from "../libraries/EnvelopeCharges.sol";
import {LanePayments} from "../libraries/LanePayments.sol";
import {PackedReadings} from "../libraries/PackedReadings.sol";
import {RecordDigest} from "../libraries/RecordDigest.sol";
import {FixedMoney, SlotPayments} from "../libraries/SlotPayments.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {StatusRing} from "../libraries/StatusRing.sol";
import {TermsWord} from "../libraries/TermsWord.sol";
import {SettlementWork} from "./SettlementWork.sol";

/// See ISettlement for what each function does.
contract Settlement is SettlementWork {
    using StatusRing for mapping(uint256 page => uint256 word);

    /// What the chain keeps of a slot to be settled.
    struct Kept {
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
        if (slots.length == 0) revert NothingToSettle();
        uint32[] memory numbers = _numbersOf(slots);
        uint256[] memory reports = meterOracle.entriesOf(numbers);
        uint256[] memory clearings = auction.entriesOf(numbers);
        uint256[] memory terms = tariffs.wordsOf(numbers);
        Work memory work = _open(slots.length);
        work.statusPage = StatusRing.pageOf(numbers[0]);
        work.statuses = _statuses[work.statusPage];
        work.current = SlotTime.current();
        for (uint256 i = 0; i < numbers.length; ++i) {
            _settle(work, slots[i], numbers[i], Kept(reports[i], clearings[i], TermsWord.wrap(terms[i])));
        }
        _statuses[work.statusPage] = work.statuses;
        _move(work);
    }

    function resettle(SlotToResettle[] calldata slots) external {
        if (slots.length == 0) revert NothingToSettle();
        Work memory work = _open(0);
        // All that was paid is taken back, then all is paid anew; the ledger gets the difference. Words cost what they did.
        for (uint256 i = 0; i < slots.length; ++i) {
            uint32 slot = slots[i].record.slot;
            uint8 version = _reopen(slots[i], slot);
            bool cleared = _isCleared(slots[i].record, slot, auction.clearingOf(slot));
            _pay(work, slots[i].record, slot, tariffs.wordOf(slot), slots[i].settledReadings, cleared);
            (, uint32 since, ) = _statuses.get(slot);
            _statuses.set(slot, Status.Settled, since, version);
        }
        LanePayments.flush(work.lanes, work.deltas);
        SlotPayments.negate(work.deltas, work.total);
        for (uint256 i = 0; i < slots.length; ++i) {
            uint32 slot = slots[i].record.slot;
            (, , uint8 version) = _statuses.get(slot);
            bool cleared = auction.clearingOf(slot) != 0;
            TermsWord terms = tariffs.wordOf(slot);
            (FixedMoney memory money, ) = _pay(work, slots[i].record, slot, terms, slots[i].readings, cleared);
            _emitSettled(slot, version, Status.Settled, slots[i].readings, money);
        }
        _move(work);
    }

    function estimate(uint32 slot) external {
        Status status = _unsettled(slot);
        if (status == Status.Estimated) revert AlreadyEstimated(slot);
        uint256 from = SlotTime.reportDeadlineOf(slot);
        if (block.timestamp < from) revert TooEarly(slot, block.timestamp, from);
        // Without a report the window counts from the deadline, however late it is flagged: no report lands after that window.
        (uint8 version, ) = meterOracle.reportOf(slot);
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
        (uint8 version, ) = meterOracle.reportOf(slot);
        if (version != 0) from += SlotTime.REPORT_SLOTS * SlotTime.SLOT_SECONDS;
        if (block.timestamp < from) revert TooEarly(slot, block.timestamp, from);

        // The window is over already: no report can land any more, so the slot is final at once.
        _statuses.set(slot, Status.Settled, since, 0);
        Work memory work = _open(1);
        FixedMoney memory money;
        if (_isCleared(record, slot, auction.clearingOf(slot))) {
            TermsWord terms = tariffs.wordOf(slot);
            _prepare(work, record, slot, terms, true);
            _countWords(work, record);
            SlotPayments.addPositions(work.rows, work.positions, work.deltas);
            _addExtras(work, record, false);
            money = SlotPayments.fixedMoney(
                work.table,
                terms,
                record.backupSoldWh,
                record.backupNano,
                record.congestionNano
            );
            SlotPayments.addMoney(work.total, money);
        }
        _emitSettled(slot, 0, Status.Estimated, record.positions[0:0], money);
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

    /// Numbers of the slots, ascending and none of them beyond what may be open.
    function _numbersOf(SlotToSettle[] calldata slots) private view returns (uint32[] memory numbers) {
        numbers = new uint32[](slots.length);
        uint32 finalThrough_ = finalThrough;
        uint32 previous;
        for (uint256 i = 0; i < slots.length; ++i) {
            uint32 slot = slots[i].record.slot;
            if (i != 0 && slot <= previous) revert SlotsNotAscending(previous, slot);
            _checkOpen(slot, finalThrough_);
            numbers[i] = previous = slot;
        }
    }

    function _settle(Work memory work, SlotToSettle calldata given, uint32 slot, Kept memory kept) private {
        uint256 page = StatusRing.pageOf(slot);
        if (page != work.statusPage) {
            _statuses[work.statusPage] = work.statuses;
            work.statusPage = page;
            work.statuses = _statuses[page];
        }
        (Status status, , ) = StatusRing.entryOf(work.statuses, slot);
        if (status == Status.Settled) revert AlreadySettled(slot);
        uint8 version = uint8(kept.report);
        if (version == 0) revert NotReported(slot);
        bytes calldata readings = given.readings;
        ClearingRecord calldata record = given.record;
        _checkReadings(slot, version, bytes28(bytes32(kept.report)), PackedReadings.hash(readings), given.root);
        bool cleared = _isCleared(record, slot, bytes28(bytes32(kept.clearing)));
        work.statuses = StatusRing.withEntry(work.statuses, slot, Status.Settled, work.current, version);
        (FixedMoney memory money, bool whole) = _pay(work, record, slot, kept.terms, readings, cleared);
        if (cleared) _countWords(work, record);
        if (whole) _emitWhole(work, slot, version, money);
        else _emitSettled(slot, version, Status.Settled, readings, money);
    }

    /// Pays a slot on its readings. `whole`: the buffer holds them as they were given.
    function _pay(
        Work memory work,
        ClearingRecord calldata record,
        uint32 slot,
        TermsWord terms,
        bytes calldata readings,
        bool cleared
    ) private view returns (FixedMoney memory money, bool whole) {
        _prepare(work, record, slot, terms, cleared);
        PackedReadings.copyTo(readings, work.readings, work.deltas.length);
        whole = readings.length == work.readings.length;
        // Without terms the slot took no orders, and nobody pays anything.
        if (!terms.isPublished()) return (money, whole);
        if (PackedReadings.replaceMissing(work.readings, work.positions)) whole = false;
        LanePayments.add(work.lanes, work.highestPrice, work.rows, work.positions, work.readings, work.deltas);
        int256 chargedNano = cleared ? _addExtras(work, record, true) : int256(0);
        money = SlotPayments.fixedMoney(
            work.table,
            terms,
            cleared ? record.backupSoldWh : 0,
            cleared ? record.backupNano : int128(0),
            cleared ? record.congestionNano : int128(0)
        );
        money.members += chargedNano;
        money.congestion += EnvelopeCharges.chargeSlot(work.envelopes, slot, work.readings, work.deltas);
        SlotPayments.addMoney(work.total, money);
    }

    /// Checks that a settled slot may be settled anew, and both its reports; returns the new version.
    function _reopen(SlotToResettle calldata given, uint32 slot) private view returns (uint8 version) {
        (Status status, uint32 since, uint8 settled) = _statuses.get(slot);
        if (status != Status.Settled || settled == 0) revert NotSettled(slot);
        uint32 finalFrom = since + uint32(SlotTime.FINAL_SLOTS);
        if (SlotTime.current() >= finalFrom) revert WindowOver(slot, finalFrom); // [94]
        bytes28 expected;
        (version, expected) = meterOracle.reportOf(slot);
        if (version == settled) revert NothingToResettle(slot, version);
        _checkReadings(slot, version, expected, PackedReadings.hash(given.readings), given.root);
        // The oracle kept it: no version that is settled is replaced without.
        (, expected) = meterOracle.replacedOf(slot);
        bytes32 settledHash = PackedReadings.hash(given.settledReadings);
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
        if (slot > finalThrough_ + SlotTime.RING) revert TooManyOpenSlots(slot, finalThrough_ + 1);
    }

    function _checkReadings(
        uint32 slot,
        uint8 version,
        bytes28 expected,
        bytes32 readingsHash,
        bytes32 root
    ) private pure {
        bytes28 got = bytes28(keccak256(abi.encode(slot, version, readingsHash, root)));
        if (got != expected) revert ReadingsMismatch(slot, expected, got);
    }

    /// Whether the slot was cleared; then the record must be the accepted one.
    function _isCleared(ClearingRecord calldata record, uint32 slot, bytes28 expected) private pure returns (bool) {
        if (expected == 0) return false;
        bytes28 got = RecordDigest.ofCalldata(record);
        if (got != expected) revert RecordMismatch(slot, expected, got); // [24]
        return true;
    }

    /// As `_emitSettled` with status Settled, when the buffer holds the readings as they were given: the event's data is put together
    /// around them.
    function _emitWhole(Work memory work, uint32 slot, uint8 version, FixedMoney memory money) private {
        bytes memory readings = work.readings;
        bytes32 topic = Settled.selector;
        Status status = Status.Settled;
        assembly ("memory-safe") {
            let data := sub(readings, HEAD)
            mstore(data, version)
            mstore(add(data, 0x20), status)
            mstore(add(data, 0x40), HEAD)
            // Four amounts, each in a word already.
            mcopy(add(data, 0x60), money, 0x80)
            let size := and(add(mload(readings), 31), not(31))
            log2(data, add(add(HEAD, 0x20), size), topic, slot)
        }
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
