// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {BalancePages} from "../../contracts/libraries/BalancePages.sol";
import {MarginPages} from "../../contracts/libraries/MarginPages.sol";
import {ReplayPages} from "../../contracts/libraries/ReplayPages.sol";
import {StatusRing} from "../../contracts/libraries/StatusRing.sol";
import {ISettlement} from "../../contracts/interfaces/ISettlement.sol";

/// Packed storage against plain storage: no neighbour is ever touched.
contract PagesTest {
    using BalancePages for mapping(uint256 => uint256);

    mapping(uint256 => uint256) private _balances;
    mapping(uint256 => int128) private _plain;
    mapping(uint256 => uint256) private _statuses;

    function addAll(uint32 first, int128[] calldata deltas) external returns (int256) {
        return _balances.addAll(first, deltas);
    }

    function testFuzz_Balances(uint16 first, int96[7] calldata deltas, uint8 length) external {
        int128[] memory list = new int128[](uint256(length) % 8);
        for (uint256 round = 0; round < 3; ++round) {
            int256 sum;
            uint32 from = uint32(first) + uint32(round);
            for (uint256 i = 0; i < list.length; ++i) {
                list[i] = i < 7 && (first >> i) & 1 == 0 ? deltas[i] : int128(0);
                sum += list[i];
                _plain[from + i] += list[i];
            }
            require(this.addAll(from, list) == sum, "sum");
        }
        for (uint32 i = 0; i < 12; ++i) {
            uint32 account = uint32(first) + i;
            require(_balances.get(account) == _plain[account], "balance");
            if (account != 0) require(_balances.get(account - 1) == _plain[account - 1], "neighbour");
        }
    }

    function testFuzz_Sequences(uint256 page, uint256 point, uint8 sequence, uint8 next) external pure {
        point %= 1 << 32;
        sequence %= 16;
        uint256 slot = page % (1 << 24);
        uint256 before = ReplayPages.inLap(page, slot);
        uint256 written = ReplayPages.withSequence(before, ReplayPages.shiftOf(point, slot), sequence);
        require(ReplayPages.sequenceOf(written, point, slot) == sequence, "sequence");
        for (uint256 other = 0; other < 31; ++other) {
            uint256 neighbour = slot ^ 1;
            require(_same(written, before, other, neighbour), "other slot");
            if (other != point % 31) require(_same(written, before, other, slot), "other point");
        }
        require(ReplayPages.inLap(written, slot) == written, "same lap");
        require(ReplayPages.inLap(written, slot ^ 1) == written, "same lap");
        require(ReplayPages.sequenceOf(ReplayPages.inLap(written, slot + 256), point, slot) == 0, "next lap");
        require(
            ReplayPages.isAhead(written, ReplayPages.shiftOf(point, slot), next) == (next > sequence && next <= 15),
            "window"
        );
    }

    function _same(uint256 a, uint256 b, uint256 point, uint256 slot) private pure returns (bool) {
        return ReplayPages.sequenceOf(a, point, slot) == ReplayPages.sequenceOf(b, point, slot);
    }

    function testFuzz_Margins(uint256 page, uint256 point, uint24 through, uint8 raises) external pure {
        point %= 1 << 32;
        uint256 written = MarginPages.withThrough(page, point, through, raises);
        (uint32 got, bool current) = MarginPages.throughOf(written, point, raises);
        require(got == through && current, "entry");
        for (uint256 other = 0; other < 8; ++other) {
            if (other == point % 8) continue;
            (uint32 a, ) = MarginPages.throughOf(written, other, 0);
            (uint32 b, ) = MarginPages.throughOf(page, other, 0);
            require(a == b, "other");
        }
    }

    function testFuzz_Statuses(uint24 slot, uint24 since, uint8 version, bool settled) external {
        ISettlement.Status status = settled ? ISettlement.Status.Settled : ISettlement.Status.Estimated;
        StatusRing.set(_statuses, slot, status, since, version);
        (ISettlement.Status got, uint32 gotSince, uint8 gotVersion) = StatusRing.get(_statuses, slot);
        require(got == status && gotSince == since && gotVersion == version, "entry");
        (got, , ) = StatusRing.get(_statuses, uint32(slot) + 256);
        require(got == ISettlement.Status.Open, "older lap reads as open");
    }
}
