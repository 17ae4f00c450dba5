// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IGrid} from "../interfaces/IGrid.sol";
import {ILedger} from "../interfaces/ILedger.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {EmergencyWord} from "../libraries/EmergencyWord.sol";
import {MarginPages} from "../libraries/MarginPages.sol";
import {OrderRules} from "../libraries/OrderRules.sol";
import {PointWord} from "../libraries/PointWord.sol";
import {ReplayPages} from "../libraries/ReplayPages.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

/// The order book's margin: up to which slot each account's balance was found to suffice. See IOrderBook.
abstract contract BookMargin is IOrderBook {
    IMeteringPoints public immutable meteringPoints;
    ITariffs public immutable tariffs;
    address public immutable ledger;
    address public immutable settlement;
    int256 private immutable _highestImportTariff;
    int256 private immutable _lowestExportTariff;
    int256 private immutable _highestPrice;
    int256 private immutable _lowestPrice;
    /// Fee of all words that one account can have in a slot's book.
    uint256 private immutable _wordsNano;
    IGrid internal immutable _grid;
    uint256 private immutable _penaltyPrice;

    mapping(uint256 page => uint256 word) private _margins;
    /// Market state, and which zones were voided lately: one read per batch.
    EmergencyWord internal _emergency;

    /// What the margin checks of one transaction share: the page at hand, so that batches sorted by point read each page once,
    /// and what is read when the first order extends its margin (`finalThrough` 0 before).
    struct MarginCheck {
        uint256 key;
        uint256 page;
        uint32 finalThrough;
        uint256 unbackedZones;
        /// Zones whose margins count anew, a bit each.
        uint256 voided;
        /// Tells nothing of its own: up to which slot the last check extended the margin, if it did, is for the caller to tell.
        bool gathers;
        uint32 extended;
    }

    uint256 internal constant NO_PAGE = type(uint256).max;

    constructor(IMeteringPoints meteringPoints_, ITariffs tariffs_, address ledger_, address settlement_) {
        meteringPoints = meteringPoints_;
        tariffs = tariffs_;
        ledger = ledger_;
        settlement = settlement_;
        _highestImportTariff = tariffs_.highestImportTariff();
        _lowestExportTariff = tariffs_.lowestExportTariff();
        _highestPrice = tariffs_.highestPrice();
        _lowestPrice = tariffs_.lowestPrice();
        _wordsNano = ReplayPages.MAX_SEQUENCE * OrderRules.MAX_STEPS * tariffs_.wordFeeNano();
        _penaltyPrice = tariffs_.penaltyPrice();
        _grid = meteringPoints_.grid();
        address named = ILedger(ledger_).orderBook();
        if (named != address(this)) revert WrongWiring(address(this), named);
        named = meteringPoints_.orderBook();
        if (named != address(this)) revert WrongWiring(address(this), named);
        named = ILedger(ledger_).settlement();
        if (named != settlement_) revert WrongWiring(settlement_, named);
    }

    function marginedThrough(uint32 point) external view returns (uint32 through) {
        (through, ) = MarginPages.throughOf(_margins[point >> 3], point, 0);
    }

    function marginPerSlot(uint32 point) external view returns (uint256 nano) {
        (PointWord word, ) = meteringPoints.orderTerms(point, address(0));
        return _perSlot(word, _grid.unbackedZones());
    }

    function requiredMargin(uint32 point) external view returns (uint256 nano) {
        (PointWord word, ) = meteringPoints.orderTerms(point, address(0));
        (uint32 through, ) = MarginPages.throughOf(_margins[point >> 3], point, 0);
        uint32 current = SlotTime.current();
        return
            _openSlots(ISettlement(settlement).finalThrough(), current > through ? current : through) *
            _perSlot(word, _grid.unbackedZones());
    }

    function backupMargin() external view returns (uint256 nano) {
        // No export tariff reaches the highest import tariff.
        if (_highestImportTariff <= 0) return 0;
        uint32 last = SlotTime.current() + uint32(SlotTime.AHEAD_SLOTS);
        uint256 perSlot = uint256(meteringPoints.exposureWh()) * uint256(_highestImportTariff);
        return _openSlots(ISettlement(settlement).finalThrough(), last) * perSlot;
    }

    function dropMargin(uint32 point) external {
        if (msg.sender != ledger) revert NotLedger(msg.sender);
        _margins[point >> 3] |= uint256(MarginPages.DROPPED) << ((point & 7) << 5);
    }

    /// Whether the account's margin covers the slot; slots that were covered before cost one read. A cancellation extends no margin,
    /// but its word is paid for: it is for slots that an order is in.
    function _isMargined(
        MarginCheck memory check,
        uint256 slot,
        uint256 point,
        PointWord word,
        bool cancels
    ) internal returns (bool) {
        (uint32 through, bool current) = _throughOf(check, point, word.raises());
        if (slot <= through) {
            // What was margined before its zone was islanded counts anew, order by order.
            if ((current && (check.voided == 0 || (check.voided >> word.zone()) & 1 == 0)) || cancels) return true;
        } else if (cancels) return false;
        return _extendMargin(check, uint32(slot), uint32(point), word, through);
    }

    /// Last margined slot of the point, and whether no raise of its trading limit came after the check.
    function _throughOf(
        MarginCheck memory check,
        uint256 point,
        uint8 raises
    ) internal view returns (uint32 through, bool current) {
        uint256 key = point >> 3;
        if (check.key != key) {
            check.key = key;
            check.page = _margins[key];
        }
        return MarginPages.throughOf(check.page, point, raises);
    }

    /// Checks a new range against the balance, and extends it up to 8 slots further when the balance suffices for these too.
    function _extendMargin(
        MarginCheck memory check,
        uint32 slot,
        uint32 point,
        PointWord word,
        uint32 through
    ) private returns (bool) {
        if (check.finalThrough == 0) {
            check.finalThrough = ISettlement(settlement).finalThrough();
            check.unbackedZones = _grid.unbackedZones();
        }
        int256 balance = ILedger(ledger).unboundOf(point);
        uint256 perSlot = _perSlot(word, check.unbackedZones);
        uint256 slots = _openSlots(check.finalThrough, slot > through ? slot : through);
        if (balance < 0 || uint256(balance) < slots * perSlot) return false; // [30]
        uint256 spare = perSlot == 0 ? MarginPages.AHEAD : uint256(balance) / perSlot - slots;
        uint32 next = slot + uint32(spare < MarginPages.AHEAD ? spare : MarginPages.AHEAD);
        // Not beyond the slots that take orders now: a later version of the grid may ask for another margin there.
        uint32 latest = SlotTime.current() + uint32(SlotTime.AHEAD_SLOTS);
        if (next > latest) next = latest;
        if (next < through) next = through;
        check.page = MarginPages.withThrough(check.page, point, next, word.raises());
        _margins[point >> 3] = check.page;
        if (check.gathers) check.extended = next;
        else emit MarginExtended(point, next);
        return true;
    }

    function _perSlot(PointWord word, uint256 unbackedZones) private view returns (uint256 nano) {
        nano = MarginPages.perSlot(word, _highestImportTariff, _lowestExportTariff);
        if ((unbackedZones >> word.zone()) & 1 == 1) {
            int256 widestSpread = _highestImportTariff - _lowestExportTariff;
            uint256 unbacked = MarginPages.perSlotUnbacked(word, _highestPrice, _lowestPrice, widestSpread);
            if (unbacked > nano) nano = unbacked;
        }
        nano += _wordsNano + MarginPages.penaltyPerSlot(word, _penaltyPrice); // [81]
    }

    /// Number of slots from the first not final to `last`.
    function _openSlots(uint32 finalThrough, uint32 last) private pure returns (uint256) {
        return last > finalThrough ? last - finalThrough : 0;
    }
}
