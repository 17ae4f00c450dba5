// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingExtras, ClearingRecord, IAuction} from "../../../contracts/interfaces/IAuction.sol";
import {GridZone} from "../../../contracts/interfaces/IGrid.sol";
import {
    ClearingSubmission,
    PriceBand,
    SlotTerms,
    TradeTerms,
    ZoneTerms
} from "../../../contracts/libraries/MarketTypes.sol";
import {OrderWord} from "../../../contracts/libraries/OrderWord.sol";
import {Optimum} from "../support/Optimum.sol";
import {Order, RandomMarket} from "../support/RandomMarket.sol";
import {Cheats, CHEATS} from "./Cheats.sol";
import {Model} from "./Model.sol";
import {Trades} from "./Trades.sol";

/// Clears the books that the orders made, with the optimum that test/solidity/support finds.
abstract contract Clearing is Trades {
    /// Live steps of one point.
    struct Live {
        uint8 sequence;
        uint256 count;
        Order[8] steps;
        /// Words in the book.
        uint256 words;
    }

    /// Clears the next slot that has orders; the time goes on to its gate if need be.
    function clear(uint256 seed) public {
        _goTo(now_);
        for (uint32 slot = _current() + 1; slot <= _current() + 4; ++slot) {
            Slot storage s = slots[slot];
            if ((s.book.length == 0 && tradeWords[slot].length == 0) || s.record.length != 0) continue;
            uint256 from = _gate(slot) + 1 + _pick(seed, 1, 500);
            if (from > now_) _goTo(from);
            if (_current() < slot) _clear(slot, seed);
            return;
        }
    }

    function _clear(uint32 slot, uint256 seed) private {
        RandomMarket.Case memory c = _caseOf(slot);
        Live[] memory live = _liveOrders(slot);
        _setOrders(c, live);
        Optimum.Solution memory solution = Optimum.of_(c);
        ClearingSubmission memory submission = solution.submission;
        submission.slot = slot;
        submission.book = slots[slot].book;
        submission.batches = slots[slot].batches;
        submission.trades = abi.encodePacked(tradeWords[slot]);
        address clearer = address(uint160(0xc1ea0 + _pick(seed, 2, 2)));
        if (state == 2) {
            _refused(
                clearer,
                address(auction),
                abi.encodeCall(auction.clear, (submission)),
                IAuction.NotBetweenGateAndStart.selector
            );
            _count("clearing halted");
            return;
        }
        CHEATS.recordLogs();
        CHEATS.prank(clearer);
        auction.clear(submission);
        Cheats.Log[] memory logs = CHEATS.getRecordedLogs();
        (ClearingRecord memory record, uint64 boughtWh, int256 welfare) = abi.decode(
            logs[logs.length - 1].data,
            (ClearingRecord, uint64, int256)
        );
        require(record.slot == slot && record.clearer == clearer, "clearing: another record");
        require(boughtWh == solution.boughtWh && welfare == solution.welfareNano, "clearing: not the optimum");
        require(record.backupSoldWh == solution.soldBackupWh, "clearing: the backup's sales");
        slots[slot].record = abi.encode(record);
        _checkEnergy(slot, record, live);
        _count("cleared");
    }

    /// What was sold was bought: over all accounts and the backup in the island of the backup, and over the accounts of an island without.
    function _checkEnergy(uint32 slot, ClearingRecord memory record, Live[] memory live) private {
        ClearingExtras memory extras;
        if (record.extras.length != 0) extras = abi.decode(record.extras, (ClearingExtras));
        int256[2] memory net;
        int256[2] memory green;
        for (uint256 i = 0; i < live.length; ++i) {
            int256 soldWh = Model.positionOf(record.positions, i);
            net[zoneOf[i]] += soldWh;
            if (extras.greenPrices.length != 0) green[zoneOf[i]] += Model.positionOf(extras.green, i);
            require(Model.wordsOf(record.positions, i) == live[i].words, "words: not as many as in the book");
            (int256 offeredWh, int256 asked) = (int256(0), int256(0));
            for (uint256 j = 0; j < live[i].count; ++j) {
                Order memory step = live[i].steps[j];
                if (step.sell) offeredWh += int256(uint256(step.energyWh));
                else asked += int256(uint256(step.energyWh));
            }
            require(-asked <= soldWh && soldWh <= offeredWh, "energy: more than was ordered");
            if (soldWh != 0) _count("filled");
        }
        int256 backup = int256(uint256(record.backupSoldWh)) - int256(uint256(record.backupBoughtWh));
        require(net[0] + net[1] + backup == 0, "energy: sold is not bought");
        for (uint256 i = 0; i < extras.tradesWh.length; ++i) {
            TradeTerms memory terms = tradeTerms[slot][i];
            int256 filledWh = int256(uint256(extras.tradesWh[i]));
            require(extras.tradesWh[i] <= terms.limitWh, "energy: a trade beyond what was agreed");
            net[terms.from] += filledWh;
            net[terms.to] -= filledWh;
            if (filledWh != 0) _count("trade filled");
        }
        // Where there is a premium every green Wh sold is one bought; without one green offers may sell to anybody.
        bool premium = extras.greenPrices.length != 0 && extras.greenPrices[0] != record.prices[0];
        if (extras.greenPrices.length != 0) _count("green");
        if (premium) _count("premium");
        if (_islanded(slot)) {
            require(!premium || green[0] == 0, "energy: green sold is not green bought");
            require(net[1] == 0, "energy: across an open line");
            _count("cleared islanded");
            return;
        }
        require(!premium || green[0] + green[1] == 0, "energy: green sold is not green bought");
        require(-700 <= net[1] && net[1] <= 900, "energy: beyond the line's limit");
    }

    function _caseOf(uint32 slot) private view returns (RandomMarket.Case memory c) {
        SlotTerms memory terms = slots[slot].terms;
        GridZone[] memory network = _networkOf(slot);
        c.market.zones = new ZoneTerms[](network.length);
        for (uint256 z = 0; z < network.length; ++z) {
            ZoneTerms memory zone = c.market.zones[z];
            zone.parent = network[z].parent;
            (zone.toParentWh, zone.fromParentWh) = (network[z].toParentWh, network[z].fromParentWh);
            zone.fee = int64(uint64(terms.fee));
            if (network[z].backupCapacityWh == 0) continue;
            zone.hasBackup = true;
            (zone.backupSell, zone.backupBuy) = (terms.importTariff, terms.exportTariff);
            zone.backupCapacityWh = network[z].backupCapacityWh;
        }
        c.market.band = PriceBand(terms.bandMin, terms.bandMax, terms.reference_);
        c.market.trades = tradeTerms[slot];
    }

    function _setOrders(RandomMarket.Case memory c, Live[] memory live) private pure {
        uint256 count;
        for (uint256 i = 0; i < live.length; ++i) count += live[i].count;
        c.orders = new Order[](count);
        count = 0;
        for (uint256 i = 0; i < live.length; ++i) {
            for (uint256 j = 0; j < live[i].count; ++j) {
                Order memory step = live[i].steps[j];
                c.orders[count++] = step;
                if (step.green && !step.sell) c.green = true;
            }
        }
    }

    /// The last order of every point that no void ended.
    function _liveOrders(uint32 slot) internal view returns (Live[] memory live) {
        live = new Live[](zoneOf.length);
        bytes memory words = slots[slot].book;
        Void[] memory ended = voids[slot];
        uint256 next;
        for (uint256 i = 0; i <= words.length / 16; ++i) {
            for (; next < ended.length && ended[next].words == i; ++next) _void(live, ended[next].zones);
            if (i == words.length / 16) break;
            uint128 raw;
            assembly ("memory-safe") {
                raw := shr(128, mload(add(add(words, 32), shl(4, i))))
            }
            OrderWord word = OrderWord.wrap(raw);
            Live memory one = live[word.point()];
            ++one.words;
            if (one.sequence != word.sequence()) (one.sequence, one.count) = (word.sequence(), 0);
            if (word.energyWh() == 0) continue;
            one.steps[one.count++] = Order(
                word.zone(),
                word.isOffer(),
                word.flags() & 2 != 0,
                word.energyWh(),
                word.price()
            );
        }
    }

    function _void(Live[] memory live, uint256 zones) private view {
        for (uint256 i = 0; i < live.length; ++i) if ((zones >> zoneOf[i]) & 1 == 1) live[i].count = 0;
    }
}
