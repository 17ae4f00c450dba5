// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {
    Certification,
    Generator,
    GeneratorKind,
    GeneratorState,
    GeneratorTerms,
    IGenerators
} from "../interfaces/IGenerators.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {CalendarMonth} from "../libraries/CalendarMonth.sol";
import {CertifiedSpan, CertifiedSpans} from "../libraries/CertifiedSpans.sol";
import {ReadingProof} from "../libraries/ReadingProof.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

/// See IGenerators for what each function does.
contract Generators is IGenerators, AccessManaged {
    using CertifiedSpans for CertifiedSpans.Spans;

    uint32 public constant FIRST_OWN_METER = 1 << 31;
    /// What a slot yields at most must fit a balance of 24 bits.
    uint32 public constant HIGHEST_NAMEPLATE_W = 4 * 0xffffff;
    /// Own meters that a connection can ever have: they are numbered without gaps, and whoever proves whole slots reads all of them.
    uint8 public constant MOST_OWN_METERS = 8;
    uint256 private constant PPM = 1e6;

    IMeteringPoints public immutable meteringPoints;
    address public immutable certificates;

    /// What feeds in at a metering point.
    struct Site {
        /// The renewable generator, plus one.
        uint32 renewable;
        uint16 conventional;
        uint8 ownMeters;
    }

    uint32 public generatorCount;
    uint32 public ownMeterCount;
    mapping(uint256 generator => Generator) private _generators;
    mapping(uint256 generator => GeneratorState) private _states;
    mapping(uint256 generator => CertifiedSpans.Spans) private _spans;
    mapping(uint256 connection => Site) private _sites;
    /// Finished months: bits 111..72 metered Wh, 71..32 certified Wh, 31..0 slots; two months per word.
    mapping(uint256 generatorAndPair => uint256) private _months;

    constructor(address manager, IMeteringPoints meteringPoints_, address certificates_) AccessManaged(manager) {
        meteringPoints = meteringPoints_;
        certificates = certificates_;
    }

    function register(GeneratorTerms calldata terms) external returns (uint32 generator) {
        uint32 current = SlotTime.current();
        if (terms.nameplateW == 0 || terms.nameplateW > HIGHEST_NAMEPLATE_W) {
            revert NameplateOutOfRange(terms.nameplateW, HIGHEST_NAMEPLATE_W);
        }
        if (terms.capacityFactorPpm > PPM) revert CapacityFactorTooHigh(terms.capacityFactorPpm);
        if (terms.commissionedSlot > current) revert NotYetCommissioned(terms.commissionedSlot, current);
        address owner = meteringPoints.pointOf(terms.connection).owner;
        generator = generatorCount++;
        Generator storage found = _generators[generator];
        found.producer = msg.sender;
        found.connection = terms.connection;
        found.kind = terms.kind;
        found.storageBacked = terms.storageBacked;
        found.ownMeter = terms.ownMeter;
        found.meter = terms.ownMeter ? _nextOwnMeter(terms.connection, owner) : terms.connection;
        found.nameplateW = terms.nameplateW;
        found.capacityFactorPpm = terms.capacityFactorPpm;
        found.operatingAboveWh = terms.operatingAboveWh;
        found.maintenanceHours = terms.maintenanceHours;
        found.maintenanceDays = terms.maintenanceDays;
        found.commissionedSlot = terms.commissionedSlot;
        _states[generator].issuedThrough = current;
        _spans[generator].begin(terms.commissionedSlot, terms.maintenanceDays);
        emit GeneratorRegistered(generator, msg.sender, found.meter, current, terms);
        if (owner == msg.sender) _consent(generator, owner);
    }

    function changeProducer(uint32 generator, address producer) external {
        Generator storage found = _existing(generator);
        if (found.producer != msg.sender) revert NotProducer(generator, msg.sender);
        if (producer == address(0)) revert NotProducer(generator, address(0));
        found.producer = producer;
        emit ProducerChanged(generator, msg.sender, producer);
    }

    function consent(uint32 generator) external {
        Generator storage found = _existing(generator);
        _onlyConnectionOwner(found.connection);
        if (found.consented) revert AlreadyConsented(generator);
        _consent(generator, msg.sender);
    }

    function withdrawConsent(uint32 generator) external {
        Generator storage found = _existing(generator);
        uint32 connection = found.connection;
        _onlyConnectionOwner(connection);
        if (!found.consented) revert NotConsented(generator);
        found.consented = false;
        if (found.kind == GeneratorKind.Conventional) --_sites[connection].conventional;
        else _sites[connection].renewable = 0;
        uint32 current = SlotTime.current();
        _spans[generator].end(current);
        emit ConsentWithdrawn(generator, connection, msg.sender, current);
    }

    function certify(uint32 generator, uint32 expirySlot, bytes32 documentHash) external restricted {
        Generator storage found = _existing(generator);
        if (found.kind == GeneratorKind.Conventional) revert NotRenewable(generator);
        if (!found.consented) revert NotConsented(generator);
        if (found.storageBacked && !found.ownMeter) revert OwnMeterNeeded(generator, found.connection);
        uint32 from = SlotTime.current() + 1;
        if (expirySlot <= from) revert ExpiryNotAhead(expirySlot, from);
        uint32 due = _spans[generator].latest.maintenanceDue;
        if (due <= from) revert MaintenanceOverdue(generator, due);
        (uint32 fromSlot, uint32 untilSlot) = _spans[generator].certify(from, expirySlot);
        emit Certified(generator, fromSlot, untilSlot, expirySlot, documentHash);
    }

    function revoke(uint32 generator, bytes32 reasonHash) external restricted {
        _existing(generator);
        uint32 current = SlotTime.current();
        if (_spans[generator].latest.expirySlot <= current) revert NotCertified(generator, current);
        _spans[generator].end(current);
        emit Revoked(generator, current, reasonHash);
    }

    function flagStorage(uint32 generator) external restricted {
        Generator storage found = _existing(generator);
        uint32 current = SlotTime.current();
        found.storageBacked = true;
        if (!found.ownMeter) _spans[generator].end(current);
        emit StorageFlagged(generator, current);
    }

    function recordMaintenance(uint32 generator, bytes32 reportHash) external restricted {
        Generator storage found = _existing(generator);
        uint32 from = SlotTime.current() + 1;
        (uint32 due, uint32 until) = _spans[generator].maintain(from, found.maintenanceDays);
        emit Maintained(generator, from, due, until, reportHash);
    }

    function count(
        uint32 generator,
        uint32 meter,
        uint32 firstSlot,
        uint256[] calldata readings,
        address caller
    ) external returns (uint256[] memory certifiedWh, address producer, uint32 connection) {
        if (msg.sender != certificates) revert NotCertificates(msg.sender);
        Generator memory found = _existing(generator);
        GeneratorState memory state = _states[generator];
        if (meter != found.meter) revert WrongMeter(generator, meter, found.meter);
        _checkOrder(generator, firstSlot, state.issuedThrough);
        uint16 month = CalendarMonth.monthOf(firstSlot);
        if (month != state.month) _finishMonth(generator, state, month);
        certifiedWh = _countAll(generator, found, state, firstSlot, readings, caller == found.producer);
        _states[generator] = state;
        return (certifiedWh, found.producer, found.connection);
    }

    function generatorOf(uint32 generator) external view returns (Generator memory) {
        return _existing(generator);
    }

    function stateOf(uint32 generator) external view returns (GeneratorState memory) {
        return _states[generator];
    }

    function certificationOf(uint32 generator) external view returns (Certification memory) {
        return _spans[generator].latest;
    }

    function isCertified(uint32 generator, uint32 slot) external view returns (bool certified, bool overHours) {
        Generator memory found = _existing(generator);
        CertifiedSpan memory span = _spans[generator].spanAt(slot);
        GeneratorState memory state = _states[generator];
        uint256 operating = state.countedFrom == span.maintainedSlot ? state.operatingSlots : 0;
        return (span.certified, !_withinHours(operating, found.maintenanceHours));
    }

    function monthOf(
        uint32 generator,
        uint16 month
    ) public view returns (uint256 meteredWh, uint256 certifiedWh, uint256 slots) {
        GeneratorState memory state = _states[generator];
        if (state.month == month) return (state.monthWh, state.monthCertifiedWh, state.monthSlots);
        uint256 entry = _months[_pairOf(generator, month)] >> _shiftOf(month);
        return (uint40(entry >> 72), uint40(entry >> 32), uint32(entry));
    }

    function efficiencyOf(uint32 generator, uint16 month) external view returns (uint256 ppm, uint256 expectedWh) {
        Generator memory found = _existing(generator);
        (uint256 meteredWh, , uint256 slots) = monthOf(generator, month);
        // Nameplate x hours x factor, four slots an hour.
        uint256 expected = uint256(found.nameplateW) * slots * found.capacityFactorPpm;
        if (expected == 0) return (0, 0);
        return ((meteredWh * PPM * PPM * 4) / expected, expected / (4 * PPM));
    }

    function _countAll(
        uint32 generator,
        Generator memory found,
        GeneratorState memory state,
        uint32 firstSlot,
        uint256[] calldata readings,
        bool byProducer
    ) private returns (uint256[] memory certifiedWh) {
        certifiedWh = new uint256[](readings.length);
        CertifiedSpan memory span;
        uint256 metered;
        uint256 certified;
        uint256 slots;
        uint256 operating = state.operatingSlots;
        // The proof bounds a reading to 31 bits and a range to 96 slots.
        unchecked {
            uint256 highest = found.nameplateW / 4;
            for (uint256 i = 0; i < readings.length; ++i) {
                uint256 slot = uint256(firstSlot) + i;
                if (slot >= span.untilSlot) {
                    span = _spans[generator].spanAt(uint32(slot));
                    // Maintenance since the last counted slot: the hours count anew.
                    if (span.maintainedSlot != state.countedFrom) {
                        state.countedFrom = span.maintainedSlot;
                        operating = 0;
                    }
                }
                uint256 reading = readings[i];
                if (!ReadingProof.isMetered(reading)) {
                    _checkPassed(generator, slot, reading, byProducer);
                    continue;
                }
                uint256 exportWh = ReadingProof.exportWh(reading);
                metered += exportWh;
                ++slots;
                if (span.certified && _withinHours(operating, found.maintenanceHours)) {
                    uint256 wh = exportWh < highest ? exportWh : highest;
                    certifiedWh[i] = wh;
                    certified += wh;
                }
                if (exportWh > found.operatingAboveWh) ++operating;
            }
        }
        state.operatingSlots = uint24(operating);
        state.monthSlots += uint16(slots);
        state.issuedThrough = uint32(firstSlot + readings.length - 1);
        state.monthWh += uint40(metered);
        state.monthCertifiedWh += uint40(certified);
        state.certifiedWh += uint48(certified);
        emit Metered(
            generator,
            firstSlot,
            state.issuedThrough,
            metered,
            certified,
            state.operatingSlots,
            uint16(slots)
        );
    }

    /// A slot without a usable reading: proved as such, without a report, or given up by the producer where nobody else has a share.
    function _checkPassed(uint32 generator, uint256 slot, uint256 reading, bool byProducer) private pure {
        if (reading & ReadingProof.SKIPPED_SALES != 0 || (reading & ReadingProof.SKIPPED != 0 && !byProducer)) {
            revert SlotNotProved(generator, uint32(slot));
        }
    }

    /// The readings go on where the last ones ended, or leave out only slots that are not certified.
    function _checkOrder(uint32 generator, uint32 firstSlot, uint32 issuedThrough) private view {
        if (firstSlot == issuedThrough + 1) return;
        if (firstSlot <= issuedThrough || _spans[generator].touches(issuedThrough + 1, firstSlot)) {
            revert SlotsOutOfOrder(generator, firstSlot, issuedThrough);
        }
    }

    function _finishMonth(uint32 generator, GeneratorState memory state, uint16 month) private {
        if (state.monthSlots != 0) {
            uint256 entry = (uint256(state.monthWh) << 72) | (uint256(state.monthCertifiedWh) << 32) | state.monthSlots;
            _months[_pairOf(generator, state.month)] |= entry << _shiftOf(state.month);
        }
        state.month = month;
        state.monthWh = 0;
        state.monthSlots = 0;
        state.monthCertifiedWh = 0;
    }

    function _consent(uint32 generator, address owner) private {
        Generator storage found = _generators[generator];
        uint32 connection = found.connection;
        Site storage site = _sites[connection];
        uint32 renewable = site.renewable;
        if (found.kind == GeneratorKind.Conventional) {
            if (renewable != 0 && !_generators[renewable - 1].ownMeter) {
                revert OwnMeterNeeded(renewable - 1, connection);
            }
            ++site.conventional;
        } else {
            if (renewable != 0) revert ConnectionTaken(connection, renewable - 1);
            if (site.conventional != 0 && !found.ownMeter) revert OwnMeterNeeded(generator, connection);
            site.renewable = generator + 1;
        }
        found.consented = true;
        emit ConsentGiven(generator, connection, owner);
    }

    /// Only the connection's owner has a meter installed, or outsiders could make every report as long as they like.
    function _nextOwnMeter(uint32 connection, address owner) private returns (uint32) {
        if (owner != msg.sender) revert NotConnectionOwner(connection, msg.sender);
        Site storage site = _sites[connection];
        if (site.ownMeters == MOST_OWN_METERS) revert TooManyOwnMeters(connection, MOST_OWN_METERS);
        ++site.ownMeters;
        return FIRST_OWN_METER + ownMeterCount++;
    }

    function _onlyConnectionOwner(uint32 connection) private view {
        if (meteringPoints.pointOf(connection).owner != msg.sender) revert NotConnectionOwner(connection, msg.sender);
    }

    function _existing(uint32 generator) private view returns (Generator storage found) {
        found = _generators[generator];
        if (found.producer == address(0)) revert UnknownGenerator(generator);
    }

    function _withinHours(uint256 operatingSlots, uint256 maintenanceHours) private pure returns (bool) {
        return maintenanceHours == 0 || operatingSlots < maintenanceHours * 4;
    }

    function _pairOf(uint32 generator, uint16 month) private pure returns (uint256) {
        return (uint256(generator) << 16) | (month >> 1);
    }

    function _shiftOf(uint16 month) private pure returns (uint256) {
        return (uint256(month) & 1) << 7;
    }
}
