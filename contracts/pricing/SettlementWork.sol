// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingExtras, ClearingRecord, IAuction} from "../interfaces/IAuction.sol";
import {IBilaterals} from "../interfaces/IBilaterals.sol";
import {IEnvelopes} from "../interfaces/IEnvelopes.sol";
import {IGrid} from "../interfaces/IGrid.sol";
import {Earning, ILedger} from "../interfaces/ILedger.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IMeterOracle} from "../interfaces/IMeterOracle.sol";
import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {EnvelopeCharges} from "../libraries/EnvelopeCharges.sol";
import {ExtraPayments} from "../libraries/ExtraPayments.sol";
import {LanePayments, LanePlan} from "../libraries/LanePayments.sol";
import {PackedEnergy} from "../libraries/PackedEnergy.sol";
import {PackedReadings} from "../libraries/PackedReadings.sol";
import {RecordImage} from "../libraries/RecordImage.sol";
import {FixedMoney, SlotPayments, ZoneRow} from "../libraries/SlotPayments.sol";
import {TermsWord} from "../libraries/TermsWord.sol";
import {UnmetTrades} from "../libraries/UnmetTrades.sol";
import {WordFees} from "../libraries/WordFees.sol";

/// What a settlement reads and writes beside its own statuses, and what one transaction keeps in memory over all its slots.
abstract contract SettlementWork is ISettlement {
    /// The contracts that settlement reads and the ledger that it writes.
    struct Wiring {
        IMeteringPoints meteringPoints;
        IGrid grid;
        ITariffs tariffs;
        ILedger ledger;
        IOrderBook orderBook;
        IAuction auction;
        IMeterOracle meterOracle;
        IEnvelopes envelopes;
    }

    /// What one transaction keeps in memory over all its slots.
    struct Work {
        /// Where each point's zone stands in `table`.
        bytes rows;
        /// Copies of a slot's positions (whole pages of WordFees) and readings, one entry per registered point.
        bytes positions;
        bytes readings;
        /// No reading is missing for sure.
        bool measured;
        LanePlan lanes;
        ZoneRow[] table;
        int128[] deltas;
        /// The slot's money on the fixed accounts, and that of all slots.
        FixedMoney money;
        FixedMoney total;
        /// Words of each point in all slots, 4 bytes each, and what they are to clearers.
        bytes words;
        Earning[] earnings;
        /// The grid version in `backedZones` is in force in these slots.
        uint32 gridFrom;
        uint32 gridThrough;
        uint256 backedZones;
        /// Whether a zone price of the slot lies beyond the tariffs, and what bounds its prices (SlotPayments.setPrices).
        bool outside;
        uint256 highestPrice;
        EnvelopeCharges.Work envelopes;
        /// The slot's record as it was given.
        RecordImage.Room given;
        /// Word of statuses at hand, and its page.
        uint256 statusPage;
        uint256 statuses;
        uint32 current;
    }

    IMeteringPoints public immutable meteringPoints;
    IGrid public immutable grid;
    ITariffs public immutable tariffs;
    ILedger public immutable ledger;
    IAuction public immutable auction;
    IMeterOracle public immutable meterOracle;
    address public immutable envelopes;
    uint32 public immutable genesisSlot;
    uint256 private immutable _wordFeeNano;
    uint256 private immutable _penaltyPrice;

    constructor(Wiring memory wiring, uint32 genesisSlot_) {
        meteringPoints = wiring.meteringPoints;
        grid = wiring.grid;
        tariffs = wiring.tariffs;
        ledger = wiring.ledger;
        auction = wiring.auction;
        meterOracle = wiring.meterOracle;
        envelopes = address(wiring.envelopes);
        genesisSlot = genesisSlot_;
        _wordFeeNano = wiring.tariffs.wordFeeNano();
        _penaltyPrice = wiring.tariffs.penaltyPrice();
        _checkWire(address(this), wiring.ledger.settlement());
        _checkWire(address(this), wiring.orderBook.settlement());
        _checkWire(address(this), wiring.meterOracle.settlement());
        _checkWire(address(this), wiring.tariffs.settlement());
        _checkWire(address(wiring.ledger), wiring.orderBook.ledger());
        _checkWire(address(wiring.orderBook), wiring.ledger.orderBook());
        _checkWire(address(wiring.orderBook), wiring.auction.orderBook());
        _checkWire(wiring.ledger.bilaterals(), wiring.auction.bilaterals());
        _checkWire(address(wiring.ledger), IBilaterals(wiring.ledger.bilaterals()).ledger());
    }

    function _open(uint256 slots) internal view returns (Work memory work) {
        bytes memory zones = meteringPoints.zones();
        uint256 points = zones.length;
        uint256 pages = (points + WordFees.PAGE - 1) / WordFees.PAGE;
        work.positions = new bytes(pages * WordFees.PAGE * PackedEnergy.BYTES);
        work.words = new bytes(work.positions.length);
        work.earnings = WordFees.room(slots);
        work.readings = PackedReadings.room(points);
        work.deltas = new int128[](points);
        work.table = new ZoneRow[](grid.zoneCount());
        work.rows = SlotPayments.rowsOf(work.table, zones);
        work.lanes = LanePayments.plan(work.table, zones);
        work.gridFrom = type(uint32).max;
        work.envelopes = EnvelopeCharges.open(envelopes, meteringPoints, _penaltyPrice);
    }

    /// Prices of all zones and the positions of all points (zero when nothing was cleared).
    function _prepare(Work memory work, uint32 slot, TermsWord terms, bool cleared) internal view {
        if (slot < work.gridFrom || slot > work.gridThrough) _readGrid(work, slot);
        (work.outside, work.highestPrice) = SlotPayments.setPrices(
            work.table,
            work.given.record.prices,
            cleared,
            terms,
            work.backedZones
        );
        PackedEnergy.copyTo(work.given.record.positions, work.positions, cleared);
    }

    /// Fees of the words of a cleared slot's book.
    function _countWords(Work memory work) internal view {
        uint256 words = WordFees.add(work.positions, work.words);
        WordFees.credit(work.earnings, work.given.record.clearer, words * _wordFeeNano); // [82]
    }

    /// Green money and bilateral trades of a cleared slot, and what unmet ones pay beyond the tariffs, to the members. The extras
    /// are what the auction encoded: the record is the accepted one.
    function _addExtras(Work memory work, bool metered) internal pure returns (int256 chargedNano) {
        bool outside = work.outside;
        bytes memory given = work.given.record.extras;
        if (given.length == 0 && !outside) return 0;
        ClearingExtras memory extras;
        if (given.length != 0) extras = abi.decode(given, (ClearingExtras));
        ExtraPayments.Slot memory slot = ExtraPayments.Slot(
            work.table,
            work.rows,
            work.positions,
            work.readings,
            work.deltas,
            metered
        );
        if (ExtraPayments.add(slot, extras)) outside = true;
        if (metered && outside) chargedNano = UnmetTrades.charge(slot, extras);
    }

    function _readGrid(Work memory work, uint32 slot) private view {
        uint8 zones;
        (, work.gridThrough, zones, work.backedZones) = grid.versionOf(slot);
        work.gridFrom = slot;
        // A zone that came later than the slot has no price in it: its points have the tariffs.
        work.backedZones |= ~((uint256(1) << zones) - 1);
    }

    function _move(Work memory work) internal {
        FixedMoney memory total = work.total;
        LanePayments.flush(work.lanes, work.deltas);
        WordFees.charge(work.words, work.deltas, _wordFeeNano);
        ledger.move(
            0,
            work.deltas,
            int128(total.backup),
            int128(total.operatorFees),
            int128(total.members),
            int128(total.congestion),
            work.earnings
        );
    }

    function _checkWire(address expected, address got) private pure {
        if (got != expected) revert WrongWiring(expected, got);
    }
}
