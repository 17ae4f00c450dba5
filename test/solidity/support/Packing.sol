// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "../../../contracts/interfaces/IAuction.sol";
import {SlotToSettle} from "../../../contracts/interfaces/ISettlement.sol";

/// Packs slots as `ISettlement.settlePacked` reads them, byte by byte.
library Packing {
    /// The seed decides whether readings and positions are packed point by point, and which of those that would fit are others.
    function slots(SlotToSettle[] memory given, uint256 seed) internal pure returns (bytes memory packed) {
        bytes memory all;
        bytes memory records;
        address clearer;
        for (uint256 i = 0; i < given.length; ++i) {
            packed = bytes.concat(packed, bytes4(given[i].record.slot));
            all = bytes.concat(all, readings(given[i].readings, uint256(keccak256(abi.encode(seed, i, 1)))));
            bytes memory own = hex"00";
            ClearingRecord memory record = given[i].record;
            if (record.clearer != address(0)) {
                bytes memory head = abi.encodePacked(uint8(1), record.clearer);
                if (clearer == record.clearer && seed % 2 == 0) head = hex"02";
                clearer = record.clearer;
                own = bytes.concat(head, _record(record, uint256(keccak256(abi.encode(seed, i, 2)))));
            }
            records = bytes.concat(records, given[i].root, own);
        }
        return bytes.concat(bytes2(uint16(given.length)), bytes4(uint32(all.length)), packed, all, records);
    }

    function readings(bytes memory given, uint256 seed) internal pure returns (bytes memory) {
        uint256 count = given.length / 8;
        if (seed % 3 == 0) return abi.encodePacked(uint8(0), uint32(count), given);
        bytes memory narrow = new bytes(((count + 19) / 20) * 32);
        bytes memory others;
        uint256 amount;
        for (uint256 point = 0; point < count; ++point) {
            uint256 raw = _word(given, point * 8, 8);
            uint256 short = raw >> 31;
            if (raw < 2 ** 11) short = raw;
            else if (raw % 2 ** 31 == 0 && short < 2 ** 11) short += 2 ** 11;
            else short = 2 ** 12;
            if (short == 2 ** 12 || _chosen(seed, point)) {
                others = abi.encodePacked(others, uint32(point), uint64(raw));
                ++amount;
                continue;
            }
            // Four columns of 64 bits, five rows each.
            uint256 at_ = point % 20;
            _put(narrow, (point / 20) * 256 + (at_ % 4) * 64 + 4 + (at_ / 4) * 12, 12, short);
        }
        return abi.encodePacked(uint8(1), uint32(count), uint16(amount), narrow, others);
    }

    function positions(bytes memory given, uint256 seed) internal pure returns (bytes memory) {
        uint256 count = given.length / 4;
        if (seed % 3 == 0) return abi.encodePacked(uint8(0), uint32(given.length), given);
        bytes memory narrow = new bytes(((count + 15) / 16) * 32);
        bytes memory others;
        uint256 amount;
        uint256 words = (seed >> 8) % 3;
        for (uint256 point = 0; point < count; ++point) {
            uint256 raw = _word(given, point * 4, 4);
            if (raw % 2 ** 24 >= 2 ** 15 || (raw >> 24) % 128 != words || _chosen(seed, point)) {
                others = abi.encodePacked(others, uint32(point), uint32(raw));
                ++amount;
                continue;
            }
            // Eight columns of 32 bits, two rows each.
            uint256 at_ = point % 16;
            _put(
                narrow,
                (point / 16) * 256 + (at_ % 8) * 32 + (at_ / 8) * 16,
                16,
                ((raw >> 31) << 15) | (raw % 2 ** 15)
            );
        }
        return abi.encodePacked(uint8(1), uint32(count), uint8(words), uint16(amount), narrow, others);
    }

    function _record(ClearingRecord memory record, uint256 seed) private pure returns (bytes memory packed) {
        packed = abi.encodePacked(
            record.backupSoldWh,
            record.backupBoughtWh,
            record.backupNano,
            record.congestionNano,
            uint16(record.prices.length)
        );
        for (uint256 i = 0; i < record.prices.length; ++i) packed = abi.encodePacked(packed, record.prices[i]);
        packed = bytes.concat(packed, positions(record.positions, seed));
        return abi.encodePacked(packed, uint32(record.extras.length), record.extras);
    }

    function _chosen(uint256 seed, uint256 point) private pure returns (bool) {
        return uint256(keccak256(abi.encode(seed, point))) % 7 == 0;
    }

    function _word(bytes memory data, uint256 at_, uint256 length) private pure returns (uint256 word) {
        for (uint256 i = 0; i < length; ++i) word = (word << 8) | uint8(data[at_ + i]);
    }

    /// Writes so many bits from bit `at_` on.
    function _put(bytes memory data, uint256 at_, uint256 bits, uint256 value) private pure {
        for (uint256 i = 0; i < bits; ++i) {
            if ((value >> (bits - 1 - i)) % 2 == 0) continue;
            uint256 bit = at_ + i;
            data[bit / 8] |= bytes1(uint8(128 >> (bit % 8)));
        }
    }
}
