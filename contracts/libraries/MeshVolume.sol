// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {MeshIsland} from "./MeshPrices.sol";
import {ZoneTerms} from "./MarketTypes.sol";
import {ZoneTally} from "./ClearingTypes.sol";

/// Volume on a meshed network: within each zone no more could be traded at its price, and the backup is last. Where no
/// limit is tight, the same holds for each whole island, as on a radial network.
library MeshVolume {
    // What a zone has left at its price, bits of a set.
    uint256 private constant OFFER_LEFT = 1;
    uint256 private constant BID_LEFT = 2;
    uint256 private constant BACKUP_OFFER_LEFT = 4;
    uint256 private constant BACKUP_BID_LEFT = 8;
    uint256 private constant BACKUP_SOLD = 16;
    uint256 private constant BACKUP_BOUGHT = 32;
    uint256 private constant GREEN_OFFER_LEFT = 64;
    uint256 private constant GREEN_BID_LEFT = 128;

    /// @param free no limit is tight
    function check(
        ZoneTerms[] memory terms,
        ZoneTally[] memory zones,
        MeshIsland[] memory islands,
        bool free
    ) internal pure {
        unchecked {
            uint256 count = terms.length;
            for (uint256 z = 0; z < count; ++z) {
                MeshIsland memory island = islands[zones[z].root];
                uint256 left = _leftOf(terms[z], zones[z]);
                if (zones.length != count) left |= _greenLeftOf(zones[count + z], island);
                if (free) island.left |= left;
                else _refuse(left, z);
            }
            if (!free) return;
            for (uint256 z = 0; z < count; ++z) _refuse(islands[z].left, z);
        }
    }

    function _leftOf(ZoneTerms memory term, ZoneTally memory zone) private pure returns (uint256 left) {
        unchecked {
            if (zone.offerFilledWh < zone.offerMarginWh) left = OFFER_LEFT;
            if (zone.bidFilledWh < zone.bidMarginWh) left |= BID_LEFT;
            if (!term.hasBackup) return left;
            if (zone.price == int256(term.backupSell) - term.fee) {
                if (zone.backupSoldWh < term.backupCapacityWh) left |= BACKUP_OFFER_LEFT;
                if (zone.backupSoldWh != 0) left |= BACKUP_SOLD;
            }
            if (zone.price == term.backupBuy) {
                if (zone.backupBoughtWh < term.backupCapacityWh) left |= BACKUP_BID_LEFT;
                if (zone.backupBoughtWh != 0) left |= BACKUP_BOUGHT;
            }
        }
    }

    /// Without a premium a green offer serves any bid; a green-only bid takes any offer while the green balance has slack.
    function _greenLeftOf(ZoneTally memory twin, MeshIsland memory island) private pure returns (uint256 left) {
        if (twin.offerFilledWh < twin.offerMarginWh) {
            left = GREEN_OFFER_LEFT;
            if (island.gamma == 0) left |= OFFER_LEFT;
        }
        if (twin.bidFilledWh < twin.bidMarginWh) {
            left |= GREEN_BID_LEFT;
            if (island.gamma == 0 && island.greenSlackWh != 0) left |= BID_LEFT;
        }
    }

    function _refuse(uint256 left, uint256 zone) private pure {
        if (
            (left & BID_LEFT != 0 && left & (OFFER_LEFT | BACKUP_OFFER_LEFT) != 0) ||
            (left & BACKUP_BID_LEFT != 0 && left & OFFER_LEFT != 0) ||
            (left & GREEN_BID_LEFT != 0 && left & GREEN_OFFER_LEFT != 0)
        ) revert IClearingErrors.VolumeNotMaximal(zone); // [67]
        if ((left & BACKUP_SOLD != 0 && left & OFFER_LEFT != 0) || (left & BACKUP_BOUGHT != 0 && left & BID_LEFT != 0))
            revert IClearingErrors.BackupNotLast(zone); // [67]
    }
}
