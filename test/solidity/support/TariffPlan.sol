// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ClearingRecord} from "../../../contracts/interfaces/IAuction.sol";
import {IDynamicTariffs} from "../../../contracts/interfaces/IDynamicTariffs.sol";
import {ITariffs} from "../../../contracts/interfaces/ITariffs.sol";
import {TariffParameters} from "../../../contracts/libraries/DynamicPricing.sol";
import {SlotTerms} from "../../../contracts/libraries/MarketTypes.sol";
import {Roles} from "./Producers.sol";
import {Stand} from "./Stand.sol";

/// Tariffs and dynamic tariffs, the real ones, before a market that is made here: clearings, finality and a committee of one node.
abstract contract TariffPlan is Stand {
    uint32 internal constant SLOTS_PER_DAY = 96;
    uint32 internal constant RING = 256;
    uint32 public constant START = 20_484 * SLOTS_PER_DAY;
    int40 public constant HIGHEST_IMPORT = 1_000_000;
    int40 public constant LOWEST_EXPORT = -200_000;
    int40 public constant LOWEST_PRICE = -500_000;
    int40 public constant HIGHEST_PRICE = 2_000_000;
    uint256 private constant NODE_KEY = 0xda7a;

    ITariffs public tariffs;
    IDynamicTariffs public dynamicTariffs;
    uint32 public finalThrough;
    bytes32 private _domain;
    /// What a slot's clearing says: bought and sold Wh of two points, and rent; one bit more where it was cleared.
    mapping(uint32 slot => uint256) internal _clearings;

    constructor() {
        VM.warp(uint256(START) * SLOT_SECONDS);
        finalThrough = START - 98;
    }

    function begin() external {
        if (address(tariffs) != address(0)) return;
        Roles access = Roles(_deploy("MarketAccess.sol:MarketAccess", abi.encode(address(this))));
        address rule = _next(1);
        bytes memory bounds = abi.encode(HIGHEST_IMPORT, LOWEST_EXPORT, LOWEST_PRICE, HIGHEST_PRICE, 0, 0);
        tariffs = ITariffs(
            _deploy("Tariffs.sol:Tariffs", bytes.concat(abi.encode(access), bounds, abi.encode(address(this), rule)))
        );
        address self = address(this);
        dynamicTariffs = IDynamicTariffs(
            _deploy("DynamicTariffs.sol:DynamicTariffs", abi.encode(access, tariffs, self, self))
        );
        require(address(dynamicTariffs) == rule, "address of the dynamic tariffs");
        bytes4[] memory one = new bytes4[](1);
        one[0] = ITariffs.publish.selector;
        access.setTargetFunctionRole(address(tariffs), one, 9);
        bytes4[] memory two = new bytes4[](2);
        (two[0], two[1]) = (IDynamicTariffs.announce.selector, IDynamicTariffs.switchOff.selector);
        access.setTargetFunctionRole(rule, two, 1);
        access.grantRole(9, self, 0);
        access.grantRole(9, rule, 0);
        access.grantRole(1, self, 0);
        _domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("DAEG"),
                keccak256("1"),
                block.chainid,
                rule
            )
        );
    }

    function settlement() external view returns (address) {
        return address(this);
    }

    function committee() external pure returns (address[] memory nodes, uint8 faults, uint256 quorum) {
        nodes = new address[](1);
        nodes[0] = VM.addr(NODE_KEY);
        return (nodes, 0, 1);
    }

    function clearingOf(uint32 slot) external view returns (bytes28) {
        return _clearings[slot] == 0 ? bytes28(0) : bytes28(keccak256(abi.encode(recordOf(slot))));
    }

    function recordOf(uint32 slot) public view returns (ClearingRecord memory record) {
        uint256 word = _clearings[slot];
        (record.slot, record.clearer) = (slot, address(this));
        record.positions = abi.encodePacked(uint32(boughtIn(slot) | (1 << 31)), uint32(soldIn(slot)));
        record.congestionNano = int128(uint128((word >> 48) & 0xffffffffff));
    }

    function boughtIn(uint32 slot) public view returns (uint256) {
        return _clearings[slot] & 0xfffff;
    }

    function soldIn(uint32 slot) public view returns (uint256) {
        return (_clearings[slot] >> 24) & 0xfffff;
    }

    function rentIn(uint32 slot) public view returns (uint256) {
        return (_clearings[slot] >> 48) & 0xffffffffff;
    }

    /// Time goes on; what starts was cleared or not.
    function _goOn(uint32 slots, uint256 seed) internal {
        uint32 current = uint32(block.timestamp / SLOT_SECONDS);
        for (uint32 slot = current + 1; slot <= current + slots; ++slot) {
            uint256 word = uint256(keccak256(abi.encode(seed, slot)));
            // Amounts of every size, nothing among them.
            word = (word & ~uint256(0xfffff000)) >> (word >> 252 == 1 ? 40 : 0);
            _clearings[slot] = word % 4 == 0 ? 0 : (word & ((1 << 88) - 1)) | (1 << 88);
        }
        _warp(uint256(current + slots) * SLOT_SECONDS);
    }

    function _signed(uint32 day, uint8 version, bytes24 percents) internal view returns (bytes memory) {
        bytes32 type_ = keccak256("Weather(uint32 day,uint8 version,bytes24 percentByHour)");
        bytes32 content = keccak256(abi.encode(type_, day, version, percents));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", _domain, content));
        (uint8 v, bytes32 r, bytes32 s) = VM.sign(NODE_KEY, digest);
        return abi.encodePacked(uint8(0), r, uint256(s) | (uint256(v - 27) << 255));
    }

    /// Any parameters that `announce` takes.
    function _parametersOf(uint256 seed) internal pure returns (TariffParameters memory p) {
        p.fee = uint32(_draw(seed, 1) % 30_000);
        p.importMin = int40(int256(_draw(seed, 2) % 400_000));
        p.importMax = p.importMin + int40(int256(_draw(seed, 3) % 300_000));
        int256 highest = int256(p.importMin) - int256(uint256(p.fee)) - 1;
        p.exportMin = int40(highest - int256(_draw(seed, 4) % uint256(highest - LOWEST_EXPORT + 1)));
        p.exportMax = p.exportMin + int40(int256(_draw(seed, 5) % 300_000));
        p.maxChange = uint32(_draw(seed, 6) % 40_000);
        p.bandMin = int40(int256(_draw(seed, 7) % 300_000)) - 300_000;
        p.bandMax = int40(int256(_draw(seed, 8) % 900_000));
        p.importPerScarcity = _sensitivity(seed, 9);
        p.exportPerScarcity = _sensitivity(seed, 10);
        p.importPerCongestion = _sensitivity(seed, 11);
        p.exportPerCongestion = _sensitivity(seed, 12);
        p.importPerWeather = _sensitivity(seed, 13);
        p.exportPerWeather = _sensitivity(seed, 14);
        p.fullRent = uint32(_draw(seed, 15) % 1_000_000);
        p.utcOffsetQuarters = int8(int256(_draw(seed, 16) % 97)) - 48;
        p.stepSlots = [uint8(2), 4, 8, 12, 16, 24][_draw(seed, 17) % 6];
        p.leadSlots = uint8(1 + (_draw(seed, 18) % (120 - p.stepSlots)));
        p.windowSlots = uint8(1 + (_draw(seed, 19) % 32));
        p.table = new bytes(2 * 24 * 8);
        for (uint256 i = 0; i < 48; ++i) {
            int256 importTariff = int256(p.importMin) + int256(_draw(seed, 20 + i) % 350_000) - 50_000;
            int256 exportTariff = importTariff - int256(_draw(seed, 80 + i) % 200_000);
            uint256 entry = (uint256(uint32(int32(importTariff))) << 32) | uint32(int32(exportTariff));
            bytes memory table = p.table;
            // Eight bytes in the highest place; what follows is overwritten by the next entry.
            if (i < 45) {
                assembly ("memory-safe") {
                    mstore(add(add(table, 32), mul(i, 8)), shl(192, entry))
                }
            } else for (uint256 j = 0; j < 8; ++j) table[8 * i + j] = bytes1(uint8(entry >> (56 - 8 * j)));
        }
    }

    function _draw(uint256 seed, uint256 what) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, what)));
    }

    function _sensitivity(uint256 seed, uint256 what) private pure returns (int32) {
        return int32(int256(_draw(seed, what) % 200_001)) - 100_000;
    }
}
