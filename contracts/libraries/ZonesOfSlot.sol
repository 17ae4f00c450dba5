// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ZoneTerms} from "./MarketTypes.sol";
import {TermsWord} from "./TermsWord.sol";

/// The network of a slot as a clearing sees it, with the slot's tariffs where a backup supplier is connected.
library ZonesOfSlot {
    /// @param encoded abi.encode(GridZone[]), as the grid keeps it
    function read(bytes memory encoded, TermsWord terms) internal pure returns (ZoneTerms[] memory zones) {
        unchecked {
            int64 fee = int64(uint64(terms.fee()));
            uint256 count = _word(encoded, 1);
            zones = new ZoneTerms[](count);
            for (uint256 i = 0; i < count; ++i) {
                ZoneTerms memory zone = zones[i];
                zone.parent = uint8(_word(encoded, 4 * i + 2));
                zone.toParentWh = uint64(_word(encoded, 4 * i + 3));
                zone.fromParentWh = uint64(_word(encoded, 4 * i + 4));
                zone.fee = fee;
                uint64 capacityWh = uint64(_word(encoded, 4 * i + 5));
                if (capacityWh == 0) continue;
                zone.hasBackup = true;
                zone.backupSell = terms.importTariff();
                zone.backupBuy = terms.exportTariff();
                zone.backupCapacityWh = capacityWh;
            }
        }
    }

    function _word(bytes memory encoded, uint256 i) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(encoded, 0x20), shl(5, i)))
        }
    }
}
