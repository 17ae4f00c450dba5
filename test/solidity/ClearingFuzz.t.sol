// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingHarness} from "../../contracts/test/ClearingHarness.sol";
import {ClearingOutcome} from "../../contracts/libraries/ClearingTypes.sol";
import {ClearingSubmission} from "../../contracts/libraries/MarketTypes.sol";
import {Flow} from "./support/Flow.sol";
import {Optimum} from "./support/Optimum.sol";
import {RandomMarket} from "./support/RandomMarket.sol";

/// Random books against an optimum that was found without any of the proof's code: the proof takes it, at the price rule's prices
/// inside the dual face, and takes no posted field that differs by a little.
contract ClearingFuzzTest {
    ClearingHarness private immutable _harness = new ClearingHarness();

    function testFuzz_AcceptsTheOptimum(uint256 seed) external view {
        _check(RandomMarket.draw(seed, 4, false), seed);
    }

    function testFuzz_AcceptsGreenOrdersAndTrades(uint256 seed) external view {
        _check(RandomMarket.draw(seed, 4, true), seed);
    }

    /// Larger networks take longer: every eighth seed.
    function testFuzz_AcceptsUpToTwelveZones(uint256 seed) external view {
        if (seed % 8 == 0) _check(RandomMarket.draw(seed, 12, seed % 16 == 0), seed);
    }

    function _check(RandomMarket.Case memory c, uint256 seed) private view {
        Optimum.Solution memory s = Optimum.of_(c);
        (, ClearingOutcome memory outcome, bytes memory positions) = _harness.prove(s.submission, 0, c.market);
        require(outcome.welfareNano == s.welfareNano, "welfare");
        require(outcome.boughtWh == s.boughtWh, "volume");
        require(outcome.backupSoldWh == s.soldBackupWh && outcome.backupBoughtWh == s.boughtBackupWh, "backup");
        require(positions.length <= 4 * c.orders.length, "positions");
        for (uint256 z = 0; z < c.market.zones.length; ++z) {
            (int256 lo, int256 hi) = (s.lowest[1 + z], s.highest[1 + z]);
            int256 price = s.submission.postings[z].price;
            require(lo <= price && price <= hi, "outside the dual face");
            if (lo == -Flow.FAR || hi == Flow.FAR || c.market.trades.length != 0) continue;
            require(c.market.zones[0].hasBackup || (2 * price <= lo + hi && lo + hi <= 2 * price + 1), "midpoint");
        }
        for (uint256 i = 0; i < 3; ++i) {
            if (!_change(s.submission, RandomMarket.pick(seed, 900 + i))) continue;
            try _harness.prove(s.submission, 0, c.market) {
                revert("a wrong clearing was accepted");
            } catch (bytes memory reason) {
                // Errors of the proof have a name; anything else is a crash.
                require(reason.length >= 4 && bytes4(reason) != 0x4e487b71, "a crash");
            }
            _restore(s.submission, RandomMarket.pick(seed, 900 + i));
        }
    }

    /// Moves one posted field by up to three units; false where the field cannot move so.
    function _change(ClearingSubmission memory posted, uint256 random) private pure returns (bool) {
        return _move(posted, random, _step(random));
    }

    function _restore(ClearingSubmission memory posted, uint256 random) private pure {
        _move(posted, random, -_step(random));
    }

    function _step(uint256 random) private pure returns (int64) {
        int64 step = int64(int256(random % 3)) + 1;
        return (random >> 8) % 2 == 0 ? step : -step;
    }

    function _move(ClearingSubmission memory posted, uint256 random, int64 by) private pure returns (bool) {
        uint256 zone = (random >> 16) % posted.postings.length;
        uint256 field = (random >> 24) % 9;
        if (field == 0) posted.postings[zone].price += by;
        else if (field == 1) return _shift(posted.postings[zone].marginalBidWh, by, zone, field, posted);
        else if (field < 5) return _shift(_wh(posted, zone, field), by, zone, field, posted);
        else if (field < 8) {
            if (posted.green.length == 0) return false;
            if (field == 5) posted.green[zone].price += by;
            else return _shift(_wh(posted, zone, field), by, zone, field, posted);
        } else {
            if (posted.tradesWh.length == 0) return false;
            zone = (random >> 32) % posted.tradesWh.length;
            return _shift(posted.tradesWh[zone], by, zone, field, posted);
        }
        return true;
    }

    function _wh(ClearingSubmission memory posted, uint256 zone, uint256 field) private pure returns (uint64) {
        if (field == 2) return posted.postings[zone].marginalOfferWh;
        if (field == 3) return posted.postings[zone].backupSoldWh;
        if (field == 4) return posted.postings[zone].backupBoughtWh;
        return field == 6 ? posted.green[zone].marginalBidWh : posted.green[zone].marginalOfferWh;
    }

    function _shift(
        uint64 value,
        int64 by,
        uint256 index,
        uint256 field,
        ClearingSubmission memory posted
    ) private pure returns (bool) {
        if (by < 0 && value < uint64(-by)) return false;
        uint64 moved = by < 0 ? value - uint64(-by) : value + uint64(by);
        if (field == 1) posted.postings[index].marginalBidWh = moved;
        else if (field == 2) posted.postings[index].marginalOfferWh = moved;
        else if (field == 3) posted.postings[index].backupSoldWh = moved;
        else if (field == 4) posted.postings[index].backupBoughtWh = moved;
        else if (field == 6) posted.green[index].marginalBidWh = moved;
        else if (field == 7) posted.green[index].marginalOfferWh = moved;
        else posted.tradesWh[index] = moved;
        return true;
    }
}
