// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "../../contracts/interfaces/IAuction.sol";
import {SlotToSettle} from "../../contracts/interfaces/ISettlement.sol";
import {PackedReadings} from "../../contracts/libraries/PackedReadings.sol";
import {RecordDigest} from "../../contracts/libraries/RecordDigest.sol";
import {RecordImage} from "../../contracts/libraries/RecordImage.sol";
import {Packing} from "./support/Packing.sol";

/// What `settlePacked` unpacks is what was packed, whatever fits or does not, and for any number of points.
contract PackedSlotsTest {
    function unpackReadings(
        bytes calldata packed,
        uint256 points
    ) external pure returns (bytes memory buffer, bytes32 hash, uint256 length, bool measured) {
        buffer = PackedReadings.room(points);
        uint256 from;
        assembly ("memory-safe") {
            from := packed.offset
        }
        (hash, length, measured) = PackedReadings.unpackTo(from, buffer, points);
        length -= from;
    }

    /// One record after the other in the same room.
    function unpackRecords(
        bytes[] calldata packed,
        uint32 slot
    ) external pure returns (ClearingRecord[] memory records, bytes28[] memory digests) {
        records = new ClearingRecord[](packed.length);
        digests = new bytes28[](packed.length);
        RecordImage.Room memory room;
        for (uint256 i = 0; i < packed.length; ++i) {
            bytes calldata own = packed[i];
            uint256 from;
            assembly ("memory-safe") {
                from := add(own.offset, 1)
            }
            uint256 end = RecordImage.unpack(room, slot, uint8(own[0]) == 2, from);
            require(end == from + own.length - 1, "record ends elsewhere");
            digests[i] = room.digest;
            records[i] = abi.decode(abi.encode(room.record), (ClearingRecord));
        }
    }

    function copyRecord(ClearingRecord calldata record) external pure returns (bytes28 digest, bytes memory encoded) {
        RecordImage.Room memory room;
        RecordImage.copy(room, record);
        return (room.digest, abi.encode(room.record));
    }

    function testFuzz_Readings(uint256 seed, uint8 points_, uint8 given_) external view {
        uint256 points = uint256(points_) % 90;
        uint256 given = uint256(given_) % 90;
        bytes memory readings = _readings(seed, given);
        bytes memory packed = Packing.readings(readings, seed);
        (bytes memory buffer, bytes32 hash, uint256 length, bool measured) = this.unpackReadings(packed, points);
        require(hash == keccak256(readings), "hash");
        require(length == packed.length, "readings end elsewhere");
        require(buffer.length == points * 8, "length");
        for (uint256 i = 0; i < points * 8; ++i) {
            if (i < readings.length) require(buffer[i] == readings[i], "reading");
            else if (i % 8 == 0) require(uint8(buffer[i]) >> 6 == 3, "missing");
            if (measured) require(i < readings.length && (i % 8 != 0 || uint8(buffer[i]) >> 6 == 0), "not measured");
        }
    }

    function test_ReadingsBeyondTheirNumberDoNotCount() external view {
        bytes memory packed = abi.encodePacked(hex"01000000010001", new bytes(32), uint32(1), uint64(5));
        (, bytes32 hash, uint256 length, bool measured) = this.unpackReadings(packed, 1);
        require(hash == keccak256(new bytes(8)) && length == packed.length && !measured, "beyond");
    }

    function testFuzz_Records(uint248 seed, uint8 given) external view {
        bytes[] memory packed = new bytes[](3);
        ClearingRecord[] memory records = new ClearingRecord[](3);
        for (uint256 i = 0; i < 3; ++i) {
            records[i] = _record(uint256(keccak256(abi.encode(seed, i))), uint256(given) % 90);
            if (i != 0 && seed % 2 == 0) records[i].clearer = records[i - 1].clearer;
            SlotToSettle[] memory one = new SlotToSettle[](1);
            one[0].record = records[i];
            bytes memory all = Packing.slots(one, uint256(seed) + i);
            // Behind the head of one slot, no readings and the root.
            uint256 from =
                10 +
                    Packing
                        .readings("", uint256(keccak256(abi.encode(uint256(seed) + i, uint256(0), uint256(1)))))
                        .length +
                    32;
            if (i != 0 && seed % 2 == 0) {
                from += 20;
                all[from] = 0x02;
            }
            packed[i] = _slice(all, from);
        }
        (ClearingRecord[] memory got, bytes28[] memory digests) = this.unpackRecords(packed, records[0].slot);
        for (uint256 i = 0; i < 3; ++i) {
            require(keccak256(abi.encode(got[i])) == keccak256(abi.encode(records[i])), "record");
            require(digests[i] == bytes28(keccak256(abi.encode(records[i]))), "digest");
            (bytes28 digest, bytes memory encoded) = this.copyRecord(records[i]);
            require(digest == digests[i] && keccak256(encoded) == keccak256(abi.encode(records[i])), "copy");
        }
    }

    function test_PositionsBeyondTheirNumberDoNotCount() external view {
        ClearingRecord memory record;
        record.positions = hex"01000007";
        bytes memory packed = abi.encodePacked(
            hex"01",
            new bytes(20 + 48),
            hex"0000",
            hex"0100000001010001",
            uint256(7) << 240,
            uint32(1),
            uint32(9),
            uint32(0)
        );
        bytes[] memory one = new bytes[](1);
        one[0] = packed;
        (, bytes28[] memory digests) = this.unpackRecords(one, 0);
        require(digests[0] == bytes28(keccak256(abi.encode(record))), "beyond");
    }

    /// Most are of one direction and small, some are not.
    function _readings(uint256 seed, uint256 count) private pure returns (bytes memory readings) {
        for (uint256 i = 0; i < count; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i, 3)));
            uint256 raw = (random >> 16) % 2 ** (5 + (random % 8));
            if (random & 256 != 0) raw <<= 31;
            if ((random >> 9) % 8 == 0 && seed % 2 == 0) raw = random >> 192;
            readings = abi.encodePacked(readings, uint64(raw));
        }
    }

    function _record(uint256 seed, uint256 count) private pure returns (ClearingRecord memory record) {
        record.slot = 1_234_567;
        record.clearer = address(uint160(seed | 1));
        record.prices = new int64[](seed % 4);
        for (uint256 i = 0; i < record.prices.length; ++i)
            record.prices[i] = int64(uint64(uint256(keccak256(abi.encode(seed, i, 4)))));
        record.backupSoldWh = uint64(seed >> 8);
        record.backupBoughtWh = uint64(seed >> 72);
        record.backupNano = int128(uint128(seed >> 64));
        record.congestionNano = int128(uint128(seed >> 128));
        for (uint256 i = 0; i < count; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i, 5)));
            uint256 raw = ((random >> 8) % 2 ** (4 + (random % 13))) | ((random >> 100) % 2 << 31);
            if (random & 128 != 0) raw |= (random >> 120) % 128 << 24;
            record.positions = abi.encodePacked(record.positions, uint32(raw | (((seed >> 8) % 3) << 24)));
        }
        if (seed % 3 == 0) record.extras = abi.encodePacked(seed, bytes7(uint56(seed)));
    }

    function _slice(bytes memory data, uint256 from) private pure returns (bytes memory part) {
        part = new bytes(data.length - from);
        for (uint256 i = 0; i < part.length; ++i) part[i] = data[from + i];
    }
}
