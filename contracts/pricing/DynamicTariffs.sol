// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ClearingRecord, IAuction} from "../interfaces/IAuction.sol";
import {IDynamicTariffs, TariffSignals} from "../interfaces/IDynamicTariffs.sol";
import {IMeterOracle} from "../interfaces/IMeterOracle.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {CodeStore} from "../libraries/CodeStore.sol";
import {CommitteeQuorum} from "../libraries/CommitteeQuorum.sol";
import {DynamicPricing, TariffInputs, TariffParameters} from "../libraries/DynamicPricing.sol";
import {SlotTerms} from "../libraries/MarketTypes.sol";
import {PackedEnergy} from "../libraries/PackedEnergy.sol";
import {RecordDigest} from "../libraries/RecordDigest.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {TermsWord} from "../libraries/TermsWord.sol";

/// See IDynamicTariffs for what each function does.
contract DynamicTariffs is IDynamicTariffs, AccessManaged, EIP712 {
    /// Two days: beyond every slot whose terms can be published.
    uint32 public constant NOTICE_SLOTS = 192;
    uint256 public constant MOST_WINDOW_SLOTS = 32;
    bytes32 public constant WEATHER_TYPEHASH = keccak256("Weather(uint32 day,uint8 version,bytes24 percentByHour)");
    uint32 private constant SLOTS_PER_DAY = 96;
    uint32 private constant WEATHER_RING = 4;
    uint32 private constant FORESEEN_DAYS = 2;
    int32 private constant PPM_PER_PERCENT = 10_000;

    ITariffs public immutable tariffs;
    IAuction public immutable auction;
    IMeterOracle public immutable meterOracle;
    ISettlement public immutable settlement;

    /// In force from a slot on; no parameters = switched off.
    struct Version {
        uint32 fromSlot;
        address parameters;
    }

    /// What is published next.
    struct Step {
        uint32 first;
        uint32 through;
        /// First slot of the whole step.
        uint32 base;
        TariffParameters parameters;
    }

    Version private _earlier;
    Version private _latest;
    /// Last slot that was published from here.
    uint32 public lastSlot;
    /// bits 255..64 percent by hour, 39..32 version, 31..0 day.
    mapping(uint256 ringIndex => uint256 word) private _weather;

    constructor(
        address manager,
        ITariffs tariffs_,
        IAuction auction_,
        IMeterOracle meterOracle_
    ) AccessManaged(manager) EIP712("DAEG", "1") {
        tariffs = tariffs_;
        auction = auction_;
        meterOracle = meterOracle_;
        settlement = ISettlement(tariffs_.settlement());
    }

    function announce(uint32 fromSlot, TariffParameters calldata parameters) external restricted {
        _checkParameters(fromSlot, parameters);
        _change(fromSlot, CodeStore.write(abi.encode(parameters)));
        emit ParametersAnnounced(fromSlot, parameters);
    }

    function switchOff(uint32 fromSlot) external restricted {
        _change(fromSlot, address(0));
        emit SwitchedOff(fromSlot);
    }

    function index(uint32 day, uint8 version, bytes24 percentByHour, bytes calldata signatures) external {
        uint32 today = SlotTime.current() / SLOTS_PER_DAY;
        if (day < today || day > today + FORESEEN_DAYS) revert DayOutside(day, today, today + FORESEEN_DAYS);
        (uint8 current, ) = weatherOfDay(day);
        if (version <= current) revert WeatherNotNewer(day, version, current);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(WEATHER_TYPEHASH, day, version, percentByHour)));
        uint32 signerBits = CommitteeQuorum.check(meterOracle, digest, signatures);
        _weather[day % WEATHER_RING] = uint256(bytes32(percentByHour)) | (uint256(version) << 32) | day;
        emit WeatherIndexed(day, version, percentByHour, signerBits);
    }

    function publishNext(ClearingRecord[] calldata records) external {
        (uint32 first, TariffSignals memory signals, SlotTerms[] memory terms) = preview(records);
        uint32 through = first + uint32(terms.length) - 1;
        lastSlot = through;
        tariffs.publish(first, terms);
        emit DynamicTermsPublished(first, through, signals);
    }

    function tariffOf(
        TariffParameters calldata parameters,
        TariffInputs calldata inputs
    ) external pure returns (SlotTerms memory) {
        return DynamicPricing.tariffOf(parameters, inputs);
    }

    function nextStep()
        external
        view
        returns (uint32 firstSlot, uint32 throughSlot, uint256 fromTime, uint32 windowFrom, uint32 windowSlots)
    {
        Step memory step = _nextStep();
        uint32 moment = step.base - step.parameters.leadSlots;
        windowSlots = step.parameters.windowSlots;
        return (step.first, step.through, SlotTime.startOf(moment), moment - windowSlots, windowSlots);
    }

    function governs(uint32 firstSlot, uint32 lastSlot_) external view returns (bool) {
        // Changes lie farther apart than terms are published ahead, so no regime fits between the two.
        return _pointerAt(firstSlot) != address(0) || _pointerAt(lastSlot_) != address(0);
    }

    function parametersOf(uint32 slot) external view returns (TariffParameters memory) {
        return _parametersAt(slot);
    }

    function preview(
        ClearingRecord[] calldata records
    ) public view returns (uint32 firstSlot, TariffSignals memory signals, SlotTerms[] memory terms) {
        Step memory step = _nextStep();
        uint32 moment = step.base - step.parameters.leadSlots;
        if (SlotTime.current() < moment) {
            revert ISettlement.TooEarly(step.first, block.timestamp, SlotTime.startOf(moment));
        }
        signals = _signalsOf(records, moment - step.parameters.windowSlots, moment, step.parameters.fullRent);
        firstSlot = step.first;
        terms = new SlotTerms[](step.through - step.first + 1);
        TariffInputs memory inputs = _before(step.first);
        inputs.scarcityPpm = signals.scarcityPpm;
        inputs.congestionPpm = signals.congestionPpm;
        for (uint32 i = 0; i < terms.length; ++i) {
            inputs.slot = firstSlot + i;
            inputs.weatherPpm = weatherOf(inputs.slot);
            terms[i] = DynamicPricing.tariffOf(step.parameters, inputs);
            inputs.hasPrevious = true;
            inputs.previousImport = terms[i].importTariff;
            inputs.previousExport = terms[i].exportTariff;
        }
    }

    function weatherOf(uint32 slot) public view returns (int32 ppm) {
        (, bytes24 percentByHour) = weatherOfDay(slot / SLOTS_PER_DAY);
        int32 percent = int8(uint8(percentByHour[(slot % SLOTS_PER_DAY) / 4]));
        return int32(DynamicPricing.clamp(percent * PPM_PER_PERCENT, -DynamicPricing.FULL, DynamicPricing.FULL));
    }

    function weatherOfDay(uint32 day) public view returns (uint8 version, bytes24 percentByHour) {
        uint256 word = _weather[day % WEATHER_RING];
        if (uint32(word) != day) return (0, 0);
        return (uint8(word >> 32), bytes24(bytes32(word)));
    }

    function _change(uint32 fromSlot, address parameters) private {
        if (fromSlot % SLOTS_PER_DAY != 0) revert NotMidnight(fromSlot);
        uint32 current = SlotTime.current();
        uint32 earliest = current + NOTICE_SLOTS;
        if (fromSlot < earliest) revert NoticeTooShort(fromSlot, earliest);
        // What is still as far away as a new change must be can be replaced; nobody counts on it yet.
        uint32 pending = _latest.fromSlot;
        if (pending < earliest) {
            if (pending > current) revert ChangePending(pending);
            _earlier = _latest;
        }
        _latest = Version(fromSlot, parameters);
    }

    function _checkParameters(uint32 fromSlot, TariffParameters calldata given) private view {
        bool timed =
            given.stepSlots != 0 &&
                SLOTS_PER_DAY % given.stepSlots == 0 &&
                given.leadSlots != 0 &&
                uint256(given.leadSlots) + given.stepSlots <= SlotTime.AHEAD_SLOTS &&
                given.windowSlots != 0 &&
                given.windowSlots <= MOST_WINDOW_SLOTS;
        if (!timed) revert TimingOutOfRange(given.leadSlots, given.stepSlots, given.windowSlots);
        uint256 length = given.table.length;
        if (length != DynamicPricing.HOURS_TABLE && length != DynamicPricing.QUARTERS_TABLE) {
            revert WrongTableLength(length);
        }
        int40 lowest = tariffs.lowestExportTariff();
        int40 highest = tariffs.highestImportTariff();
        _within(fromSlot, given.importMax, lowest, highest);
        _within(fromSlot, given.importMin, lowest, given.importMax);
        _within(fromSlot, given.exportMax, lowest, highest);
        _within(fromSlot, given.exportMin, lowest, given.exportMax);
        if (int256(given.exportMin) >= int256(given.importMin) - int256(uint256(given.fee))) {
            revert ITariffs.TariffsCross(fromSlot, given.importMin, given.fee, given.exportMin);
        }
        _within(fromSlot, given.bandMin, tariffs.lowestPrice(), tariffs.highestPrice());
        _within(fromSlot, given.bandMax, given.bandMin, tariffs.highestPrice());
        // As Tariffs asks of every slot: else none of these could be published, by nobody, for two days.
        _within(fromSlot, given.bandMax + int40(uint40(given.fee)), given.bandMin, tariffs.highestPrice());
    }

    /// The rest of the next step that has slots to publish.
    function _nextStep() private view returns (Step memory step) {
        uint32 first = SlotTime.current();
        if (lastSlot >= first) first = lastSlot + 1;
        // Not switched on yet: the first slot that will be governed.
        if (_pointerAt(first) == address(0) && _latest.fromSlot > first) first = _latest.fromSlot;
        step.parameters = _parametersAt(first);
        uint32 length = step.parameters.stepSlots;
        step.first = first;
        step.base = first - (first % length);
        step.through = step.base + length - 1;
        // As far as Tariffs takes them; where it takes none it says so.
        uint32 latest = settlement.finalThrough() + uint32(SlotTime.RING);
        if (step.through > latest) step.through = latest < first ? first : latest;
    }

    /// Tariffs of the slot before, or of the last one published from here where nobody published that one.
    function _before(uint32 slot) private view returns (TariffInputs memory inputs) {
        TermsWord word = tariffs.wordOf(slot - 1);
        if (!word.isPublished()) word = tariffs.wordOf(lastSlot);
        if (!word.isPublished()) return inputs;
        inputs.hasPrevious = true;
        inputs.previousImport = word.importTariff();
        inputs.previousExport = word.exportTariff();
    }

    function _signalsOf(
        ClearingRecord[] calldata records,
        uint32 from,
        uint32 until,
        uint32 fullRent
    ) private view returns (TariffSignals memory signals) {
        uint256 boughtWh;
        uint256 soldWh;
        int256 rentNano;
        uint256 used;
        for (uint32 slot = from; slot < until; ++slot) {
            bytes28 expected = auction.clearingOf(slot);
            if (expected == 0) continue;
            if (used == records.length) revert ISettlement.RecordMismatch(slot, expected, 0);
            ClearingRecord calldata record = records[used++];
            bytes28 got = RecordDigest.ofCalldata(record);
            if (got != expected) revert ISettlement.RecordMismatch(slot, expected, got);
            (uint256 bought, uint256 sold) = _tradedOf(record.positions);
            boughtWh += bought;
            soldWh += sold;
            rentNano += record.congestionNano;
        }
        if (used != records.length) revert RecordsLeftOver(used, records.length);
        uint256 tradedWh = boughtWh > soldWh ? boughtWh : soldWh;
        signals.scarcityPpm = DynamicPricing.scarcityOf(boughtWh, soldWh);
        signals.congestionPpm = DynamicPricing.congestionOf(rentNano, tradedWh, fullRent);
    }

    function _tradedOf(bytes calldata positions) private pure returns (uint256 boughtWh, uint256 soldWh) {
        uint256 points = positions.length / PackedEnergy.BYTES;
        for (uint256 point = 0; point < points; ++point) {
            int256 wh = PackedEnergy.positionOf(positions, point);
            if (wh < 0) boughtWh += uint256(-wh);
            else soldWh += uint256(wh);
        }
    }

    function _parametersAt(uint32 slot) private view returns (TariffParameters memory) {
        address pointer = _pointerAt(slot);
        if (pointer == address(0)) revert NotSwitchedOn(slot);
        return abi.decode(CodeStore.read(pointer), (TariffParameters));
    }

    function _pointerAt(uint32 slot) private view returns (address) {
        Version memory latest = _latest;
        return slot >= latest.fromSlot ? latest.parameters : _earlier.parameters;
    }

    function _within(uint32 slot, int40 value, int40 lowest, int40 highest) private pure {
        if (value < lowest || value > highest) revert ITariffs.OutsideBounds(slot, value, lowest, highest);
    }
}
