// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingBook} from "../../contracts/libraries/ClearingBook.sol";
import {ClearingLoops} from "../../contracts/libraries/ClearingLoops.sol";
import {ZoneTally} from "../../contracts/libraries/ClearingTypes.sol";
import {ZoneTallies} from "../../contracts/libraries/ZoneTallies.sol";

/// A book read word by word and run by run leaves the same: table, records of the zones, list of the words at the price.
contract BookLoopsTest {
    uint256 private constant POINTS = 6;
    uint256 private constant ZONES = 3;
    /// Of the words; the last ones are unknown.
    uint256 private constant NAMED = 5;
    uint256 private constant RECORD_BYTES = 0x380;
    uint256 private constant SIDE_BYTES = 0x160;

    struct Left {
        bytes32 table;
        bytes32 records;
        bytes32 nowhere;
        uint256[] margin;
    }

    function singles(bytes calldata book, uint256 seed) external pure returns (Left memory left) {
        (uint256 table, uint256 records, uint256 nowhere, uint256 directory) = _world(seed);
        left.margin = ClearingLoops.readSingles(book, table, directory);
        _close(left, table, records, nowhere);
    }

    function runs(bytes calldata book, uint256 seed) external pure returns (Left memory left) {
        (uint256 table, uint256 records, uint256 nowhere, uint256 directory) = _world(seed);
        left.margin = ClearingLoops.readRuns(book, table, directory);
        _close(left, table, records, nowhere);
    }

    /// As a book with a void is read: the words from `cut` on, then those before; the loop is chosen for so many points.
    function parts(
        bytes calldata book,
        uint256 seed,
        uint256 cut,
        uint256 points
    ) external pure returns (Left memory left) {
        (uint256 table, uint256 records, uint256 nowhere, uint256 directory) = _world(seed);
        uint256[] memory last = ClearingLoops.read(book[cut:], table, directory, points);
        uint256[] memory first = ClearingLoops.read(book[:cut], table, directory, points);
        left.margin = new uint256[](last.length + first.length);
        for (uint256 i = 0; i < last.length; ++i) left.margin[i] = last[i];
        for (uint256 i = 0; i < first.length; ++i) left.margin[last.length + i] = first[i];
        _close(left, table, records, nowhere);
    }

    function testFuzz_BothLoopsLeaveTheSame(uint256 seed) external view {
        (bytes memory book, uint256[] memory heads) = _book(seed);
        bytes32 expected = _hash(this.singles(book, seed));
        require(_hash(this.runs(book, seed)) == expected, "runs");
        uint256 cut = 16 * (_draw(seed, 1) % (heads.length + 1));
        require(_hash(_moved(this.parts(book, seed, cut, _draw(seed, 2) % 20))) == expected, "parts");
        require(_hash(_moved(this.parts(book, seed, cut, 0))) == expected, "parts as runs");
    }

    /// Replaced orders and cancellations too.
    function testFuzz_EveryWordIsCounted(uint256 seed) external view {
        (bytes memory book, uint256[] memory heads) = _book(seed);
        uint256[] memory words = new uint256[](POINTS);
        for (uint256 i = 0; i < heads.length; ++i) ++words[heads[i] >> 24];
        uint256[] memory counted = this.wordsOf(book, seed);
        for (uint256 i = 0; i < POINTS; ++i) require(counted[i] == words[i], "words");
    }

    function wordsOf(bytes calldata book, uint256 seed) external pure returns (uint256[] memory words) {
        (uint256 table, , , uint256 directory) = _world(seed);
        ClearingLoops.readRuns(book, table, directory);
        words = new uint256[](POINTS);
        for (uint256 i = 0; i < POINTS; ++i) {
            uint256 entry;
            assembly ("memory-safe") {
                entry := mload(add(table, shl(5, i)))
            }
            words[i] = uint32(entry >> 96);
        }
    }

    /// `parts` has two words more before its book, so the words at the price stand 64 bytes further.
    function _moved(Left memory left) private pure returns (Left memory) {
        for (uint256 i = 0; i < left.margin.length; ++i) left.margin[i] -= 64;
        return left;
    }

    function _hash(Left memory left) private pure returns (bytes32) {
        return keccak256(abi.encode(left));
    }

    function _close(Left memory left, uint256 table, uint256 records, uint256 nowhere) private pure {
        bytes32 ofTable;
        bytes32 ofRecords;
        bytes32 ofNowhere;
        assembly ("memory-safe") {
            ofTable := keccak256(table, mul(POINTS, 32))
            ofRecords := keccak256(records, mul(RECORD_BYTES, mul(ZONES, 2)))
            ofNowhere := keccak256(nowhere, RECORD_BYTES)
        }
        (left.table, left.records, left.nowhere) = (ofTable, ofRecords, ofNowhere);
    }

    /// Records of the zones and twins, and one of unknown zones, with the loop's terms (ZoneTally); the same for one seed.
    function _world(
        uint256 seed
    ) private pure returns (uint256 table, uint256 records, uint256 nowhere, uint256 directory) {
        table = ClearingBook.room(POINTS);
        ZoneTally[] memory tallies = ZoneTallies.allocate(ZONES, true);
        for (uint256 i = 0; i < tallies.length; ++i) {
            ZoneTally memory record = tallies[i];
            uint256 drawn = _draw(seed, 100 + i);
            (record.offerFloor, record.price, record.offerSpan) = _terms(drawn);
            (record.bidCap, record.gross, record.bidSpan) = _terms(drawn >> 64);
            record.bidMask = type(uint256).max;
            (record.hi, record.lo) = (type(int256).max, type(int256).max);
            (record.loFull, record.hiFull) = (type(int256).min, type(int256).min);
            record.unit = i < ZONES ? 1 << 128 : (1 << 192) + (1 << 128);
            record.bidUnit = ~record.unit + 1;
        }
        records = _at(tallies[0]);
        nowhere = _at(ClearingBook.worst());
        uint256[] memory pointers = new uint256[](4 * NAMED);
        for (uint256 i = 0; i < NAMED; ++i) {
            uint256 zone = i < ZONES ? _at(tallies[i]) : nowhere;
            uint256 twin = i < ZONES ? _at(tallies[ZONES + i]) : nowhere;
            (pointers[4 * i], pointers[4 * i + 1]) = (zone, zone + SIDE_BYTES);
            (pointers[4 * i + 2], pointers[4 * i + 3]) = (twin, twin + SIDE_BYTES);
        }
        assembly ("memory-safe") {
            directory := add(pointers, 0x20)
        }
    }

    function _at(ZoneTally memory record) private pure returns (uint256 offset) {
        assembly ("memory-safe") {
            offset := record
        }
    }

    /// Floor (or none), price and span of a side; the price may stand below the floor.
    function _terms(uint256 drawn) private pure returns (int256 floor, int256 price, uint256 span) {
        floor = drawn % 4 == 0 ? type(int256).min : int256((drawn >> 8) % 7) - 3;
        price = int256((drawn >> 16) % 9) - 4;
        unchecked {
            if (price > floor) span = uint256(price - floor);
        }
    }

    /// Words that often repeat what stands before them but for energy and price. The first has a sequence.
    function _book(uint256 seed) private pure returns (bytes memory book, uint256[] memory heads) {
        heads = new uint256[](_draw(seed, 3) % 33);
        for (uint256 i = 0; i < heads.length; ++i) {
            uint256 drawn = _draw(seed, 200 + i);
            uint256 head = (((drawn % POINTS) << 8) | (1 + ((drawn >> 8) % 3))) << 16;
            head |= (((drawn >> 16) % NAMED) << 8) | ((drawn >> 24) % 4);
            if (i != 0 && (drawn >> 32) % 3 != 0) {
                // All of it, or all but the flags or the zone.
                uint256 kind = (drawn >> 40) % 6;
                uint256 kept =
                    kind == 0
                        ? type(uint256).max << 8
                        : kind == 1
                            ? ~uint256(0xff00)
                            : type(uint256).max;
                head = (heads[i - 1] & kept) | (head & ~kept);
            }
            heads[i] = head;
            uint32 energy =
                (drawn >> 48) % 4 == 0
                    ? 0
                    : (drawn >> 48) % 4 == 1
                        ? type(uint32).max
                        : uint32(drawn >> 64);
            int40 limit = int40(int256((drawn >> 96) % 11) - 5);
            if ((drawn >> 104) % 8 == 0) limit = type(int40).max;
            if ((drawn >> 104) % 8 == 1) limit = type(int40).min;
            // Point in four bytes; sequence, zone and flags in one each.
            book = abi.encodePacked(book, uint56(head), energy, limit);
        }
    }

    function _draw(uint256 seed, uint256 salt) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, salt)));
    }
}
