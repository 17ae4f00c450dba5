// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingExtras} from "../interfaces/IAuction.sol";
import {ClearingSubmission} from "./MarketTypes.sol";

/// What only some slots have, as the record keeps it.
library RecordExtras {
    /// Empty, or abi.encode(ClearingExtras).
    /// @param green net sold Wh in green orders; empty where these do not trade apart
    function encode(
        ClearingSubmission calldata submission,
        bytes memory green,
        uint128 gapBoundNano
    ) internal pure returns (bytes memory) {
        uint256 zones = submission.green.length;
        uint256 trades = submission.tradesWh.length;
        if (zones == 0 && trades == 0 && gapBoundNano == 0) return "";
        ClearingExtras memory extras;
        extras.gapBoundNano = gapBoundNano;
        if (zones != 0) {
            extras.greenPrices = new int64[](zones);
            for (uint256 i = 0; i < zones; ++i) extras.greenPrices[i] = submission.green[i].price;
            extras.green = green;
        }
        if (trades != 0) {
            extras.trades = submission.trades;
            extras.tradesWh = new uint32[](trades);
            // A fill is at most what was registered, 24 bits.
            for (uint256 i = 0; i < trades; ++i) extras.tradesWh[i] = uint32(submission.tradesWh[i]);
        }
        return abi.encode(extras);
    }
}
