// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {GridZone, IGrid} from "../interfaces/IGrid.sol";
import {ILedger} from "../interfaces/ILedger.sol";
import {ILosses} from "../interfaces/ILosses.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IReadingArchive, ReadingRange} from "../interfaces/IReadingArchive.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {ReadingProof} from "../libraries/ReadingProof.sol";
import {SlotReadings, WholeSlots} from "../libraries/WholeSlots.sol";

/// See ILosses for what each function does.
contract Losses is ILosses {
    /// One part in so many of what flowed is bought as losses at most.
    int256 public constant HIGHEST_SHARE = 8;

    IReadingArchive public immutable archive;
    IMeteringPoints public immutable meteringPoints;
    IGrid public immutable grid;
    ITariffs public immutable tariffs;
    ILedger public immutable ledger;

    uint32 public boughtThrough;
    mapping(uint256 rootZone => uint256 wh) private _carried;

    /// What one call keeps over its slots. Arrays per root zone.
    struct Work {
        bytes zones;
        uint8[] roots;
        uint32 through;
        uint256 carriedRead;
        int256[] carried;
        int256[] netWh;
        int256[] flowWh;
        uint256 lossWh;
        uint256 costNano;
    }

    constructor(IReadingArchive archive_, IMeteringPoints meteringPoints_, ITariffs tariffs_, ILedger ledger_) {
        archive = archive_;
        meteringPoints = meteringPoints_;
        grid = meteringPoints_.grid();
        tariffs = tariffs_;
        ledger = ledger_;
        boughtThrough = ISettlement(ledger_.settlement()).genesisSlot() - 1;
    }

    function buy(ReadingRange calldata leaves, SlotReadings[] calldata slots) external {
        uint32 first = leaves.firstSlot;
        if (first != boughtThrough + 1) revert SlotNotNext(first, boughtThrough + 1);
        WholeSlots.prove(leaves, slots, archive.wordOf(first / uint32(ReadingProof.SLOTS_PER_DAY)));
        Work memory work;
        work.zones = meteringPoints.zones();
        for (uint256 i = 0; i < slots.length; ++i) {
            uint32 slot = first + uint32(i);
            int256 price = tariffs.wordOf(slot).importTariff();
            if (slots[i].heads.length == 0 || price <= 0) continue;
            if (slot > work.through) _readGrid(work, slot);
            _addSlot(work, slots[i], price);
        }
        uint32 last = first + uint32(slots.length) - 1;
        boughtThrough = last;
        for (uint256 zone = 0; zone < work.carried.length; ++zone) {
            if ((work.carriedRead >> zone) & 1 == 0) continue;
            uint256 wh = uint256(-work.carried[zone]);
            if (wh == _carried[zone]) continue;
            _carried[zone] = wh;
            emit LossesCarried(uint8(zone), wh);
        }
        _pay(first, last, work.lossWh, work.costNano);
    }

    function carriedWh(uint8 rootZone) external view returns (uint256) {
        return _carried[rootZone];
    }

    function _addSlot(Work memory work, SlotReadings calldata given, int256 price) private view {
        uint256 zones = work.roots.length;
        uint256 unknown;
        for (uint256 zone = 0; zone < zones; ++zone) {
            work.netWh[zone] = 0;
            work.flowWh[zone] = 0;
        }
        uint256 points = WholeSlots.pointsOf(given.points, work.zones.length);
        for (uint256 point = 0; point < points; ++point) {
            uint256 zone = uint8(work.zones[point]);
            // Zones only ever come at the end: a point in one that is younger than the slot was not there.
            if (zone >= zones) continue;
            uint256 reading = WholeSlots.readingAt(given.points, point);
            uint8 root = work.roots[zone];
            if (WholeSlots.isMissing(reading)) unknown |= uint256(1) << root;
            work.netWh[root] -= WholeSlots.netImportWh(reading);
            work.flowWh[root] += int256(ReadingProof.exportWh(reading));
        }
        uint256 done;
        uint256 heads = given.heads.length / WholeSlots.HEAD_BYTES;
        for (uint256 i = 0; i < heads; ++i) {
            (uint256 zone, uint256 reading) = WholeSlots.headAt(given.heads, i);
            if (zone >= zones || work.roots[zone] != zone) continue;
            // An island has one head meter.
            if ((done >> zone) & 1 == 1) continue;
            done |= uint256(1) << zone;
            bool known = (unknown >> zone) & 1 == 0 && !WholeSlots.isMissing(reading);
            _addIsland(work, zone, reading, known ? price : int256(0));
        }
    }

    /// Price zero: something is missing. Its register brings it later, so what the others show too much of is carried, and nothing is
    /// bought.
    function _addIsland(Work memory work, uint256 root, uint256 reading, int256 price) private view {
        if ((work.carriedRead >> root) & 1 == 0) {
            work.carriedRead |= uint256(1) << root;
            work.carried[root] = -int256(_carried[root]);
        }
        int256 wh = work.carried[root] + work.netWh[root] + WholeSlots.netImportWh(reading);
        if (price == 0) {
            if (wh < work.carried[root]) work.carried[root] = wh;
            return;
        }
        work.carried[root] = wh < 0 ? wh : int256(0);
        int256 most = (work.flowWh[root] + int256(ReadingProof.importWh(reading))) / HIGHEST_SHARE;
        if (wh > most) wh = most;
        if (wh <= 0) return;
        work.lossWh += uint256(wh);
        work.costNano += uint256(wh * price);
    }

    /// Network of a slot; what is known of islands stays, since arrays never shrink.
    function _readGrid(Work memory work, uint32 slot) private view {
        (, work.through, , ) = grid.versionOf(slot);
        GridZone[] memory zones = grid.gridOf(slot);
        work.roots = new uint8[](zones.length);
        for (uint256 zone = 0; zone < zones.length; ++zone) {
            uint8 parent = zones[zone].parent;
            work.roots[zone] = parent == zone ? parent : work.roots[parent];
        }
        work.netWh = new int256[](zones.length);
        work.flowWh = new int256[](zones.length);
        int256[] memory carried = new int256[](zones.length);
        for (uint256 zone = 0; zone < work.carried.length; ++zone) carried[zone] = work.carried[zone];
        work.carried = carried;
    }

    function _pay(uint32 first, uint32 last, uint256 lossWh, uint256 costNano) private {
        uint32[] memory accounts = new uint32[](3);
        int128[] memory deltas = new int128[](3);
        accounts[0] = ledger.OPERATOR();
        accounts[1] = ledger.MEMBERS();
        accounts[2] = ledger.BACKUP();
        uint256 operatorNano = _least(costNano, ledger.balanceOf(accounts[0]));
        uint256 membersNano = _least(costNano - operatorNano, ledger.balanceOf(accounts[1]));
        deltas[0] = -int128(int256(operatorNano));
        deltas[1] = -int128(int256(membersNano));
        deltas[2] = int128(int256(operatorNano + membersNano));
        if (deltas[2] != 0) ledger.transferBetween(accounts, deltas);
        emit LossesBought(first, last, lossWh, costNano, operatorNano, membersNano);
    }

    function _least(uint256 nano, int128 balance) private pure returns (uint256) {
        if (balance <= 0) return 0;
        return nano < uint128(balance) ? nano : uint128(balance);
    }
}
