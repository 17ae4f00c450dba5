// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "../../../contracts/interfaces/IAuction.sol";
import {IDynamicTariffs, TariffSignals} from "../../../contracts/interfaces/IDynamicTariffs.sol";
import {ISettlement} from "../../../contracts/interfaces/ISettlement.sol";
import {ITariffs} from "../../../contracts/interfaces/ITariffs.sol";
import {TariffParameters} from "../../../contracts/libraries/DynamicPricing.sol";
import {SlotTerms} from "../../../contracts/libraries/MarketTypes.sol";
import {TermsWord} from "../../../contracts/libraries/TermsWord.sol";
import {TariffPlan} from "./TariffPlan.sol";

/// The operator changes parameters or publishes by hand, nodes foresee the weather, anybody publishes; time goes on. A step succeeds
/// or names the exact error that it must meet.
contract TariffSteps is TariffPlan {
    struct Change {
        uint32 fromSlot;
        /// Hash of the parameters; zero = switched off.
        bytes32 parameters;
    }

    /// What was published: the terms' word, by rule or by hand, and when.
    struct Published {
        uint256 word;
        bool byRule;
        uint32 inSlot;
    }

    mapping(uint32 slot => Published) private _published;
    Change[] private _changes;
    /// Last slot published by rule, and slots of the last step.
    uint32 public lastByRule;
    uint32 public firstPublished;
    uint32 public throughPublished;
    bytes32 public previewed;
    TariffSignals private _signals;
    uint256 public steps;
    /// Terms of the last slot that the rule had published before, if they still stood.
    uint256 public beforeLast;

    function publishedAt(uint32 slot) external view returns (Published memory) {
        return _published[slot];
    }

    function signals() external view returns (TariffSignals memory) {
        return _signals;
    }

    /// Hash of the parameters that govern a slot; zero where none do.
    function governing(uint32 slot) public view returns (bytes32) {
        for (uint256 i = _changes.length; i != 0; --i) {
            if (_changes[i - 1].fromSlot <= slot) return _changes[i - 1].parameters;
        }
        return 0;
    }

    modifier step() {
        (firstPublished, throughPublished, previewed) = (0, 0, 0);
        ++steps;
        _;
    }

    function goOn(uint8 slots, uint256 seed, uint8 lag) external step {
        if (_changes.length == 0) _start(seed);
        _goOn(1 + (slots % 60), seed);
        uint32 final_ = _now() - 98 - (lag % 60);
        if (final_ > finalThrough) finalThrough = final_;
    }

    /// Two days ahead or more, from a midnight; what is still as far away can be replaced.
    function announce(uint256 seed, uint8 days_, uint8 wrong, bool off) external step {
        if (_changes.length == 0) return _start(seed);
        uint32 earliest = _now() + 192;
        uint32 from = (earliest / SLOTS_PER_DAY + 1 + (days_ % 2)) * SLOTS_PER_DAY;
        bytes memory refusal;
        if (wrong % 8 == 1) {
            from -= 1 + (days_ % 95);
            refusal = abi.encodeWithSelector(IDynamicTariffs.NotMidnight.selector, from);
        } else if (wrong % 8 == 2) {
            from = (_now() / SLOTS_PER_DAY + (days_ % 3)) * SLOTS_PER_DAY;
            refusal = abi.encodeWithSelector(IDynamicTariffs.NoticeTooShort.selector, from, earliest);
            if (from >= earliest) return;
        } else if (_changes.length != 0) {
            uint32 pending = _changes[_changes.length - 1].fromSlot;
            if (pending >= earliest) _changes.pop();
            else if (pending > _now()) {
                refusal = abi.encodeWithSelector(IDynamicTariffs.ChangePending.selector, pending);
            }
        }
        off = off && seed % 3 == 0;
        TariffParameters memory parameters = _parametersOf(seed);
        if (refusal.length == 0) _changes.push(Change(from, off ? bytes32(0) : keccak256(abi.encode(parameters))));
        else VM.expectRevert(refusal);
        if (off) dynamicTariffs.switchOff(from);
        else dynamicTariffs.announce(from, parameters);
    }

    function index(uint8 ahead, uint8 version, bytes24 percents) external step {
        uint32 day = _now() / SLOTS_PER_DAY + (ahead % 4);
        (uint8 current, ) = dynamicTariffs.weatherOfDay(day);
        uint32 today = _now() / SLOTS_PER_DAY;
        bytes memory signature = _signed(day, version, percents);
        if (day > today + 2) {
            VM.expectRevert(abi.encodeWithSelector(IDynamicTariffs.DayOutside.selector, day, today, today + 2));
        } else if (version <= current) {
            VM.expectRevert(abi.encodeWithSelector(IDynamicTariffs.WeatherNotNewer.selector, day, version, current));
        }
        dynamicTariffs.index(day, version, percents, signature);
    }

    /// Anybody, with or without one record too many or another one.
    function publishNext(uint8 wrong) external step {
        uint32 first = _now() > lastByRule ? _now() : lastByRule + 1;
        if (governing(first) == 0 && _changes.length != 0 && _changes[_changes.length - 1].fromSlot > first) {
            first = _changes[_changes.length - 1].fromSlot;
        }
        if (governing(first) == 0) {
            VM.expectRevert(abi.encodeWithSelector(IDynamicTariffs.NotSwitchedOn.selector, first));
            dynamicTariffs.publishNext(new ClearingRecord[](0));
            return;
        }
        TariffParameters memory parameters = dynamicTariffs.parametersOf(first);
        require(keccak256(abi.encode(parameters)) == governing(first), "parameters are those announced");
        uint32 base = first - (first % parameters.stepSlots);
        uint32 moment = base - parameters.leadSlots;
        ClearingRecord[] memory records = _recordsOf(moment - parameters.windowSlots, moment);
        if (_now() < moment) {
            uint256 from = uint256(moment) * SLOT_SECONDS;
            VM.expectRevert(abi.encodeWithSelector(ISettlement.TooEarly.selector, first, block.timestamp, from));
            dynamicTariffs.publishNext(records);
            return;
        }
        if (wrong % 8 < 2 && records.length != 0) {
            _refuse(records, wrong % 8 == 0);
            return;
        }
        uint32 through = base + parameters.stepSlots - 1;
        uint32 latest = finalThrough + RING;
        if (through > latest) through = latest;
        // Terms of a slot that is not final yet would be overwritten.
        if (first > latest) {
            VM.expectRevert(abi.encodeWithSelector(ITariffs.TooManyOpenSlots.selector, first, finalThrough + 1));
            dynamicTariffs.publishNext(records);
            return;
        }
        (uint32 shown, TariffSignals memory said, SlotTerms[] memory terms) = dynamicTariffs.preview(records);
        require(shown == first && terms.length == through - first + 1, "the rest of the next step");
        beforeLast = TermsWord.unwrap(tariffs.wordOf(lastByRule));
        dynamicTariffs.publishNext(records);
        (_signals, previewed, lastByRule) = (said, keccak256(abi.encode(terms)), through);
        _note(first, through, true);
    }

    /// The operator, of slots that no parameters govern.
    function publishByHand(uint256 seed, uint8 ahead, uint8 count) external step {
        uint32 first = _now() + (ahead % 100);
        SlotTerms[] memory terms = new SlotTerms[](1 + (count % 4));
        for (uint256 i = 0; i < terms.length; ++i) {
            terms[i].fee = uint32(_draw(seed, i) % 20_000);
            terms[i].importTariff = int40(int256(_draw(seed, 10 + i) % 400_000)) + 50_000;
            terms[i].exportTariff = terms[i].importTariff - int40(uint40(terms[i].fee)) - 1;
        }
        uint32 last = first + uint32(terms.length) - 1;
        if (governing(first) != 0 || governing(last) != 0) return _publishGoverned(first, last, terms);
        for (uint32 slot = first; slot <= last; ++slot) {
            if (_published[slot].word == 0) continue;
            VM.expectRevert(abi.encodeWithSelector(ITariffs.AlreadyPublished.selector, slot));
            tariffs.publish(first, terms);
            return;
        }
        if (last > finalThrough + RING) return;
        tariffs.publish(first, terms);
        _note(first, last, false);
    }

    /// Must be refused. What is taken nevertheless is taken down like anything else: the invariant says what is wrong with it.
    function _publishGoverned(uint32 first, uint32 last, SlotTerms[] memory terms) private {
        (bool done, bytes memory answer) = address(tariffs).call(abi.encodeCall(ITariffs.publish, (first, terms)));
        if (done) return _note(first, last, false);
        bytes memory refusal = abi.encodeWithSelector(ITariffs.GovernedSlot.selector, first, last);
        require(keccak256(answer) == keccak256(refusal), "T5 refused for another reason");
    }

    /// The first change: the rule governs from the day after tomorrow, and that day has come.
    function _start(uint256 seed) private {
        uint32 from = (_now() / SLOTS_PER_DAY + 3) * SLOTS_PER_DAY;
        TariffParameters memory parameters = _parametersOf(seed);
        _changes.push(Change(from, keccak256(abi.encode(parameters))));
        dynamicTariffs.announce(from, parameters);
        _goOn(from - _now(), seed);
        finalThrough = _now() - 98;
    }

    function _refuse(ClearingRecord[] memory records, bool more) private {
        ClearingRecord[] memory others = new ClearingRecord[](records.length + 1);
        for (uint256 i = 0; i < records.length; ++i) others[i] = records[i];
        bytes28 accepted = bytes28(keccak256(abi.encode(records[0])));
        if (more) {
            others[records.length] = records[0];
            VM.expectRevert(
                abi.encodeWithSelector(IDynamicTariffs.RecordsLeftOver.selector, records.length, others.length)
            );
        } else {
            ClearingRecord memory other = recordOf(records[0].slot);
            ++other.congestionNano;
            (others[0], others[records.length]) = (other, records[0]);
            bytes28 got = bytes28(keccak256(abi.encode(other)));
            VM.expectRevert(
                abi.encodeWithSelector(ISettlement.RecordMismatch.selector, records[0].slot, accepted, got)
            );
        }
        dynamicTariffs.publishNext(others);
    }

    function _note(uint32 first, uint32 through, bool byRule) private {
        (firstPublished, throughPublished) = (first, through);
        for (uint32 slot = first; slot <= through; ++slot) {
            require(_published[slot].word == 0, "T4 published twice");
            _published[slot] = Published(TermsWord.unwrap(tariffs.wordOf(slot)), byRule, _now());
        }
    }

    function _recordsOf(uint32 from, uint32 until) private view returns (ClearingRecord[] memory records) {
        records = new ClearingRecord[](until - from);
        uint256 count;
        for (uint32 slot = from; slot < until; ++slot) if (_clearings[slot] != 0) records[count++] = recordOf(slot);
        assembly ("memory-safe") {
            mstore(records, count)
        }
    }

    function _now() private view returns (uint32) {
        return uint32(block.timestamp / SLOT_SECONDS);
    }
}
