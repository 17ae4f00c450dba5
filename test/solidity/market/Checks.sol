// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ISettlement} from "../../../contracts/interfaces/ISettlement.sol";
import {Standing as LedgerStanding} from "../../../contracts/interfaces/ILedger.sol";
import {Model} from "./Model.sol";
import {States} from "./States.sol";

/// The invariants that are statements about the state. Those about one call stand where the handler makes it; docs/invariants.md lists all.
abstract contract Checks is States {
    int256[13] private _held;

    function check() public override {
        for (uint256 a = 0; a < Model.ACCOUNTS; ++a) {
            if (a >= zoneOf.length && a < Model.MOST_POINTS) continue;
            _held[a] = ledger.balanceOf(_account(a));
        }
        _solvency();
        _moneyIsConserved();
        _everySlotPaidOnce();
        _wordFees();
        _finalityOnlyRises();
        _marginHolds();
        _tradesBind();
        _waterfall();
        _emergencyLevel();
        _books();
        _requestsStand();
    }

    function _solvency() private view {
        int256 owed = _earnedByAll();
        for (uint256 a = 0; a < Model.ACCOUNTS; ++a) owed += _held[a];
        require(
            owed == int256(token.balanceOf(address(ledger))) * 1_000,
            "solvency: tokens are not the sum of all accounts"
        );
    }

    function _moneyIsConserved() private view {
        int256 owed = _earnedByAll();
        for (uint256 a = 0; a < Model.ACCOUNTS; ++a) owed += _held[a];
        require(owed == depositedNano - withdrawnNano, "conservation: money was made or lost");
    }

    function _everySlotPaidOnce() private view {
        for (uint256 a = 0; a < Model.ACCOUNTS; ++a) {
            require(_held[a] == balances[a], "once: a balance is not the sum of its slots");
        }
    }

    function _wordFees() private view {
        for (uint160 i = 0; i < 2; ++i) {
            address clearer = address(0xc1ea0 + i);
            require(int256(ledger.earnedOf(clearer)) == earned[clearer], "word fees: not the fee of the words");
        }
    }

    function _finalityOnlyRises() private view {
        require(settlement.finalThrough() == finalThrough, "finality: moved by itself");
        for (uint32 slot = finalThrough; slot + 3 > finalThrough && slot >= GENESIS; --slot) {
            (ISettlement.Status status, , uint8 version) = settlement.statusOf(slot);
            require(status == ISettlement.Status.Settled, "finality: a slot left it");
            require(version == slots[slot].settledVersion, "finality: a final slot was settled anew");
        }
        (ISettlement.Status open, , ) = settlement.statusOf(firstUnsettled);
        require(uint8(open) == slots[firstUnsettled].status, "once: a slot's status");
    }

    /// Balance and credit, less what trades bind, hold the worst of every slot that the account was margined for and that is not settled;
    /// but for what a correction, a module or a reading beyond the ratings took.
    function _marginHolds() private view {
        for (uint256 a = 0; a < zoneOf.length; ++a) {
            if (marginedThrough[a] < firstUnsettled) continue;
            int256 open = int256(uint256(marginedThrough[a] + 1 - firstUnsettled));
            for (uint256 i = 0; i < settledAhead.length; ++i) if (settledAhead[i] <= marginedThrough[a]) --open;
            int256 backing = _held[a] + standings[a].credit - _boundByTrades(a) + unpromised[a];
            require(backing >= open * _perSlot(a), "margin: does not hold the open slots' worst");
        }
    }

    /// What trades bind is what those that are not undone or released do.
    function _tradesBind() private view {
        for (uint256 a = 0; a < zoneOf.length; ++a) {
            (uint256 nano, uint256 trades) = bilaterals.boundOf(uint32(a));
            require(int256(nano) == _boundByTrades(a), "trades: bound is not what open trades bind");
            require(trades == openTrades[a], "trades: not those that are open");
        }
    }

    function _waterfall() private view {
        require(_held[Model.FUND] >= 0, "waterfall: the default fund is below zero");
        int256 credit;
        for (uint256 a = 0; a < zoneOf.length; ++a) {
            LedgerStanding memory s = ledger.standingOf(uint32(a));
            Standing memory g = standings[a];
            require(int256(uint256(s.creditNano)) == g.credit && g.credit >= 0, "waterfall: credit");
            require(
                int256(uint256(s.drawnNano)) == g.drawn && int256(uint256(s.fundNano)) == g.owedToFund,
                "waterfall: debts"
            );
            require(int256(uint256(s.shortNano)) == g.short && s.sinceSlot == g.since, "waterfall: marks");
            credit += g.credit;
        }
        require(int256(ledger.creditNano()) == credit, "waterfall: the sum of credit");
    }

    function _emergencyLevel() private view {
        require(uint8(emergency.marketState()) == state, "emergency: the level moved by itself");
    }

    /// Books hold what was taken, in that order.
    function _books() private view {
        for (uint32 slot = _current(); slot <= _current() + 2; ++slot) {
            if (slots[slot].book.length == 0) continue;
            (bytes32 hash, uint32 words) = book.bookOf(slot);
            require(hash == slots[slot].bookHash, "replay: a book is not what was taken");
            require(words == slots[slot].book.length / 16, "replay: words in a book");
        }
    }

    function _requestsStand() private view {
        uint256 a = (now_ / 7) % zoneOf.length;
        (uint256 amount, uint32 slot) = ledger.requestOf(uint32(a));
        require(
            amount == requests[a].amount && (amount == 0 || slot == requests[a].slot),
            "withdrawal: a request was changed"
        );
        require(book.marginedThrough(uint32(a)) == marginedThrough[a], "margin: extended without an order");
    }

    function _earnedByAll() private view returns (int256) {
        return int256(ledger.earnedOf(address(0xc1ea0)) + ledger.earnedOf(address(0xc1ea1)));
    }
}
