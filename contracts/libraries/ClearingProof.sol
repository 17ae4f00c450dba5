// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {BookTables} from "./BookTables.sol";
import {BookTable, ClearingBook} from "./ClearingBook.sol";
import {ClearingGreen} from "./ClearingGreen.sol";
import {ClearingMargin} from "./ClearingMargin.sol";
import {ClearingMesh} from "./ClearingMesh.sol";
import {ClearingNetwork} from "./ClearingNetwork.sol";
import {ClearingRadial} from "./ClearingRadial.sol";
import {ClearingTrades} from "./ClearingTrades.sol";
import {ClearingOutcome, ZoneTally} from "./ClearingTypes.sol";
import {ClearingSubmission, GreenPosting, MarketTerms, PriceBand, ZonePosting, ZoneTerms} from "./MarketTypes.sol";
import {Narrow} from "./Narrow.sol";
import {ZoneTallies} from "./ZoneTallies.sol";

/// Proves that posted prices, marginal totals and fills of bilateral trades clear a book optimally (design, section 4) and derives
/// every fill of an order from them.
/// Nothing posted is trusted: any other price, marginal total or backup amount is refused, except for the split of a
/// marginal quantity between zones of equal price, where every split gives the same prices and the same welfare.
library ClearingProof {
    /// Replays and proves in one call. The caller compares `bookHash` with its own.
    /// @param startHash the book's hash before its first word
    /// @return bookHash running hash of the book
    /// @return outcome sums
    /// @return table fills per point
    function prove(
        ClearingSubmission calldata submission,
        bytes32 startHash,
        MarketTerms memory market
    ) internal pure returns (bytes32 bookHash, ClearingOutcome memory outcome, BookTable memory table) {
        (bookHash, table) = ClearingBook.replay(submission.book, submission.batches, startHash);
        outcome = proveReplayed(submission, table, market);
    }

    /// The proof after `ClearingBook.replay`, for callers that refuse a wrong book before they look at the clearing. Leaves the
    /// fills in the table.
    function proveReplayed(
        ClearingSubmission calldata submission,
        BookTable memory table,
        MarketTerms memory market
    ) internal pure returns (ClearingOutcome memory outcome) {
        ZoneTally[] memory tallies = open(submission, market);
        uint256[] memory margin = ClearingBook.tally(submission, table, tallies, market.zones.length);
        outcome.welfareNano = ClearingBook.close(tallies, market.band);
        check(submission, market, tallies, outcome);
        ClearingMargin.fill(table, tallies, market.zones.length, margin);
    }

    /// Whether what was posted clears the tallied book optimally.
    /// @param outcome has the welfare of the orders that are better than the price; gets everything else
    function check(
        ClearingSubmission calldata submission,
        MarketTerms memory market,
        ZoneTally[] memory tallies,
        ClearingOutcome memory outcome
    ) internal pure {
        unchecked {
            uint256 count = market.zones.length;
            for (uint256 i = 0; i < count; ++i) {
                ZonePosting calldata posting = submission.postings[i];
                _takeMargin(i, tallies[i], market.band, posting.marginalBidWh, posting.marginalOfferWh);
                _takeBackup(i, market.zones[i], tallies[i], posting);
                tallies[i].flow = _netExport(tallies[i]);
            }
            if (tallies.length == count) ClearingGreen.checkNone(tallies, count);
            for (uint256 i = count; i < tallies.length; ++i) {
                GreenPosting calldata posting = submission.green[i - count];
                _takeMargin(i, tallies[i], market.band, posting.marginalBidWh, posting.marginalOfferWh);
                tallies[i - count].flow += _netExport(tallies[i]);
            }
            outcome.welfareNano += ClearingTrades.take(market.trades, tallies, submission.tradesWh);
            _sum(market.zones, tallies, outcome);
            if (market.limits.length == 0) {
                if (submission.duals.mu.length != 0)
                    revert IClearingErrors.WrongDualCount(submission.duals.mu.length, 0);
                ClearingRadial.check(market, tallies, submission.tradesWh);
                return;
            }
            (outcome.gapBoundNano, outcome.lambda, outcome.gamma) = ClearingMesh.check(
                market,
                ZoneTallies.pack(tallies, count),
                tallies.length != count,
                submission.duals.mu,
                submission.tradesWh
            );
        }
    }

    /// Fresh records: posted price, and the tariffs of the island's backup for all its zones.
    function open(
        ClearingSubmission calldata submission,
        MarketTerms memory market
    ) internal pure returns (ZoneTally[] memory tallies) {
        unchecked {
            ZoneTerms[] memory zones = market.zones;
            uint256 count = zones.length;
            ZonePosting[] calldata postings = submission.postings;
            GreenPosting[] calldata green = submission.green;
            if (postings.length != count) revert IClearingErrors.WrongZoneCount(postings.length, count);
            if (green.length != 0 && green.length != count) revert IClearingErrors.WrongZoneCount(green.length, count);
            if (submission.tradesWh.length != market.trades.length)
                revert IClearingErrors.WrongTradeCount(submission.tradesWh.length, market.trades.length);
            tallies = ZoneTallies.allocate(count, green.length != 0);
            for (uint256 i = 0; i < count; ++i) {
                ZoneTerms memory term = zones[i];
                if (term.parent > i) revert IClearingErrors.UnknownZone(term.parent, i + 1);
                ZoneTally memory zone = tallies[i];
                zone.fee = term.fee;
                zone.bidCap = ClearingNetwork.OPEN_HI;
                zone.offerFloor = ClearingNetwork.OPEN_LO;
                zone.lo = ClearingNetwork.OPEN_LO;
                zone.hi = ClearingNetwork.OPEN_HI;
                zone.loFull = ClearingNetwork.OPEN_LO;
                zone.hiFull = ClearingNetwork.OPEN_HI;
                zone.bidMask = type(uint256).max;
                zone.root = term.parent == i ? i : tallies[term.parent].root;
                if (!term.hasBackup) continue;
                ZoneTally memory root = tallies[zone.root];
                if (root.bidCap == ClearingNetwork.OPEN_HI) {
                    root.bidCap = term.backupSell;
                    root.offerFloor = term.backupBuy;
                }
                if (
                    root.bidCap != term.backupSell ||
                    root.offerFloor != term.backupBuy ||
                    term.backupBuy >= int256(term.backupSell) - term.fee // [4]
                ) revert IClearingErrors.InconsistentTariffs(i);
            }
            // Roots after their zones: what is turned is not read here again.
            for (uint256 i = count; i-- > 0;) {
                ZoneTally memory zone = tallies[i];
                ZoneTally memory root = tallies[zone.root];
                if (root.bidCap != ClearingNetwork.OPEN_HI) {
                    if (zone.fee != root.fee) revert IClearingErrors.InconsistentTariffs(i); // [4]
                    zone.bidCap = root.bidCap;
                    zone.offerFloor = root.offerFloor;
                }
                ClearingGreen.setPrice(zone, postings[i].price, BookTables.SOLD);
                ClearingGreen.openTwin(zone, green.length == 0 ? zone.price : green[i].price);
            }
        }
    }

    /// Takes the posted totals of the orders at the price. Such a group moves the known bounds as one order would.
    function _takeMargin(
        uint256 i,
        ZoneTally memory zone,
        PriceBand memory band,
        uint256 bidWh,
        uint256 offerWh
    ) private pure {
        unchecked {
            if (bidWh > zone.bidMarginWh) {
                // [6]
                revert IClearingErrors.MarginalBidOverfilled(i, bidWh, zone.bidMarginWh);
            }
            if (offerWh > zone.offerMarginWh) {
                // [6]
                revert IClearingErrors.MarginalOfferOverfilled(i, offerWh, zone.offerMarginWh);
            }
            zone.bidFilledWh = bidWh; // [11]
            zone.offerFilledWh = offerWh;
            if (bidWh < zone.bidMarginWh && zone.lo < zone.price) zone.lo = zone.price;
            if (bidWh > 0) {
                if (bidWh == zone.bidMarginWh && zone.price + zone.fee == band.max) zone.hiFull = zone.price;
                else zone.hi = zone.price;
            }
            if (offerWh < zone.offerMarginWh && zone.hi > zone.price) zone.hi = zone.price;
            if (offerWh > 0) {
                if (offerWh == zone.offerMarginWh && zone.price == band.min) zone.loFull = zone.price;
                else zone.lo = zone.price;
            }
        }
    }

    /// Takes the posted amounts of the backup, which offers at its tariff less the fee and bids at its other tariff.
    function _takeBackup(
        uint256 i,
        ZoneTerms memory term,
        ZoneTally memory zone,
        ZonePosting calldata posting
    ) private pure {
        unchecked {
            uint256 capacityWh = term.hasBackup ? term.backupCapacityWh : 0;
            uint256 soldWh = posting.backupSoldWh;
            uint256 boughtWh = posting.backupBoughtWh;
            if (soldWh > capacityWh) revert IClearingErrors.BackupOverfilled(i, soldWh, capacityWh);
            if (boughtWh > capacityWh) revert IClearingErrors.BackupOverfilled(i, boughtWh, capacityWh);
            if (capacityWh == 0) return;
            int256 price = zone.price;
            int256 offer = int256(term.backupSell) - term.fee; // [8]
            int256 bid = term.backupBuy;
            if (price < offer && soldWh != 0) revert IClearingErrors.BackupAgainstPrice(i, soldWh, 0);
            if (price > offer && soldWh != capacityWh) revert IClearingErrors.BackupAgainstPrice(i, soldWh, capacityWh);
            if (price > bid && boughtWh != 0) revert IClearingErrors.BackupAgainstPrice(i, boughtWh, 0);
            if (price < bid && boughtWh != capacityWh)
                revert IClearingErrors.BackupAgainstPrice(i, boughtWh, capacityWh);
            if (soldWh < capacityWh && zone.hi > offer) zone.hi = offer; // [12]
            if (soldWh > 0 && zone.lo < offer) zone.lo = offer;
            if (boughtWh < capacityWh && zone.lo < bid) zone.lo = bid;
            if (boughtWh > 0 && zone.hi > bid) zone.hi = bid;
            zone.backupSoldWh = soldWh;
            zone.backupBoughtWh = boughtWh;
        }
    }

    function _netExport(ZoneTally memory zone) private pure returns (int256) {
        unchecked {
            return
                int256(zone.offerWh + zone.offerFilledWh + zone.backupSoldWh) -
                int256(zone.bidWh + zone.bidFilledWh + zone.backupBoughtWh);
        }
    }

    /// Energy and money of the whole slot. Prices, fees and amounts have at most 65 bits and a word names at most 256 zones, so
    /// unchecked sums in 256 bits are exact.
    function _sum(ZoneTerms[] memory zones, ZoneTally[] memory tallies, ClearingOutcome memory outcome) private pure {
        unchecked {
            uint256 boughtWh;
            uint256 soldBackupWh;
            uint256 boughtBackupWh;
            int256 backupNano;
            int256 rentNano;
            int256 feesNano;
            int256 welfareNano = outcome.welfareNano;
            for (uint256 i = 0; i < tallies.length; ++i) {
                ZoneTally memory zone = tallies[i];
                int256 bidWh = int256(zone.bidWh + zone.bidFilledWh);
                boughtWh += uint256(bidWh);
                feesNano += bidWh * zone.fee;
                welfareNano += (int256(zone.bidFilledWh) - int256(zone.offerFilledWh)) * zone.price;
                if (i >= zones.length) {
                    // Green energy is paid at its own price. Zero on a radial network; a meshed one rounds that price in each zone.
                    int256 greenWh = int256(zone.offerWh + zone.offerFilledWh) - bidWh;
                    rentNano -= greenWh * (zone.price - tallies[i - zones.length].price); // [87]
                    continue;
                }
                soldBackupWh += zone.backupSoldWh;
                boughtBackupWh += zone.backupBoughtWh;
                int256 sold = int256(zone.backupSoldWh);
                int256 bought = int256(zone.backupBoughtWh);
                backupNano += (sold - bought) * zone.price;
                rentNano -= zone.flow * zone.price;
                welfareNano += bought * zones[i].backupBuy - sold * (int256(zones[i].backupSell) - zones[i].fee);
            }
            outcome.boughtWh = Narrow.toUint64(boughtWh);
            outcome.backupSoldWh = Narrow.toUint64(soldBackupWh);
            outcome.backupBoughtWh = Narrow.toUint64(boughtBackupWh);
            outcome.backupNano = Narrow.toInt128(backupNano);
            outcome.congestionNano = Narrow.toInt128(rentNano);
            outcome.feesNano = Narrow.toInt128(feesNano);
            outcome.welfareNano = welfareNano;
        }
    }
}
