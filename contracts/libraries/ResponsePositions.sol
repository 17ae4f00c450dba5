// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingExtras, ClearingRecord} from "../interfaces/IAuction.sol";
import {IDemandResponse} from "../interfaces/IDemandResponse.sol";
import {PackedEnergy} from "./PackedEnergy.sol";
import {RecordDigest} from "./RecordDigest.sol";
import {TradeWord} from "./TradeWord.sol";

/// What a point bought over a window of slots, in the auction and from others.
library ResponsePositions {
    /// What settlement pays for a surplus Wh in a zone with backup supplier, never below zero; elsewhere it pays nothing.
    struct Slot {
        bool cleared;
        uint40 surplusPrice;
        uint256 backedZones;
        /// Bilateral trades and their fills.
        bytes trades;
        uint32[] tradesWh;
    }

    /// Reads the record of a slot, which must be the accepted one. Without a clearing every position is zero.
    function read(Slot memory slot_, ClearingRecord calldata record, uint32 slot, bytes28 expected) internal pure {
        if (expected == 0) return;
        bytes28 got = RecordDigest.ofCalldata(record);
        if (got != expected) revert IDemandResponse.RecordMismatch(slot, expected, got);
        slot_.cleared = true;
        if (record.extras.length == 0) return;
        ClearingExtras memory extras = abi.decode(record.extras, (ClearingExtras));
        (slot_.trades, slot_.tradesWh) = (extras.trades, extras.tradesWh);
    }

    /// @return boughtWh of the slots in which it bought on balance
    /// @return surplusPrice the highest of all slots in its zone
    function sumOf(
        ClearingRecord[] calldata records,
        Slot[] memory window,
        uint32 point,
        uint8 zone
    ) internal pure returns (uint40 boughtWh, uint40 surplusPrice) {
        for (uint256 i = 0; i < window.length; ++i) {
            Slot memory slot = window[i];
            if ((slot.backedZones >> zone) & 1 == 1 && slot.surplusPrice > surplusPrice) {
                surplusPrice = slot.surplusPrice;
            }
            if (!slot.cleared) continue;
            int256 soldWh = PackedEnergy.positionOf(records[i].positions, point) + _tradedOf(slot, point);
            if (soldWh < 0) boughtWh += uint40(uint256(-soldWh));
        }
    }

    /// Sold less bought in bilateral trades: what it resold it did not buy.
    function _tradedOf(Slot memory slot, uint32 point) private pure returns (int256 soldWh) {
        bytes memory trades = slot.trades;
        for (uint256 i = 0; i < slot.tradesWh.length; ++i) {
            TradeWord word;
            assembly ("memory-safe") {
                word := mload(add(add(trades, 32), shl(5, i)))
            }
            if (word.seller() == point) soldWh += int256(uint256(slot.tradesWh[i]));
            else if (word.buyer() == point) soldWh -= int256(uint256(slot.tradesWh[i]));
        }
    }
}
