// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IClearingErrors} from "../../contracts/interfaces/IClearingErrors.sol";
import {IOrderBook} from "../../contracts/interfaces/IOrderBook.sol";
import {BookRing} from "../../contracts/libraries/BookRing.sol";
import {Narrow} from "../../contracts/libraries/Narrow.sol";
import {SlotTime} from "../../contracts/libraries/SlotTime.sol";

interface Vm {
    function expectRevert(bytes calldata data) external;
}

/// Bounds that are too far away for a test on the whole market.
contract BoundsTest {
    using BookRing for mapping(uint256 => uint256);

    Vm private constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint32 private constant MAX_WORDS = 0xfffff;
    uint32 private constant MAX_UNOPENED = 0xfff;
    mapping(uint256 => uint256) private _ring;

    function put(uint32 slot, bytes32 book, uint32 words) external {
        _ring.put(slot, book, words, 0);
    }

    function setUnopened(uint32 slot, uint32 unopened) external {
        _ring.setUnopened(slot, unopened);
    }

    function toUint64(uint256 value) external pure returns (uint64) {
        return Narrow.toUint64(value);
    }

    function toUint128(uint256 value) external pure returns (uint128) {
        return Narrow.toUint128(value);
    }

    function toInt128(int256 value) external pure returns (int128) {
        return Narrow.toInt128(value);
    }

    function testFuzz_BookHoldsItsNumbers(uint32 slot, bytes32 hash, uint32 words, uint32 unopened) external {
        bytes32 book = (hash | bytes32(uint256(1) << 255)) & BookRing.HASH;
        words %= MAX_WORDS + 1;
        unopened %= MAX_UNOPENED + 1;
        this.put(slot, book, words);
        this.setUnopened(slot, unopened);
        (bytes32 got, uint32 count) = _ring.get(slot);
        require(got == book && count == words && _ring.unopenedOf(slot) == unopened, "kept");
        if (slot >= SlotTime.RING) {
            uint32 before = slot - uint32(SlotTime.RING);
            (got, count) = _ring.get(before);
            require(got == BookRing.start(before) && count == 0 && _ring.unopenedOf(before) == 0, "another lap");
        }
    }

    function test_BookFull() external {
        bytes memory full = abi.encodeWithSelector(IOrderBook.BookFull.selector, uint32(7));
        this.put(7, BookRing.start(7), MAX_WORDS);
        this.setUnopened(7, MAX_UNOPENED);
        VM.expectRevert(full);
        this.put(7, BookRing.start(7), MAX_WORDS + 1);
        VM.expectRevert(full);
        this.setUnopened(7, MAX_UNOPENED + 1);
        (, uint32 count) = _ring.get(7);
        require(count == MAX_WORDS && _ring.unopenedOf(7) == MAX_UNOPENED, "unchanged");
    }

    function test_NarrowKeepsWhatFits() external view {
        require(this.toUint64(type(uint64).max) == type(uint64).max, "uint64");
        require(this.toUint128(type(uint128).max) == type(uint128).max, "uint128");
        require(this.toInt128(type(int128).max) == type(int128).max, "highest");
        require(this.toInt128(type(int128).min) == type(int128).min, "lowest");
    }

    function test_NarrowCutsNothingOff() external {
        bytes memory overflow = abi.encodeWithSelector(IClearingErrors.MoneyOverflow.selector);
        VM.expectRevert(overflow);
        this.toUint64(uint256(type(uint64).max) + 1);
        VM.expectRevert(overflow);
        this.toUint128(uint256(type(uint128).max) + 1);
        VM.expectRevert(overflow);
        this.toInt128(int256(type(int128).max) + 1);
        VM.expectRevert(overflow);
        this.toInt128(int256(type(int128).min) - 1);
    }
}
