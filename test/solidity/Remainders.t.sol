// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../../contracts/interfaces/IClearingErrors.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";
import {BookTables} from "../../contracts/libraries/BookTables.sol";
import {BookTable} from "../../contracts/libraries/ClearingBook.sol";
import {ClearingMargin} from "../../contracts/libraries/ClearingMargin.sol";
import {PackedEnergy} from "../../contracts/libraries/PackedEnergy.sol";
import {PriceMarks} from "../../contracts/libraries/PriceMarks.sol";
import {SlotTime} from "../../contracts/libraries/SlotTime.sol";

interface Vm {
    function expectRevert(bytes calldata data) external;
    function warp(uint256 timestamp) external;
}

/// A settlement in which no slot was ever final.
contract NothingFinal {
    function finalThrough() external pure returns (uint32) {
        return 0;
    }

    function statusOf(uint32) external pure returns (ISettlement.Status status, uint32 sinceSlot, uint8 version) {
        return (status, sinceSlot, version);
    }
}

/// Guards of libraries that no contract comes to.
contract RemaindersTest {
    using PriceMarks for PriceMarks.Mark;

    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    PriceMarks.Mark private _mark;

    /// Green positions of a book of one point.
    function greenOf(int256 soldWh, int256 greenWh) external pure returns (bytes memory) {
        return BookTables.greenOf(_tableOf(soldWh, greenWh));
    }

    function test_GreenPositionsHoldWhatFits() external {
        int256 most = int256(PackedEnergy.MAX_WH);
        require(bytes4(this.greenOf(0, most)) == bytes4(uint32(uint256(most))), "sold");
        for (int256 sign = -1; sign <= 1; sign += 2) {
            int256 over = sign * (most + 1);
            VM.expectRevert(
                abi.encodeWithSelector(IClearingErrors.PositionOverflow.selector, uint256(0), over, uint256(0))
            );
            this.greenOf(0, over);
        }
    }

    function test_NothingBeyondTheTable() external pure {
        BookTable memory table = _tableOf(5, 3);
        uint256 behind;
        // Whatever stands behind the table is none of it.
        assembly ("memory-safe") {
            behind := add(mload(table), 0x20)
            mstore(behind, not(0))
        }
        require(BookTables.soldWhOf(table, 0) == 5 && BookTables.greenWhOf(table, 0) == 3, "in the table");
        require(BookTables.soldWhOf(table, 1) == 0 && BookTables.greenWhOf(table, 1) == 0, "energy beyond");
        require(BookTables.wordsOf(table, 1) == 0, "words beyond");
    }

    function test_NothingIsSharedOutOfNothing() external pure {
        uint256[4] memory noneWh;
        uint256[4] memory sharesWh = ClearingMargin.shareOut(noneWh, 0);
        for (uint256 c = 0; c < 4; ++c) require(sharesWh[c] == 0, "share");
    }

    function test_MarksLookNoFurtherThanTheRing() external {
        ISettlement settlement = ISettlement(address(new NothingFinal()));
        VM.warp((SlotTime.RING + 2) * SlotTime.SLOT_SECONDS);
        _mark.set(settlement, 0, 0);
        require(_mark.versions == keccak256(new bytes(SlotTime.RING)), "the ring");
        VM.warp((SlotTime.RING * 3) * SlotTime.SLOT_SECONDS);
        _mark.set(settlement, 0, 0);
        require(_mark.versions == keccak256(new bytes(SlotTime.RING)), "no further");
        require(_mark.holds(settlement), "holds");
    }

    function _tableOf(int256 soldWh, int256 greenWh) private pure returns (BookTable memory table) {
        table.points = 1;
        uint256 at;
        assembly ("memory-safe") {
            at := mload(0x40)
            mstore(0x40, add(at, 0x40))
            mstore(at, add(shl(128, soldWh), shl(192, greenWh)))
        }
        table.memoryOffset = at;
    }
}
