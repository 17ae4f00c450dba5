// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingExtras, ClearingRecord} from "../../contracts/interfaces/IAuction.sol";
import {IDemandResponse} from "../../contracts/interfaces/IDemandResponse.sol";
import {CertifiedSpan, CertifiedSpans} from "../../contracts/libraries/CertifiedSpans.sol";
import {DayLanes} from "../../contracts/libraries/DayLanes.sol";
import {DaySteps} from "../../contracts/libraries/DaySteps.sol";
import {GreenSales} from "../../contracts/libraries/GreenSales.sol";
import {PackedEnergy} from "../../contracts/libraries/PackedEnergy.sol";
import {RecordDigest} from "../../contracts/libraries/RecordDigest.sol";
import {ResponsePositions} from "../../contracts/libraries/ResponsePositions.sol";
import {TradeWord, TradeWordLibrary} from "../../contracts/libraries/TradeWord.sol";
import {WholeSlots} from "../../contracts/libraries/WholeSlots.sol";
import {ZoneImports} from "../../contracts/libraries/ZoneImports.sol";

/// What libraries do with input that ends early, goes on too long or is not there.
contract LibraryEdgesTest {
    using CertifiedSpans for CertifiedSpans.Spans;

    CertifiedSpans.Spans private _spans;

    function read(
        ClearingRecord calldata record,
        bytes28 expected
    ) external pure returns (ResponsePositions.Slot memory slot) {
        ResponsePositions.read(slot, record, 5, expected);
    }

    function sumOf(
        ClearingRecord[] calldata records,
        bool[] calldata cleared,
        uint32 point
    ) external pure returns (uint40 boughtWh) {
        ResponsePositions.Slot[] memory window = new ResponsePositions.Slot[](records.length);
        for (uint256 i = 0; i < records.length; ++i) {
            bytes28 expected = cleared[i] ? RecordDigest.ofCalldata(records[i]) : bytes28(0);
            ResponsePositions.read(window[i], records[i], 5, expected);
        }
        (boughtWh, ) = ResponsePositions.sumOf(records, window, point, 0);
    }

    function pointsOf(bytes calldata readings, uint256 registered) external pure returns (uint256) {
        return WholeSlots.pointsOf(readings, registered);
    }

    function addImports(bytes calldata readings, bytes memory zones) external pure returns (uint256[] memory sums) {
        sums = new uint256[](2);
        ZoneImports.addImports(readings, zones, sums, new uint256[](0));
    }

    function shareOf(bytes calldata list, uint32 point) external pure returns (GreenSales.Share memory) {
        return GreenSales.shareOf(list, point);
    }

    function test_PositionsOfAnUnclearedSlotAreZero() external view {
        ClearingRecord[] memory records = new ClearingRecord[](2);
        // Point 1 bought 300 Wh in each.
        records[0] = _record("");
        records[1] = _record("");
        bool[] memory cleared = new bool[](2);
        require(!this.read(records[0], 0).cleared, "no clearing");
        require(this.sumOf(records, cleared, 1) == 0, "neither was cleared");
        cleared[1] = true;
        require(this.sumOf(records, cleared, 1) == 300, "one was cleared");
        cleared[0] = true;
        require(this.sumOf(records, cleared, 1) == 600, "both were cleared");
        require(this.sumOf(records, cleared, 0) == 0, "a seller bought nothing");
        try this.read(records[0], bytes28(uint224(1))) {
            revert("read");
        } catch (bytes memory reason) {
            require(bytes4(reason) == IDemandResponse.RecordMismatch.selector, "another error");
        }
    }

    function test_PositionsHoldBilateralTrades() external view {
        TradeWord first = TradeWordLibrary.pack(1, 2, 0, 0, 500, 1, 1, true);
        TradeWord second = TradeWordLibrary.pack(3, 1, 0, 0, 500, 1, 1, false);
        ClearingExtras memory extras;
        extras.trades = abi.encodePacked(TradeWord.unwrap(first), TradeWord.unwrap(second));
        extras.tradesWh = new uint32[](2);
        (extras.tradesWh[0], extras.tradesWh[1]) = (250, 40);
        ClearingRecord[] memory records = new ClearingRecord[](1);
        records[0] = _record(abi.encode(extras));
        bool[] memory cleared = new bool[](1);
        cleared[0] = true;
        // 300 Wh of the auction less 250 resold, and 40 from point 3.
        require(this.sumOf(records, cleared, 1) == 90, "bought, resold and bought");
        require(this.sumOf(records, cleared, 2) == 250, "bought bilaterally");
        require(this.sumOf(records, cleared, 3) == 0, "sold");
        require(this.sumOf(records, cleared, 4) == 0, "in no trade");
        require(this.read(records[0], bytes28(keccak256(abi.encode(records[0])))).tradesWh.length == 2, "trades");
    }

    function test_ReadingsBeyondThePointsDoNotCount() external view {
        bytes memory readings = new bytes(24);
        for (uint256 i = 0; i < 3; ++i) readings[8 * i + 4] = 0x80;
        require(this.pointsOf(readings, 2) == 2 && this.pointsOf(readings, 9) == 3, "points");
        uint256[] memory sums = this.addImports(readings, hex"0001");
        require(sums[0] == 1 && sums[1] == 1, "imports");
        sums = this.addImports(readings, hex"000100");
        require(sums[0] == 2 && sums[1] == 1, "all imports");
    }

    /// A band below zero leaves the lanes no price: slot by slot it is.
    function test_LanesTakeNothingUnderABandBelowZero() external pure {
        DaySteps.Run memory run;
        run.entry = 7;
        run.entryEnd = type(uint128).max;
        DayLanes.fill(run, 0, -20, -10);
        require(run.entry == 7 && run.energies == 0, "taken");
    }

    function test_GreenSalesNeedABuyer() external pure {
        uint8[] memory roots = new uint8[](1);
        // A word of the book without energy, and a seller.
        bytes memory unsold = abi.encodePacked(uint32(1 << 24), uint32(70));
        require(GreenSales.listOf(unsold, hex"0000", roots).length == 0, "nobody bought");
        bytes memory sold = abi.encodePacked(unsold, uint32(PackedEnergy.encode(-70)));
        bytes memory list = GreenSales.listOf(sold, hex"000000", roots);
        // Point 0 has no energy, so it is in no list.
        require(keccak256(list) == keccak256(hex"000000010000000046000000020080000046"), "list");
    }

    function test_EverySellersWhCountsBeforeTheNext() external view {
        uint8[] memory roots = new uint8[](1);
        // Three sellers of 1 Wh each, and a buyer of them all.
        bytes memory net = abi.encodePacked(uint32(1), uint32(1), uint32(1), uint32(PackedEnergy.encode(-3)));
        bytes memory list = GreenSales.listOf(net, hex"00000000", roots);
        for (uint32 point = 0; point < 3; ++point) {
            GreenSales.Share memory share = this.shareOf(list, point);
            require(share.from == point && share.through == point + 1, "share");
        }
    }

    function test_EndingBeforeAnEmptyPeriodLeavesThePeriodBefore() external {
        _spans.begin(10, 0);
        _spans.certify(100, 200);
        // Maintained after the certificate had ended: the latest period is empty and begins there.
        _spans.maintain(300, 0);
        _spans.end(250);
        CertifiedSpan memory span = _spans.spanAt(199);
        require(span.certified && span.untilSlot == 200, "still certified");
        require(!_spans.spanAt(200).certified && !_spans.spanAt(300).certified, "not after");
        _spans.end(150);
        require(_spans.spanAt(149).certified && !_spans.spanAt(150).certified, "cut");
    }

    function _record(bytes memory extras) private pure returns (ClearingRecord memory record) {
        record.slot = 5;
        record.prices = new int64[](1);
        record.positions = abi.encodePacked(uint32(300), uint32(PackedEnergy.encode(-300)));
        record.extras = extras;
    }
}
