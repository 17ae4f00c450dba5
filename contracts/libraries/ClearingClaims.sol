// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../interfaces/IClearingErrors.sol";
import {BookTable} from "./ClearingBook.sol";
import {ClearingMargin} from "./ClearingMargin.sol";
import {ZoneTally} from "./ClearingTypes.sol";
import {ClearingPart, GroupClaim} from "./PartTypes.sol";

/// Shares marginal totals out as ClearingMargin does, word by word while a book is read from its end, before all of its words at the
/// price are known: what must be known of them is claimed, and checked after the last.
library ClearingClaims {
    uint256 private constant GROUPS = 5;

    /// Fills the words at the price of one part.
    /// @param margin calldata offsets, the last appended first
    /// @param seen per group: words, Wh and floors so far
    function fill(
        ClearingPart calldata part,
        BookTable memory table,
        ZoneTally[] memory zones,
        uint256 count,
        uint256[] memory margin,
        uint256[] memory seen
    ) internal pure {
        unchecked {
            (uint256[] memory totals, bool[] memory byClass) = _totals(part, zones, count);
            for (uint256 i = 0; i < margin.length; ++i) {
                uint256 word;
                uint256 at = margin[i];
                assembly ("memory-safe") {
                    word := calldataload(at)
                }
                uint256 record = (word >> 208) & 0xff;
                uint256 flags = (word >> 200) & 0xff;
                if (flags & 2 != 0 && zones.length != count) record += count;
                uint256 group = GROUPS * record;
                if (flags & 1 == 0) group += 1 + (byClass[record] ? (flags >> 2) & 3 : 0);
                uint256 share = _take(part.claims[group], totals[group], group, (word >> 168) & 0xffffffff, seen);
                share *= flags & 1 != 0 ? zones[record].unit : zones[record].bidUnit;
                uint256 entry = table.memoryOffset + ((word >> 224) << 5);
                assembly ("memory-safe") {
                    mstore(entry, add(mload(entry), share))
                }
            }
        }
    }

    /// Whether the words were what was claimed of them. [48]
    function check(
        ClearingPart calldata part,
        ZoneTally[] memory zones,
        uint256 count,
        uint256[] memory seen
    ) internal pure {
        (uint256[] memory totals, ) = _totals(part, zones, count);
        for (uint256 group = 0; group < totals.length; ++group) {
            GroupClaim calldata claim = part.claims[group];
            uint256 restWh = totals[group] == claim.availableWh ? 0 : totals[group] - seen[3 * group + 2];
            if (seen[3 * group] != claim.words || seen[3 * group + 1] != claim.availableWh || restWh != claim.restWh)
                revert IClearingErrors.WrongClaim(group);
        }
    }

    /// Wh of one word: floor(energy x total / available), and one more for the first of its group by order of append.
    function _take(
        GroupClaim calldata claim,
        uint256 totalWh,
        uint256 group,
        uint256 energyWh,
        uint256[] memory seen
    ) private pure returns (uint256 share) {
        unchecked {
            uint256 before = seen[3 * group];
            if (before >= claim.words) revert IClearingErrors.WrongClaim(group); // [48]
            seen[3 * group] = before + 1;
            seen[3 * group + 1] += energyWh;
            if (totalWh == claim.availableWh) return energyWh;
            if (claim.availableWh == 0) revert IClearingErrors.WrongClaim(group); // [48]
            share = (energyWh * totalWh) / claim.availableWh;
            seen[3 * group + 2] += share;
            if (claim.words - 1 - before < claim.restWh) ++share;
        }
    }

    /// Wh that each group gets of its record's posted total.
    function _totals(
        ClearingPart calldata part,
        ZoneTally[] memory zones,
        uint256 count
    ) private pure returns (uint256[] memory totals, bool[] memory byClass) {
        totals = new uint256[](GROUPS * zones.length);
        byClass = new bool[](zones.length);
        for (uint256 i = 0; i < zones.length; ++i) {
            uint256 bidWh;
            if (i < count) {
                totals[GROUPS * i] = part.submission.postings[i].marginalOfferWh;
                bidWh = part.submission.postings[i].marginalBidWh;
            } else {
                totals[GROUPS * i] = part.submission.green[i - count].marginalOfferWh;
                bidWh = part.submission.green[i - count].marginalBidWh;
            }
            uint256[4] memory availableWh;
            uint256 sum;
            uint256 present;
            for (uint256 c = 0; c < 4; ++c) {
                availableWh[c] = part.claims[GROUPS * i + 1 + c].availableWh;
                sum += availableWh[c];
                if (availableWh[c] != 0) ++present;
            }
            // The cap is turned while the book is read.
            byClass[i] = bidWh != 0 && bidWh < sum && zones[i].bidCap == ~type(int256).max;
            if (!byClass[i] || bidWh > sum) {
                totals[GROUPS * i + 1] = bidWh;
                continue;
            }
            uint256[4] memory shares = ClearingMargin.shareOut(availableWh, bidWh);
            for (uint256 c = 0; c < 4; ++c)
                totals[GROUPS * i + 1 + c] = present == 1 && availableWh[c] != 0 ? bidWh : shares[c];
        }
    }
}
