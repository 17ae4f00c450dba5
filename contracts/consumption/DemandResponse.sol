// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ClearingRecord, IAuction} from "../interfaces/IAuction.sol";
import {Enrolment, ResponseEvent, ResponseTerms} from "../interfaces/IDemandResponse.sol";
import {IGrid} from "../interfaces/IGrid.sol";
import {ILedger} from "../interfaces/ILedger.sol";
import {IMeteringPoints, Point} from "../interfaces/IMeteringPoints.sol";
import {IReadingArchive, ReadingRange} from "../interfaces/IReadingArchive.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {Baseline} from "../libraries/Baseline.sol";
import {ReadingProof} from "../libraries/ReadingProof.sol";
import {ResponseDays} from "../libraries/ResponseDays.sol";
import {ResponsePositions} from "../libraries/ResponsePositions.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {TermsWord} from "../libraries/TermsWord.sol";
import {ZoneTotals} from "../libraries/ZoneTotals.sol";
import {ResponseZones} from "./ResponseZones.sol";

/// See IDemandResponse for what each function does.
contract DemandResponse is ResponseZones, AccessManaged {
    using SafeERC20 for IERC20;
    using ZoneTotals for mapping(uint256 key => uint256 word);
    using ResponseDays for mapping(uint256 key => uint256 word);

    uint256 public constant MAX_SLOTS = 32;
    uint256 public constant MAX_ZONES = 32;
    /// Readings in the window of an event that asks for less use: about 13 million gas to count.
    uint256 public constant MOST_READINGS = 8_000;
    uint24 public constant MAX_PENALTY_PPM = 500_000;
    /// An event is announced at most ten days ahead.
    uint256 public constant AHEAD_SECONDS = 10 days;
    uint256 private constant NANO_PER_BASE_UNIT = 1_000;
    uint256 private constant PPM = 1_000_000;

    /// What a zone's points proved and what of it is paid, Wh; and the money for all that was proved.
    struct ZoneResult {
        uint64 verifiedWh;
        uint64 payableWh;
        uint128 nano;
    }

    IERC20 public immutable token;
    ILedger public immutable ledger;
    IAuction public immutable auction;
    ITariffs public immutable tariffs;
    uint32 public immutable genesisSlot;
    uint32 private immutable _members;
    /// The method: mean of the highest `high` of the last `historyDays` eligible days; at least `minimumDays` of them must be there.
    uint8 public immutable historyDays;
    uint8 public immutable highDays;
    uint8 public immutable minimumDays;

    uint32 public eventCount;
    /// By event and point.
    mapping(uint256 key => Enrolment) private _enrolments;
    /// Slots of each zone and day in which there is an event (ResponseDays).
    mapping(uint256 key => uint256 word) private _windows;
    /// By event and zone.
    mapping(uint256 key => ZoneResult) private _results;
    mapping(address sponsor => uint256) public owedOf;

    constructor(
        address manager,
        ILedger ledger_,
        IReadingArchive archive_,
        IMeteringPoints meteringPoints_,
        IAuction auction_,
        ITariffs tariffs_,
        uint32 genesisSlot_,
        uint8[3] memory method
    ) ResponseZones(meteringPoints_, archive_) AccessManaged(manager) {
        ledger = ledger_;
        token = IERC20(ledger_.token());
        auction = auction_;
        tariffs = tariffs_;
        genesisSlot = genesisSlot_;
        _members = ledger_.MEMBERS();
        (historyDays, highDays, minimumDays) = (method[0], method[1], method[2]);
        bool possible = method[0] <= ResponseDays.MOST && method[1] <= method[0] && method[2] <= method[0];
        if (!possible || method[1] == 0 || method[2] == 0) revert BadMethod(method[0], method[1], method[2]);
        emit MethodSet(method[0], method[1], method[2]);
        token.forceApprove(address(ledger_), type(uint256).max);
    }

    function announce(ResponseTerms calldata terms) external restricted returns (uint32 id) {
        uint256 offset = terms.firstSlot % ReadingProof.SLOTS_PER_DAY;
        bool inDay = terms.slots != 0 && terms.slots <= MAX_SLOTS && offset + terms.slots <= ReadingProof.SLOTS_PER_DAY;
        // A window of less use is counted in one transaction.
        uint256 readings = terms.increase ? 0 : uint256(terms.slots) * meteringPoints.count();
        if (!inDay || readings > MOST_READINGS) revert BadWindow(terms.firstSlot, terms.slots);
        if (terms.targetWh == 0 || terms.price == 0) revert NothingOffered(terms.targetWh, terms.price);
        if (terms.penaltyPpm > MAX_PENALTY_PPM) revert PenaltyTooHigh(terms.penaltyPpm, MAX_PENALTY_PPM);
        uint256 gate = SlotTime.gateOf(terms.firstSlot);
        bool inTime =
            block.timestamp < terms.enrolUntil && terms.enrolUntil <= gate && gate <= block.timestamp + AHEAD_SECONDS;
        if (!inTime) revert BadEnrolment(terms.enrolUntil, block.timestamp, gate);
        uint8 zoneCount = meteringPoints.grid().zoneCount();
        uint256 zones = terms.zones;
        if (zones == 0 || zones >> zoneCount != 0) revert BadZones(zones, zoneCount);

        (uint80 daysBack, uint8 found) = _windows.choose(zones, terms.firstSlot, genesisSlot, historyDays);
        if (found < minimumDays) revert TooFewDays(found, minimumDays);
        (uint256 count, bool taken, uint8 zone) = _windows.take(zones, terms.firstSlot, terms.slots);
        if (taken) revert WindowTaken(zone, terms.firstSlot);
        if (count > MAX_ZONES) revert BadZones(zones, zoneCount);

        id = eventCount++;
        uint96 fund = uint96(_baseUnits(uint256(terms.targetWh) * terms.price));
        ResponseEvent storage self = _events[id];
        (self.sponsor, self.firstSlot, self.slots) = (msg.sender, terms.firstSlot, terms.slots);
        (self.increase, self.historyDays, self.penaltyPpm) = (terms.increase, found, terms.penaltyPpm);
        (self.targetWh, self.price, self.enrolUntil) = (terms.targetWh, terms.price, terms.enrolUntil);
        (self.zones, self.daysBack, self.held) = (zones, daysBack, fund);
        emit Announced(id, msg.sender, terms, found, daysBack, fund);
        _take(fund);
    }

    function enrol(uint32 id, uint32 point, uint32 capacityWh) external {
        ResponseEvent storage self = _existing(id);
        Point memory terms = meteringPoints.pointOf(point);
        if (terms.owner != msg.sender && !meteringPoints.isDelegate(point, msg.sender)) {
            revert NotOwnerOrDelegate(point, msg.sender);
        }
        if (block.timestamp > self.enrolUntil) revert EnrolmentOver(id, self.enrolUntil);
        if ((self.zones >> terms.zone) & 1 == 0) revert OtherZone(point, terms.zone);
        uint256 highest = uint256(terms.importLimitWh) * self.slots;
        if (capacityWh == 0 || capacityWh > highest) revert CapacityOutOfBounds(point, capacityWh, highest);
        uint256 enrolledWh = uint256(self.enrolledWh) + capacityWh;
        if (enrolledWh > self.targetWh) revert TargetReached(id, enrolledWh, self.targetWh);
        Enrolment storage enrolment = _enrolments[_keyOf(id, point)];
        if (enrolment.capacityWh != 0) revert AlreadyEnrolled(id, point);

        (enrolment.capacityWh, enrolment.zone) = (capacityWh, terms.zone);
        self.enrolledWh = uint48(enrolledWh);
        ++self.enrolled;
        uint96 deposit = _depositOf(self, capacityWh);
        emit Enrolled(id, point, msg.sender, terms.zone, capacityWh, deposit);
        _take(deposit);
    }

    function keepPositions(uint32 id, ClearingRecord[] calldata records, uint32[] calldata points) external {
        ResponseEvent storage self = _existing(id);
        (uint32 firstSlot, uint8 slots) = (self.firstSlot, self.slots);
        if (records.length != slots) revert RecordsDiffer(records.length, slots);
        uint32 now_ = SlotTime.current();
        if (now_ < firstSlot + slots - 1 || now_ >= _forgottenFrom(firstSlot)) {
            revert OutsideRing(id, now_, firstSlot + slots - 1, _forgottenFrom(firstSlot));
        }
        IGrid grid = meteringPoints.grid();
        ResponsePositions.Slot[] memory window = new ResponsePositions.Slot[](slots);
        for (uint256 i = 0; i < slots; ++i) {
            uint32 slot = firstSlot + uint32(i);
            ResponsePositions.read(window[i], records[i], slot, auction.clearingOf(slot));
            (, , , window[i].backedZones) = grid.versionOf(slot);
            TermsWord terms = tariffs.wordOf(slot);
            // Later terms may have taken their place in the ring: what a surplus earned is known no longer.
            if (window[i].cleared && !terms.isPublished()) revert ITariffs.NotPublished(slot);
            int40 exportTariff = terms.exportTariff();
            if (exportTariff > 0 && !self.increase) window[i].surplusPrice = uint40(exportTariff);
        }
        for (uint256 i = 0; i < points.length; ++i) {
            Enrolment storage enrolment = _enrolled(id, points[i]);
            if (enrolment.positionKept) revert AlreadyKept(id, points[i]);
            (uint40 boughtWh, uint40 surplusPrice) = ResponsePositions.sumOf(
                records,
                window,
                points[i],
                enrolment.zone
            );
            (enrolment.positionKept, enrolment.boughtWh) = (true, boughtWh);
            enrolment.surplusPrice = surplusPrice;
            emit PositionKept(id, points[i], boughtWh, surplusPrice);
        }
    }

    function prove(uint32 id, uint32 point, ReadingRange[] calldata ranges) external {
        ResponseEvent storage self = _open(id);
        Enrolment storage enrolment = _enrolled(id, point);
        if (enrolment.proved) revert AlreadyProved(id, point);
        bool kept = enrolment.positionKept;
        if (!kept && SlotTime.current() < _forgottenFrom(self.firstSlot)) revert PositionNotKept(id, point);
        if (ranges.length != uint256(self.historyDays) + 1) revert WrongRange(point, self.firstSlot, ranges.length);

        bool increase = self.increase;
        uint256[] memory totals = new uint256[](ranges.length);
        bool metered = true;
        // A day that was not measured counts against the account.
        uint256 unmetered = increase ? uint256(meteringPoints.pointOf(point).importLimitWh) * self.slots : 0;
        for (uint256 i = 0; i < ranges.length; ++i) {
            bool all;
            (totals[i], all) = _importOf(ranges[i], point, dayOf(id, i), self.slots);
            if (all) continue;
            if (i == 0) metered = false;
            else totals[i] = unmetered;
        }
        uint256 meteredWh = totals[0];
        uint256 baselineWh = Baseline.highMean(totals, _highOf(ranges.length - 1), increase);
        uint256 boughtWh = enrolment.boughtWh;
        if (increase ? boughtWh > baselineWh : boughtWh < baselineWh) baselineWh = boughtWh;
        uint256 verifiedWh = kept && metered ? Baseline.response(baselineWh, meteredWh, increase) : 0;
        if (verifiedWh > enrolment.capacityWh) verifiedWh = enrolment.capacityWh;

        (enrolment.proved, enrolment.verifiedWh) = (true, uint32(verifiedWh));
        ++self.proved;
        ZoneResult storage result = _results[_keyOf(id, enrolment.zone)];
        result.verifiedWh += uint64(verifiedWh);
        result.nano += uint128(verifiedWh * _earning(self.price, enrolment.surplusPrice));
        emit Proved(id, point, baselineWh, meteredWh, uint32(verifiedWh));
    }

    function close(uint32 id) external {
        ResponseEvent storage self = _existing(id);
        if (self.closed) revert AlreadyClosed(id);
        bool allCounted = self.counted == uint256(self.slots) * (uint256(self.historyDays) + 1);
        bool complete =
            block.timestamp > self.enrolUntil && self.proved == self.enrolled && (allCounted || self.enrolled == 0);
        if (!complete && SlotTime.current() <= deadlineOf(id)) revert StillOpen(id, deadlineOf(id));
        self.closed = true;
        uint256 zoneCount = _countOf(self.zones);
        uint256[] memory verified = new uint256[](zoneCount);
        uint256[] memory payable_ = new uint256[](zoneCount);
        uint256 held;
        uint256 index;
        for (uint256 zones = self.zones; zones != 0; zones &= zones - 1) {
            uint256 zone = _lowest(zones);
            ZoneResult storage result = _results[_keyOf(id, uint32(zone))];
            (uint256 verifiedWh, uint256 nano) = (result.verifiedWh, result.nano);
            uint256 payableWh = allCounted ? _zoneResponse(self, id, zone) : 0;
            if (payableWh > verifiedWh) payableWh = verifiedWh;
            result.payableWh = uint64(payableWh);
            if (payableWh != 0) held += (nano * payableWh) / verifiedWh / NANO_PER_BASE_UNIT;
            (verified[index], payable_[index++]) = (verifiedWh, payableWh);
        }
        uint96 rest = self.held - uint96(held);
        self.held = uint96(held);
        owedOf[self.sponsor] += rest;
        emit Closed(id, verified, payable_, uint96(held), rest);
    }

    function settle(uint32 id, uint32[] calldata points) external {
        ResponseEvent storage self = _existing(id);
        if (!self.closed) revert NotClosed(id);
        uint256 penalties;
        for (uint256 i = 0; i < points.length; ++i) penalties += _settle(self, id, points[i]);
        if (penalties != 0) ledger.deposit(_members, penalties);
        uint96 rest = self.held;
        if (rest == 0 || self.settled != self.enrolled) return;
        // Below a base unit per account.
        self.held = 0;
        owedOf[self.sponsor] += rest;
        emit RestReturned(id, rest);
    }

    function withdraw(address to) external returns (uint256 amount) {
        amount = owedOf[msg.sender];
        if (amount == 0) revert NothingOwed(msg.sender);
        owedOf[msg.sender] = 0;
        emit Withdrawn(msg.sender, to, amount);
        token.safeTransfer(to, amount);
    }

    function eventOf(uint32 id) external view returns (ResponseEvent memory) {
        return _existing(id);
    }

    function enrolmentOf(uint32 id, uint32 point) external view returns (Enrolment memory) {
        return _enrolments[_keyOf(id, point)];
    }

    function totalsOf(uint32 id, uint8 zone) external view returns (uint256[] memory importWh) {
        return _totals.get(id, zone, uint256(_existing(id).historyDays) + 1);
    }

    function depositOf(uint32 id, uint32 capacityWh) external view returns (uint96) {
        return _depositOf(_existing(id), capacityWh);
    }

    /// Sum of a point's imports in the window's slots of one day, and whether all of them were measured.
    function _importOf(
        ReadingRange calldata range,
        uint32 point,
        uint32 first,
        uint256 slots
    ) private view returns (uint256 wh, bool metered) {
        uint256 given = range.slots.length / ReadingProof.STEP_BYTES;
        if (range.meter != point || range.firstSlot != first || given != slots) {
            revert WrongRange(range.meter, range.firstSlot, given);
        }
        uint256 word = archive.wordOf(first / uint32(ReadingProof.SLOTS_PER_DAY));
        (uint256[] memory readings, ) = ReadingProof.prove(range, word);
        metered = true;
        for (uint256 i = 0; i < slots; ++i) {
            uint256 reading = readings[i];
            // Only a slot that has no readings may be passed over.
            if (reading >= ReadingProof.SKIPPED) revert SlotLeftOut(first + uint32(i));
            if (ReadingProof.isMetered(reading)) wh += ReadingProof.importWh(reading);
            else metered = false;
        }
    }

    function _zoneResponse(ResponseEvent storage self, uint32 id, uint256 zone) private view returns (uint256) {
        if (self.blind) return 0;
        uint256[] memory totals = _totals.get(id, zone, uint256(self.historyDays) + 1);
        uint256 meteredWh = totals[0];
        bool increase = self.increase;
        uint256 baselineWh = Baseline.highMean(totals, _highOf(self.historyDays), increase);
        return Baseline.response(baselineWh, meteredWh, increase);
    }

    /// Pays one point; returns the penalty, token base units.
    function _settle(ResponseEvent storage self, uint32 id, uint32 point) private returns (uint96 penalty) {
        Enrolment storage enrolment = _enrolled(id, point);
        if (enrolment.settled) revert AlreadySettled(id, point);
        enrolment.settled = true;
        ++self.settled;
        uint256 verifiedWh = enrolment.verifiedWh;
        uint96 payment;
        if (verifiedWh != 0) {
            ZoneResult storage result = _results[_keyOf(id, enrolment.zone)];
            uint256 nano = verifiedWh * _earning(self.price, enrolment.surplusPrice);
            payment = uint96((nano * result.payableWh) / result.verifiedWh / NANO_PER_BASE_UNIT);
            self.held -= payment;
        }
        uint256 missedWh = enrolment.capacityWh - verifiedWh;
        penalty = uint96((missedWh * self.price * self.penaltyPpm) / PPM / NANO_PER_BASE_UNIT);
        uint96 returned = _depositOf(self, enrolment.capacityWh) - penalty;
        emit Paid(id, point, payment, penalty, returned);
        if (payment + returned != 0) ledger.deposit(point, payment + returned);
    }

    function _take(uint256 amount) private {
        if (amount == 0) return;
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        if (received != amount) revert WrongAmountReceived(amount, received);
    }

    function _enrolled(uint32 id, uint32 point) private view returns (Enrolment storage enrolment) {
        enrolment = _enrolments[_keyOf(id, point)];
        if (enrolment.capacityWh == 0) revert NotEnrolled(id, point);
    }

    function _depositOf(ResponseEvent storage self, uint256 capacityWh) private view returns (uint96) {
        return uint96(_baseUnits((capacityWh * self.price * self.penaltyPpm) / PPM));
    }

    function _highOf(uint256 days_) private view returns (uint256) {
        return Baseline.highOf(days_, highDays, historyDays);
    }

    /// The auction knows a slot until this slot.
    function _forgottenFrom(uint32 firstSlot) private pure returns (uint32) {
        return firstSlot + uint32(SlotTime.RING) - 1;
    }

    /// A reduced Wh was bought and not used: settlement pays at most `surplusPrice` for it.
    function _earning(uint256 price, uint256 surplusPrice) private pure returns (uint256) {
        return price > surplusPrice ? price - surplusPrice : 0;
    }

    function _baseUnits(uint256 nano) private pure returns (uint256) {
        return (nano + NANO_PER_BASE_UNIT - 1) / NANO_PER_BASE_UNIT;
    }
}
