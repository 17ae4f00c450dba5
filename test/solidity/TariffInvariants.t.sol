// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IDynamicTariffs, TariffSignals} from "../../contracts/interfaces/IDynamicTariffs.sol";
import {TariffParameters} from "../../contracts/libraries/DynamicPricing.sol";
import {SlotTerms} from "../../contracts/libraries/MarketTypes.sol";
import {TermsWord} from "../../contracts/libraries/TermsWord.sol";
import {TariffSteps} from "./support/TariffSteps.sol";

/// The test runner knows only contracts of this file.
contract TariffActors is TariffSteps {}

/// What holds of terms that dynamic tariffs publish, after any sequence of steps (docs/invariants.md).
contract TariffInvariants {
    uint32 private constant RING = 256;
    int256 private constant FULL = 1e6;

    TariffSteps private _t;

    function setUp() external {
        _t = new TariffActors();
        _t.begin();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_t);
    }

    function invariant_Tariffs() external view {
        (uint32 first, uint32 through) = (_t.firstPublished(), _t.throughPublished());
        if (through != 0 && _t.previewed() != 0) _publishedByRule(first, through);
        if (through != 0) _frozen(first);
        if (through > first) _frozen(through);
        // One slot after the other, all of them in the long run.
        _frozen(uint32(block.timestamp / 900) - 64 + uint32((_t.steps() * 37) % 224));
    }

    /// After each run: every slot whose terms still stand.
    function afterInvariant() external view {
        uint32 current = uint32(block.timestamp / 900);
        for (uint32 slot = current - 100; slot <= current + 120; ++slot) _frozen(slot);
    }

    /// T4: what was published stands as it was published, and in governed slots nobody publishes but the rule.
    function _frozen(uint32 slot) private view {
        TariffSteps.Published memory published = _t.publishedAt(slot);
        uint256 word = TermsWord.unwrap(_t.tariffs().wordOf(slot));
        require(word == published.word, "T4 published terms never change");
        if (word == 0) return;
        require(published.byRule == (_t.governing(slot) != 0), "T5 governed slots are published by the rule alone");
    }

    function _publishedByRule(uint32 first, uint32 through) private view {
        TariffParameters memory p = _t.dynamicTariffs().parametersOf(first);
        SlotTerms[] memory terms = new SlotTerms[](through - first + 1);
        for (uint32 slot = first; slot <= through; ++slot) terms[slot - first] = _t.tariffs().termsOf(slot);
        require(keccak256(abi.encode(terms)) == _t.previewed(), "T3 published is what preview showed");
        uint32 moment = first - (first % p.stepSlots) - p.leadSlots;
        require(uint32(block.timestamp / 900) >= moment, "T4 published before its window was decided");
        _signalsAreThoseOfTheWindow(p, moment);
        (bool known, int256 importBefore, int256 exportBefore, bool sameFee) = _before(first, p.fee);
        for (uint256 i = 0; i < terms.length; ++i) {
            _withinLevels(p, terms[i], known, importBefore, exportBefore);
            if (known) _withinRate(p, terms[i], importBefore, exportBefore, sameFee);
            require(terms[i].exportTariff < terms[i].importTariff - int256(uint256(p.fee)), "T1 tariffs cross");
            bool fixed_ = terms[i].fee == p.fee && terms[i].bandMin == p.bandMin && terms[i].bandMax == p.bandMax;
            require(fixed_, "T1 fee and band are the parameters'");
            (known, importBefore, exportBefore, sameFee) = (true, terms[i].importTariff, terms[i].exportTariff, true);
        }
    }

    /// T1: within the levels, or where the rate holds the tariffs outside of them (parameters changed), no farther than before.
    function _withinLevels(
        TariffParameters memory p,
        SlotTerms memory terms,
        bool known,
        int256 importBefore,
        int256 exportBefore
    ) private pure {
        (int256 low, int256 high) = (p.importMin, p.importMax);
        if (known && importBefore < low) low = importBefore;
        if (known && importBefore > high) high = importBefore;
        int256 lowest = int256(p.exportMin) + int256(uint256(p.fee)) + 1;
        bool crossing = terms.importTariff == lowest;
        require(
            crossing || (terms.importTariff >= low && terms.importTariff <= high),
            "T1 import tariff off its levels"
        );
        (low, high) = (p.exportMin, p.exportMax);
        if (known && exportBefore < low) low = exportBefore;
        if (known && exportBefore > high) high = exportBefore;
        require(terms.exportTariff >= low && terms.exportTariff <= high, "T1 export tariff off its levels");
    }

    /// T2: no faster than the stated change; only a crossing goes before that, and only where the slot before had another fee or an
    /// import tariff below its level.
    function _withinRate(
        TariffParameters memory p,
        SlotTerms memory terms,
        int256 importBefore,
        int256 exportBefore,
        bool sameFee
    ) private pure {
        int256 fee = int256(uint256(p.fee));
        int256 change = int256(uint256(p.maxChange));
        bool importKept = _near(terms.importTariff, importBefore, change);
        bool exportKept = _near(terms.exportTariff, exportBefore, change);
        bool strict = sameFee && importBefore >= p.importMin;
        require(importKept || (!strict && terms.importTariff == p.exportMin + fee + 1), "T2 import tariff too fast");
        require(
            exportKept || (!strict && terms.exportTariff == terms.importTariff - fee - 1),
            "T2 export tariff too fast"
        );
    }

    /// T3: the signals follow from the clearings of the window alone.
    function _signalsAreThoseOfTheWindow(TariffParameters memory p, uint32 moment) private view {
        int256 bought;
        int256 sold;
        int256 rent;
        for (uint32 slot = moment - p.windowSlots; slot < moment; ++slot) {
            bought += int256(_t.boughtIn(slot));
            sold += int256(_t.soldIn(slot));
            rent += int256(_t.rentIn(slot));
        }
        TariffSignals memory said = _t.signals();
        int256 scarcity = bought + sold == 0 ? int256(0) : ((bought - sold) * FULL) / (bought + sold);
        int256 traded = bought > sold ? bought : sold;
        int256 full = traded * int256(uint256(p.fullRent));
        int256 congestion = full == 0 ? int256(0) : (rent * FULL) / full;
        require(said.scarcityPpm == scarcity, "T3 scarcity of the window");
        require(said.congestionPpm == (congestion > FULL ? FULL : congestion), "T3 congestion of the window");
    }

    /// Terms of the slot before, or of the last one published by the rule.
    function _before(
        uint32 first,
        uint32 fee
    ) private view returns (bool known, int256 importTariff, int256 exportTariff, bool sameFee) {
        TermsWord word = _t.tariffs().wordOf(first - 1);
        if (!word.isPublished()) word = TermsWord.wrap(_t.beforeLast());
        if (!word.isPublished()) return (false, 0, 0, false);
        return (true, word.importTariff(), word.exportTariff(), word.fee() == fee);
    }

    function _near(int256 a, int256 b, int256 most) private pure returns (bool) {
        return a - b <= most && b - a <= most;
    }
}
