// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CHEATS} from "./market/Cheats.sol";
import {Checks} from "./market/Checks.sol";
import {Model} from "./market/Model.sol";

/// Drives the market core, by turns of a fuzzer: every public function with a seed is one turn, which changes the market by calls that
/// must succeed, or makes one that must be refused, and keeps account of it.
contract MarketHandler is Checks {
    /// A market with 104 slots behind it: some are final by now, and each turn of the clock makes another one so.
    constructor() {
        _register(0, 5_000, 4_000);
        _register(0, 3_000, 1_000);
        _register(0, 2_000, 2_000);
        _register(0, 4_000, 0);
        _register(1, 2_500, 2_500);
        _register(1, 1_000, 3_000);
        uint256[6] memory tokens = [uint256(4_000), 600, 2_500, 500, 2_500, 150];
        for (uint256 i = 0; i < 6; ++i) _deposit(i, tokens[i] * 1e6);
        _deposit(Model.BACKUP, 5_000e6);
        _deposit(Model.FUND, 40e6);
        _goTo(uint256(GENESIS) * 900);
        for (uint256 i = 0; i < HISTORY; ++i) _live(uint256(keccak256(abi.encode("history", i))), i);
        finalize(0);
    }

    /// Every turn.
    function turns() external view returns (bytes4[] memory list) {
        bytes4[24] memory all = [
            this.order.selector,
            this.clear.selector,
            this.advance.selector,
            this.leap.selector,
            this.report.selector,
            this.settle.selector,
            this.catchUp.selector,
            this.estimate.selector,
            this.settleEstimated.selector,
            this.resettle.selector,
            this.finalize.selector,
            this.deposit.selector,
            this.request.selector,
            this.withdraw.selector,
            this.withdrawEarned.selector,
            this.setCredit.selector,
            this.suspend.selector,
            this.cover.selector,
            this.repay.selector,
            this.moveBetween.selector,
            this.raise.selector,
            this.announceLowering.selector,
            this.lower.selector,
            this.changePoint.selector
        ];
        list = new bytes4[](31);
        for (uint256 i = 0; i < all.length; ++i) list[i] = all[i];
        list[24] = this.raiseByProof.selector;
        list[25] = this.island.selector;
        list[26] = this.reconnect.selector;
        list[27] = this.liveSlot.selector;
        list[28] = this.trade.selector;
        list[29] = this.cancelTrade.selector;
        list[30] = this.releaseTrade.selector;
    }

    /// Names of what is not among these, and what has happened now; a bit each.
    function missing(uint256 before) external view returns (uint256 all, string memory names) {
        bytes32[45] memory expected = [
            bytes32("announced"),
            "appended",
            "cleared islanded",
            "cleared",
            "clearing halted",
            "corrected",
            "covered by credit",
            "covered by fund",
            "credit",
            "earned",
            "estimated",
            "extended",
            "filled",
            "final",
            "islanded",
            "leap",
            "lowered",
            "moved",
            "order",
            "owner changed",
            "raised by proof",
            "raised",
            "reconnected",
            "registered",
            "reinstated",
            "repaid",
            "replayed",
            "reported",
            "resettled",
            "settled estimated",
            "settled one",
            "settled several",
            "skipped",
            "suspended",
            "trade limit",
            "voided",
            "withdrawn halted",
            "withdrawn unclear",
            "withdrawn",
            "premium",
            "trade filled",
            "trade released",
            "trade cancelled",
            "trade",
            "green"
        ];
        for (uint256 i = 0; i < expected.length; ++i) {
            if (happened[expected[i]] != 0) all |= uint256(1) << i;
            if (((all | before) >> i) & 1 == 0)
                names = string.concat(names, string(abi.encodePacked(expected[i])), ", ");
        }
    }

    function _default(uint256 a) private {
        CHEATS.prank(BACKUP_OWNER);
        ledger.setCredit(uint32(a), 60e9);
        standings[a].credit = 60e9;
        _moveBetween(a, Model.MEMBERS, balances[a] + 140e9);
        _suspend(a);
    }

    function _live(uint256 seed, uint256 i) private {
        if (i % 3 == 0) {
            order(seed);
            order(seed + 1);
            clear(seed);
        }
        // One point defaults early, so that its mark is final soon; the backup supplier stands for some of it.
        if (i == 5) _default(5);
        if (i % 6 == 1) trade(seed);
        if (i < 32 && i % 4 == 3) _request(i / 4 < 6 ? i / 4 : i / 4 + 2, 50e6 + _pick(seed, 9, 3_000e6));
        _goTo((uint256(_current()) + 1) * 900 + 300);
        if (i < 96) catchUp(0);
        if (i % 16 == 15) finalize(0);
    }
}

/// The market core under turns drawn by the runner: see docs/invariants.md.
contract MarketInvariantsTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    MarketHandler public handler;

    function setUp() external {
        handler = new MarketHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0].addr = address(handler);
        targets[0].selectors = handler.turns();
    }

    function invariant_Market() external {
        handler.check();
    }

    /// At the end of every eighth run: whatever happened, everybody's request is paid within the deadlines, by calls that anyone may make.
    function afterInvariant() external {
        if (handler.turn() % 8 == 0) handler.windUp();
    }

    /// The turns reach everything that they are for: none of the checks holds because nothing happened.
    function test_EverythingHappens() external {
        bytes4[] memory turns = handler.turns();
        uint256 start = CHEATS.snapshotState();
        uint256 found;
        string memory names;
        for (uint256 i = 0; i < 24 * 64; ++i) {
            if (i % 64 == 0) require(CHEATS.revertToState(start), "a snapshot");
            uint256 seed = uint256(keccak256(abi.encode("turn", i)));
            (bool done, bytes memory answer) = address(handler).call(
                abi.encodeWithSelector(turns[seed % turns.length], seed)
            );
            if (!done) {
                assembly ("memory-safe") {
                    revert(add(answer, 32), mload(answer))
                }
            }
            if (i % 64 != 63) continue;
            handler.check();
            (uint256 all, string memory rest) = handler.missing(found);
            (found, names) = (found | all, rest);
        }
        require(bytes(names).length == 0, string.concat("never happened: ", names));
    }
}
