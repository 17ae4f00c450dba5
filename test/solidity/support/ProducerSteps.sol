// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Claim, ICertificates, Issue} from "../../../contracts/interfaces/ICertificates.sol";
import {IGenerators} from "../../../contracts/interfaces/IGenerators.sol";
import {IIncentives} from "../../../contracts/interfaces/IIncentives.sol";
import {ReadingRange} from "../../../contracts/interfaces/IReadingArchive.sol";
import {ReadingProof} from "../../../contracts/libraries/ReadingProof.sol";
import {CertifiedModel} from "./CertifiedModel.sol";
import {Balances, Producers} from "./Producers.sol";

/// What owners, certifiers and others do, step by step. A step either succeeds or names the exact error that it must meet.
contract ProducerSteps is Producers {
    using CertifiedModel for CertifiedModel.Model;

    /// What the last step changed: slots of one generator.
    uint32 public touchedGenerator;
    uint32 public touchedFrom;
    uint32 public touchedThrough;
    /// The last step issued them, to this producer.
    bool public issuedNow;
    /// And proved only those in which green energy was sold.
    bool public passedOver;
    address public issuedTo;
    /// How far the generators were counted before the last step.
    uint32[2] public countedBefore;
    mapping(uint256 id => uint256) public issuedWh;
    mapping(uint256 id => uint256) public claimedWh;
    mapping(uint256 pointAndSlot => uint256) public matchedWh;
    uint256[2] public allIssuedWh;
    /// The last slot with certificates.
    uint32[2] public lastIssued;
    /// Certified slots of operation since each maintenance: generator 1 has an hour of them.
    mapping(uint256 maintenances => uint256) public operatingSlots;
    uint256 public fundedUnits = 100;
    uint256 public withdrawnUnits;
    uint256[2] public accruedNano;
    uint32 public claimedPoint;

    modifier step() {
        issuedNow = false;
        touchedThrough = 0;
        for (uint32 i = 0; i < 2; ++i) countedBefore[i] = generators.stateOf(i).issuedThrough;
        _;
    }

    /// The next slot is over; sometimes nobody reported it, sometimes green energy was sold in it.
    function deliver(uint16[4] memory wh, uint16 consumedWh, uint8 quality, uint16 sold, uint8 last) external step {
        _deliver(wh, consumedWh, quality, sold, last);
    }

    /// Four slots of good readings.
    function deliverFour(uint256 seed) external step {
        for (uint256 i = 0; i < 4; ++i) {
            uint256 draw = uint256(keccak256(abi.encode(seed, i)));
            uint16[4] memory wh = [uint16(draw), uint16(draw >> 16), 0, uint16(draw >> 32)];
            _deliver(wh, uint16(draw >> 48), uint8(draw >> 64) & 0x55, uint16(draw >> 72), 1);
        }
    }

    function _deliver(uint16[4] memory wh, uint16 consumedWh, uint8 quality, uint16 sold, uint8 last) private {
        uint256 readings;
        for (uint256 i = 0; i < METERS; ++i) {
            uint256 reading = wh[i] % 3_000;
            if (i == 2) reading = 0;
            if (i != 3) reading |= uint256((consumedWh >> (4 * i)) % 1_000) << 31;
            // One in four is not measured or interpolated.
            uint256 kind = (quality >> (2 * i)) & 3;
            if (kind == 3 && (quality ^ wh[i]) & 1 == 0) kind = 0;
            readings |= (reading | (kind << 62)) << (64 * i);
        }
        _archive(readings, sold % 3 == 0 ? _listOf(wh, sold) : bytes(""), quality % 16 != 15);
        if (used == DAY_SLOTS || last % 16 == 0) _closeDay();
        _goOn();
    }

    /// Slots from where the last ones ended.
    function issue(uint8 generator, uint8 count, bool passOver, uint8 caller) external step {
        uint32 from = generators.stateOf(generator % 2).issuedThrough + 1;
        _issue(generator % 2, from, count, passOver, actor(caller));
    }

    /// Leaves out some slots: refused unless none of them was certified.
    function issueLater(uint8 generator, uint8 gap, uint8 count) external step {
        generator %= 2;
        uint32 through = generators.stateOf(generator).issuedThrough;
        uint32 from = through + 2 + (gap % 100);
        if (from >= endSlot()) from = endSlot() - 1;
        if (endSlot() == FIRST) return;
        if (from <= through || _models[generator].touches(through + 1, from)) {
            _expect(abi.encodeWithSelector(IGenerators.SlotsOutOfOrder.selector, generator, from, through));
            certificates.issue(_batch(generator, from, from, false));
        } else {
            _issue(generator, from, count, false, actor(0));
        }
    }

    /// What was issued once is never issued again.
    function issueAgain(uint8 generator, uint8 back) external step {
        generator %= 2;
        uint32 through = generators.stateOf(generator).issuedThrough;
        if (through < FIRST) return;
        uint32 from = through - (back % (through - FIRST + 1));
        _expect(abi.encodeWithSelector(IGenerators.SlotsOutOfOrder.selector, generator, from, through));
        certificates.issue(_batch(generator, from, from, false));
    }

    /// A reading that is a Wh higher than what was reported proves nothing, and no other meter's reading counts.
    function forge(uint8 generator, uint8 slots, bool otherMeter) external step {
        generator %= 2;
        uint32 from = generators.stateOf(generator).issuedThrough + 1;
        if (from >= endSlot() || !_reported[from]) return;
        Issue[] memory batch = _batch(generator, from, from, false);
        if (otherMeter) {
            uint256 other = slots % METERS == meterIndexOf(generator) ? 1 : slots % METERS;
            batch[0].range = _range(other, from, from, false);
            (uint256 got, uint256 own) = (_meterAt(other), _meterAt(meterIndexOf(generator)));
            VM.expectRevert(abi.encodeWithSelector(IGenerators.WrongMeter.selector, generator, got, own));
            certificates.issue(batch);
            return;
        }
        batch[0].range.slots[8] = bytes1(uint8(batch[0].range.slots[8]) ^ 1);
        (bool done, bytes memory answer) = address(certificates).call(abi.encodeCall(ICertificates.issue, (batch)));
        require(!done && bytes4(answer) == ReadingProof.WrongProof.selector, "a forged reading was refused");
    }

    function transfer(uint8 from, uint8 to, uint8 generator, uint8 back, uint256 value) external step {
        uint32 slot = _counted(generator, back);
        if (slot == 0) return;
        uint256 id = idOf(generator % 2, slot);
        uint256 wh = value % (balanceOf(actor(from), id) + 1);
        VM.prank(actor(from));
        Balances(address(certificates)).safeTransferFrom(actor(from), actor(to), id, wh, "");
        _touch(generator % 2, slot, slot);
    }

    /// Uses certificates up against consumption of their slot; then a Wh more than the point used, which is refused.
    function claim(uint8 point, uint8 generator, uint8 back, uint256 value) external step {
        uint32 slot = _counted(generator, back);
        if (slot == 0 || !_reported[slot]) return;
        point %= uint8(POINTS);
        if (readingOf(slot, point) >> 63 != 0) return;
        uint256 id = idOf(generator % 2, slot);
        uint256 key = (uint256(point) << 32) | slot;
        uint256 consumed = (readingOf(slot, point) >> 31) & 0x7fffffff;
        address holder = ownerOf[point];
        _claim(point, slot, id, value % (balanceOf(holder, id) + 1), consumed);
        uint256 more = consumed - matchedWh[key] + 1;
        if (balanceOf(holder, id) >= more) _claim(point, slot, id, more, consumed);
        claimedPoint = point;
        _touch(generator % 2, slot, slot);
    }

    function certify(uint8 generator, uint8 ahead) external step {
        generator %= 2;
        CertifiedModel.Model storage model = _models[generator];
        uint32 from = model.present + 1;
        uint32 expiry = from + 1 + ahead;
        if (!model.consented) _expect(abi.encodeWithSelector(IGenerators.NotConsented.selector, generator));
        else if (model.flagged) {
            _expect(abi.encodeWithSelector(IGenerators.OwnMeterNeeded.selector, generator, generator));
        } else if (model.due <= from) {
            _expect(abi.encodeWithSelector(IGenerators.MaintenanceOverdue.selector, generator, model.due));
        } else model.certify(expiry);
        generators.certify(generator, expiry, 0);
    }

    function revoke(uint8 generator) external step {
        generator %= 2;
        CertifiedModel.Model storage model = _models[generator];
        if (model.expiry <= model.present) {
            _expect(abi.encodeWithSelector(IGenerators.NotCertified.selector, generator, model.present));
        } else model.end();
        generators.revoke(generator, 0);
    }

    function maintain(uint8 generator) external step {
        generators.recordMaintenance(generator % 2, 0);
        _models[generator % 2].maintain();
    }

    /// A storage unit is found, rarely: without a meter of its own generator 0 is certified no more.
    function flagStorage(uint8 generator) external step {
        if (generator > 8) return;
        generators.flagStorage(generator % 2);
        if (generator % 2 == 1) return;
        _models[0].flagged = true;
        _models[0].end();
    }

    /// The owner of the connection withdraws or gives consent.
    function turnConsent(uint8 generator) external step {
        generator %= 2;
        CertifiedModel.Model storage model = _models[generator];
        VM.prank(ownerOf[generator]);
        if (model.consented) {
            generators.withdrawConsent(generator);
            model.end();
        } else generators.consent(generator);
        model.consented = !model.consented;
    }

    function sellPoint(uint8 point, uint8 to) external step {
        ownerOf[point % POINTS] = actor(to);
    }

    function changeProducer(uint8 generator, uint8 to) external step {
        generator %= 2;
        VM.prank(producerOf[generator]);
        generators.changeProducer(generator, actor(to));
        producerOf[generator] = actor(to);
    }

    function fund(uint16 units) external step {
        incentives.fund(uint256(units % 2_000) + 1);
        fundedUnits += uint256(units % 2_000) + 1;
    }

    function accrue(uint8 generator, bool second, uint16 maxWh) external step {
        generator %= 2;
        uint16 month = FIRST_MONTH + (second ? 1 : 0);
        (, uint256 wh, ) = generators.monthOf(generator, month);
        if (wh > CAP_WH) wh = CAP_WH;
        wh -= incentives.paidInMonth(generator, month);
        if (wh > maxWh) wh = maxWh;
        uint256 paid = incentives.paidOf(generator);
        uint256 due = premiumOf(paid + wh) - premiumOf(paid);
        uint256 pool = incentives.poolNano();
        if (wh == 0) _expect(abi.encodeWithSelector(IIncentives.NothingToPay.selector, generator, month));
        else if (due > pool) _expect(abi.encodeWithSelector(IIncentives.PoolTooSmall.selector, due, pool));
        else accruedNano[generator] += due;
        incentives.accrue(generator, month, maxWh);
    }

    function withdraw(uint8 who) external step {
        uint256 units = incentives.earnedOf(actor(who)) / 1_000;
        VM.startPrank(actor(who));
        if (units == 0) VM.expectRevert(abi.encodeWithSelector(IIncentives.NothingEarned.selector, actor(who)));
        incentives.withdraw(actor(who));
        VM.stopPrank();
        withdrawnUnits += units;
    }

    /// What the schedule pays for all energy up to `wh`.
    function premiumOf(uint256 wh) public pure returns (uint256) {
        if (wh > 12_000) wh = 12_000;
        return wh <= 3_000 ? wh * 50_001 : 3_000 * 50_001 + (wh - 3_000) * 20_003;
    }

    function _claim(uint8 point, uint32 slot, uint256 id, uint256 wh, uint256 consumed) private {
        Claim memory given;
        (given.holder, given.beneficiary) = (ownerOf[point], actor(3));
        given.consumption = _range(point, slot, slot, false);
        (given.ids, given.values) = (new uint256[](1), new uint256[](1));
        (given.ids[0], given.values[0]) = (id, wh);
        uint256 key = (uint256(point) << 32) | slot;
        uint256 all = matchedWh[key] + wh;
        VM.startPrank(given.holder);
        if (all > consumed) {
            _expect(abi.encodeWithSelector(ICertificates.ConsumptionExceeded.selector, point, slot, all, consumed));
            wh = 0;
        }
        certificates.claim(given);
        VM.stopPrank();
        claimedWh[id] += wh;
        matchedWh[key] += wh;
    }

    function _issue(uint8 generator, uint32 from, uint8 count, bool passOver, address caller) private {
        uint32 end = endSlot();
        if (from >= end) return;
        uint32 dayEnd = from - (from % SLOTS_PER_DAY) + SLOTS_PER_DAY;
        if (end > dayEnd) end = dayEnd;
        // What lies behind the last report of a day goes with it.
        uint32 through = count % 4 == 3 ? end - 1 : from + (count % (end - from));
        bool given = _given(from, through);
        VM.startPrank(caller);
        if (passOver && caller != producerOf[generator] && given) {
            VM.expectRevert(
                abi.encodeWithSelector(IGenerators.SlotNotProved.selector, generator, _firstGiven(from, through))
            );
            certificates.issue(_batch(generator, from, through, true));
            VM.stopPrank();
            return;
        }
        certificates.issue(_batch(generator, from, through, passOver));
        VM.stopPrank();
        _note(generator, from, through, passOver);
    }

    /// Takes down what each slot got.
    function _note(uint8 generator, uint32 from, uint32 through, bool passOver) private {
        _touch(generator, from, through);
        (issuedNow, passedOver, issuedTo) = (true, passOver, producerOf[generator]);
        CertifiedModel.Model storage model = _models[generator];
        uint32 last = from - (from % SLOTS_PER_DAY) + DAY_SLOTS - 1;
        for (uint32 slot = from; slot <= through && slot <= last; ++slot) {
            if (!_reported[slot] || (passOver && _sales[slot].length == 0)) continue;
            uint256 wh = heldWh(idOf(generator, slot));
            if (wh == 0) continue;
            issuedWh[idOf(generator, slot)] = wh;
            allIssuedWh[generator] += wh;
            lastIssued[generator] = slot;
            bool operating = readingOf(slot, meterIndexOf(generator)) & 0x7fffffff > OPERATING_ABOVE_WH;
            if (generator == 1 && operating) ++operatingSlots[model.maintenancesBefore(slot)];
        }
    }

    function _batch(uint8 generator, uint32 from, uint32 through, bool passOver) private view returns (Issue[] memory) {
        Issue[] memory batch = new Issue[](1);
        ReadingRange memory range = _range(meterIndexOf(generator), from, through, passOver);
        batch[0] = Issue(generator, range, _salesOf(from, through));
        return batch;
    }

    /// Whether a reported slot without sales lies in the range.
    function _given(uint32 from, uint32 through) private view returns (bool) {
        return _firstGiven(from, through) <= through;
    }

    function _firstGiven(uint32 from, uint32 through) private view returns (uint32 slot) {
        for (slot = from; slot <= through; ++slot) if (_reported[slot] && _sales[slot].length == 0) return slot;
    }

    /// A slot that the generator was counted through, zero if there is none; often the last one with certificates.
    function _counted(uint8 generator, uint8 back) private view returns (uint32) {
        if (back % 4 < 2 && lastIssued[generator % 2] != 0) return lastIssued[generator % 2];
        uint32 through = generators.stateOf(generator % 2).issuedThrough;
        if (through < FIRST) return 0;
        uint32 day_ = through / SLOTS_PER_DAY - (back & 1);
        if (day_ < FIRST_DAY) day_ = FIRST_DAY;
        return day_ * SLOTS_PER_DAY + ((back >> 1) % DAY_SLOTS);
    }

    /// Two sellers and a buyer, or one seller and two buyers; sometimes point 1 lies in another island.
    function _listOf(uint16[4] memory wh, uint16 sold) private pure returns (bytes memory) {
        uint32 own = 1 + (wh[0] % 2_500);
        uint32 other = wh[1] % 700;
        uint32 bought = sold % 5 == 0 ? own + other : 1 + (sold % (own + other));
        if (sold % 2 == 0 && other < own) {
            (uint32 first, uint32 second) = (other, (own - other + 1) / 2);
            return bytes.concat(_entry(0, 0, own), _entry(1, 0, first | (1 << 31)), _entry(2, 0, second | (1 << 31)));
        }
        uint8 island = sold % 7 == 0 ? 1 : 0;
        if (island == 1 && bought > own) bought = own;
        return bytes.concat(_entry(0, 0, own), _entry(1, island, other), _entry(2, 0, bought | (1 << 31)));
    }

    function _entry(uint32 point, uint8 island, uint32 wh) private pure returns (bytes memory) {
        return abi.encodePacked(point, island, wh);
    }

    function _touch(uint32 generator, uint32 from, uint32 through) private {
        (touchedGenerator, touchedFrom, touchedThrough) = (generator, from, through);
    }

    function _expect(bytes memory data) private {
        VM.expectRevert(data);
    }
}
