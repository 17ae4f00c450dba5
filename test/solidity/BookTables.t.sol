// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../../contracts/interfaces/IClearingErrors.sol";
import {BookTables} from "../../contracts/libraries/BookTables.sol";
import {BookTable, ClearingBook} from "../../contracts/libraries/ClearingBook.sol";
import {PackedEnergy} from "../../contracts/libraries/PackedEnergy.sol";

/// Positions are made of four points at once: they are what each point alone would be, to the last Wh and word, whatever stands beside it.
contract BookTablesTest {
    struct Point {
        int256 soldWh;
        int256 greenWh;
        uint256 words;
    }

    int256 private constant MOST = int256(PackedEnergy.MAX_WH);

    function positionsOf(Point[] memory points, uint256 room) external pure returns (bytes memory) {
        return BookTables.positionsOf(_tableOf(points, room));
    }

    function testFuzz_PositionsAreThoseOfEachPoint(uint256 seed) external view {
        Point[] memory points = _points(seed);
        bytes memory got = this.positionsOf(points, points.length + (_draw(seed, 1) % 9));
        bytes memory expected;
        uint256 last;
        for (uint256 i = 0; i < points.length; ++i) if (_entryOf(points[i]) != 0) last = i + 1;
        for (uint256 i = 0; i < last; ++i)
            expected = abi.encodePacked(
                expected,
                uint32(PackedEnergy.encode(points[i].soldWh) | (points[i].words << 24))
            );
        require(keccak256(got) == keccak256(expected), "positions");
    }

    function testFuzz_WhatDoesNotFitIsRefused(uint256 seed) external view {
        Point[] memory points = _points(seed);
        uint256 i = _draw(seed, 2) % points.length;
        uint256 kind = _draw(seed, 3) % 4;
        uint256 more = _draw(seed, 4) % 3 == 0 ? 1 : 1 + (_draw(seed, 5) % 2 ** 40);
        if (kind == 0) points[i].soldWh = MOST + int256(more);
        else if (kind == 1) points[i].soldWh = -MOST - int256(more);
        else points[i].words = PackedEnergy.MAX_WORDS + (kind == 2 ? 1 : 1 + (more % 2 ** 20));
        try this.positionsOf(points, points.length) returns (bytes memory) {
            revert("accepted");
        } catch (bytes memory reason) {
            bytes memory expected = abi.encodeWithSelector(
                IClearingErrors.PositionOverflow.selector,
                i,
                points[i].soldWh,
                points[i].words
            );
            require(keccak256(reason) == keccak256(expected), "another error");
        }
    }

    /// Edges more often than not.
    function _points(uint256 seed) private pure returns (Point[] memory points) {
        points = new Point[](1 + (seed % 11));
        for (uint256 i = 0; i < points.length; ++i) {
            uint256 drawn = _draw(seed, 10 + i);
            if (drawn % 5 == 0) continue;
            points[i].words = (drawn >> 8) % 3 == 0 ? PackedEnergy.MAX_WORDS : 1 + ((drawn >> 16) % 127);
            points[i].soldWh = (drawn >> 24) % 3 == 0 ? MOST : int256((drawn >> 32) % (PackedEnergy.MAX_WH + 1));
            if ((drawn >> 64) % 2 == 0) points[i].soldWh = -points[i].soldWh;
            if ((drawn >> 72) % 2 == 0) points[i].greenWh = -points[i].soldWh;
        }
    }

    function _tableOf(Point[] memory points, uint256 room) private pure returns (BookTable memory table) {
        table.points = room;
        table.memoryOffset = ClearingBook.room(room);
        for (uint256 i = 0; i < points.length; ++i) {
            uint256 entry = _entryOf(points[i]);
            uint256 at_ = table.memoryOffset + 32 * i;
            assembly ("memory-safe") {
                mstore(at_, entry)
            }
        }
        // What follows the table is none of it.
        bytes memory behind = new bytes(64);
        behind[0] = behind[63] = 0xff;
    }

    /// As the book's loop leaves it: sums are added as one integer.
    function _entryOf(Point memory point) private pure returns (uint256 entry) {
        unchecked {
            entry = uint256(point.greenWh << 192) + uint256(point.soldWh << 128) + (point.words << 96);
            if (point.words != 0) entry |= 1 + (point.words % 15);
        }
    }

    function _draw(uint256 seed, uint256 salt) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, salt)));
    }
}
