// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "../interfaces/IAuction.sol";
import {IDemandResponse} from "../interfaces/IDemandResponse.sol";
import {PackedEnergy} from "./PackedEnergy.sol";
import {RecordDigest} from "./RecordDigest.sol";

/// What a point bought in the auction over a window of slots.
library ResponsePositions {
    /// What settlement pays for a surplus Wh in a zone with backup supplier, never below zero; elsewhere it pays nothing.
    struct Slot {
        bool cleared;
        uint40 surplusPrice;
        uint256 backedZones;
    }

    /// Whether the slot was cleared; then the record must be the accepted one.
    function isCleared(ClearingRecord calldata record, uint32 slot, bytes28 expected) internal pure returns (bool) {
        if (expected == 0) return false;
        bytes28 got = RecordDigest.ofCalldata(record);
        if (got != expected) revert IDemandResponse.RecordMismatch(slot, expected, got);
        return true;
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
            int256 soldWh = PackedEnergy.positionOf(records[i].positions, point);
            if (soldWh < 0) boughtWh += uint40(uint256(-soldWh));
        }
    }
}
