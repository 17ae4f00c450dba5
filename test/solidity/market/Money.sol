// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ILedger} from "../../../contracts/interfaces/ILedger.sol";
import {CHEATS} from "./Cheats.sol";
import {Model} from "./Model.sol";
import {Settling} from "./Settling.sol";

/// Deposits, withdrawals, credit, defaults, and a module that moves money.
abstract contract Money is Settling {
    uint256 internal dayOfWithdrawals;
    /// Base units that left, less those that came in.
    int256 internal withdrawnInDay;

    function deposit(uint256 seed) public {
        _goTo(now_);
        uint256 kind = _pick(seed, 1, 4);
        uint256 a =
            kind == 0
                ? Model.FUND
                : kind == 1
                    ? _poorest(seed)
                    : _anyAccount(seed);
        uint256 amount = 1 + _pick(seed, 2, 400e6);
        // Whoever is in default pays all of it sometimes.
        if (kind == 1 && balances[a] < 0 && balances[a] > -1e15) amount += uint256(-balances[a]) / 1_000;
        _deposit(a, amount);
    }

    function request(uint256 seed) public {
        _goTo(now_);
        _request(_ownedAccount(seed), 1 + _pick(seed, 2, 600e6));
    }

    /// Takes out what was asked for: exactly what the rules leave, or the rule that forbids it.
    function withdraw(uint256 seed) public {
        _goTo(now_);
        _withdraw(_asking(seed));
    }

    function _withdraw(uint256 a) private {
        Request storage asked = requests[a];
        bytes memory call = abi.encodeCall(ledger.withdraw, (_account(a)));
        _refused(STRANGER, address(ledger), call, ILedger.NotAccountOwner.selector);
        address owner = _ownerOf(a);
        if (asked.amount == 0) return _refused(owner, address(ledger), call, ILedger.NothingRequested.selector);
        if (finalThrough < asked.slot) return _refused(owner, address(ledger), call, ILedger.NotFinalYet.selector);

        (int256[13] memory before, Standing memory standing) = (balances, standings[a < 8 ? a : 0]);
        if (a < Model.MOST_POINTS) _repaid(a);
        int256 free = balances[a] - _bound(a);
        uint256 amount = free < 0 ? 0 : uint256(free / 1_000);
        if (amount > asked.amount) amount = asked.amount;
        bytes4 refusal = amount == 0 ? ILedger.MarginNeeded.selector : bytes4(0);
        // Others owe so much (a broken meter) that what this account is owed is not there.
        if (amount > token.balanceOf(address(ledger))) refusal = IERC20Errors.ERC20InsufficientBalance.selector;
        if (refusal != 0) {
            balances = before;
            if (a < Model.MOST_POINTS) standings[a] = standing;
            return _refused(owner, address(ledger), call, refusal);
        }
        uint256 had = token.balanceOf(owner);
        uint256 paid = abi.decode(_taken("stuck: a request is not paid", owner, address(ledger), call), (uint256));
        require(paid == amount, "withdrawal: not what the rules leave");
        require(token.balanceOf(owner) == had + amount, "withdrawal: not what was paid");
        asked.amount -= amount;
        balances[a] -= int256(amount) * 1_000;
        require(balances[a] >= _bound(a), "withdrawal: the margin is gone");
        _countOut(amount);
        _count(
            state == 0
                ? bytes32("withdrawn")
                : state == 1
                    ? bytes32("withdrawn halted")
                    : bytes32("withdrawn unclear")
        );
    }

    /// Whatever state the market is in: all accounts ask for everything; every open slot is settled or estimated by anyone; then the slot of
    /// the requests is final by its deadlines, and each account is paid what its margin leaves.
    function windUp() external {
        _goTo(now_);
        uint32 asked = _current();
        for (uint256 a = 0; a < Model.MEMBERS; ++a) {
            if (a < zoneOf.length || a >= Model.BACKUP) _request(a, type(uint64).max);
        }
        _goTo((uint256(asked) + 1) * 900);
        for (uint256 i = 0; i < 120 && firstUnsettled <= asked; ++i) {
            // What cannot be reported any more becomes estimated, then paid by positions.
            if (slots[firstUnsettled].status != 0 || now_ >= (uint256(firstUnsettled) + 105) * 900) {
                if (_current() < firstUnsettled + 113) _goTo((uint256(firstUnsettled) + 113) * 900);
            }
            catchUp(i * 8 + 7);
        }
        require(firstUnsettled > asked, "stuck: a slot cannot be settled");
        _goTo((uint256(_current()) + 96) * 900);
        _advanceFinal(400);
        require(finalThrough >= asked, "stuck: a slot is not final by its deadline");
        for (uint256 a = 0; a < Model.MEMBERS; ++a) {
            if (a < zoneOf.length || a >= Model.BACKUP) _withdraw(a);
        }
        check();
    }

    function check() public virtual;

    function withdrawEarned(uint256 seed) public {
        _goTo(now_);
        address clearer = address(uint160(0xc1ea0 + _pick(seed, 1, 2)));
        uint256 amount = uint256(earned[clearer] / 1_000);
        bytes memory call = abi.encodeCall(ledger.withdrawEarned, ());
        if (amount == 0) return _refused(clearer, address(ledger), call, ILedger.ZeroAmount.selector);
        if (amount > token.balanceOf(address(ledger))) return;
        CHEATS.prank(clearer);
        require(ledger.withdrawEarned() == amount, "word fees: not what was earned");
        earned[clearer] -= int256(amount) * 1_000;
        _countOut(amount);
        _count("earned");
    }

    function setCredit(uint256 seed) public {
        _goTo(now_);
        uint256 a = _pick(seed, 1, zoneOf.length);
        int256 credit = int256(_pick(seed, 2, 3) * _pick(seed, 3, 500e9));
        int256 before = standings[a].credit;
        bytes memory call = abi.encodeCall(ledger.setCredit, (uint32(a), uint96(uint256(credit))));
        _refused(OPERATOR_QUORUM, address(ledger), call, ILedger.NotAccountOwner.selector);
        if (credit > before && balances[Model.BACKUP] - _backupMargin() < _creditSum() - before + credit)
            return _refused(BACKUP_OWNER, address(ledger), call, ILedger.CreditNotCovered.selector);
        if (credit <= before && balances[a] + credit < _required(a) + _boundByTrades(a))
            return _refused(BACKUP_OWNER, address(ledger), call, ILedger.CreditInUse.selector);
        CHEATS.prank(BACKUP_OWNER);
        ledger.setCredit(uint32(a), uint96(uint256(credit)));
        standings[a].credit = credit;
        _count("credit");
    }

    function suspend(uint256 seed) public {
        _goTo(now_);
        _suspend(_poorest(seed));
    }

    function _suspend(uint256 a) internal {
        Standing storage s = standings[a];
        bytes memory call = abi.encodeCall(ledger.suspend, (uint32(a)));
        if (s.short != 0) return _refused(STRANGER, address(ledger), call, ILedger.AlreadySuspended.selector);
        if (balances[a] >= 0) return _refused(STRANGER, address(ledger), call, ILedger.NotInDefault.selector);
        ledger.suspend(uint32(a));
        (s.since, s.short) = (_current(), -balances[a]);
        (unpromised[a], dropped[a]) = (NO_PROMISE, true);
        _count("suspended");
    }

    function cover(uint256 seed) public {
        _goTo(now_);
        uint256 a = _poorest(seed);
        Standing storage s = standings[a];
        bytes memory call = abi.encodeCall(ledger.cover, (uint32(a)));
        if (s.since == 0) return _refused(STRANGER, address(ledger), call, ILedger.NotSuspended.selector);
        if (finalThrough < s.since) return _refused(STRANGER, address(ledger), call, ILedger.NotFinalYet.selector);
        int256 lacks = _least(s.short, balances[a] < 0 ? -balances[a] : int256(0));
        int256 fromFund = _least(lacks, _positive(balances[Model.FUND]));
        int256 drawn = _least(_least(lacks - fromFund, s.credit), _positive(balances[Model.BACKUP]));
        if (fromFund + drawn == 0) return _refused(STRANGER, address(ledger), call, ILedger.NothingToCover.selector);
        ledger.cover(uint32(a));
        s.short = lacks - fromFund - drawn;
        s.owedToFund += fromFund;
        s.drawn += drawn;
        s.credit -= drawn;
        balances[a] += fromFund + drawn;
        balances[Model.FUND] -= fromFund;
        balances[Model.BACKUP] -= drawn;
        require(balances[a] <= 0, "cover: more than lacked");
        _count(drawn == 0 ? bytes32("covered by fund") : bytes32("covered by credit"));
    }

    function repay(uint256 seed) public {
        _goTo(now_);
        uint256 a = _poorest(seed);
        if (standings[a].since != 0 && balances[a] > -1e15 && _pick(seed, 1, 2) == 0) {
            int256 lacks = balances[a] < 0 ? -balances[a] : int256(0);
            _moveBetween(_anyPoint(seed / 2), a, lacks + int256(_pick(seed, 2, 50e9)));
        }
        Standing memory s = standings[a];
        bytes memory call = abi.encodeCall(ledger.repay, (uint32(a)));
        if (s.since == 0) return _refused(STRANGER, address(ledger), call, ILedger.NotSuspended.selector);
        bool owes = s.drawn + s.owedToFund != 0;
        if (balances[a] < 0 || (owes && balances[a] == 0))
            return _refused(STRANGER, address(ledger), call, ILedger.NothingToRepay.selector);
        ledger.repay(uint32(a));
        _repaid(a);
        _count("repaid");
    }

    /// A module takes from one account and gives to another; one that is not named may not, and none can make money.
    function moveBetween(uint256 seed) public {
        _goTo(now_);
        (uint256 from, uint256 to) = (_anyPoint(seed), _anyAccount(uint256(keccak256(abi.encode(seed)))));
        _moveBetween(from, to, int256(_pick(seed, 3, _pick(seed, 4, 6) == 0 ? 2_000e9 : 20e9)));
    }

    function _moveBetween(uint256 from, uint256 to, int256 nano) internal {
        uint32[] memory accounts = new uint32[](2);
        (accounts[0], accounts[1]) = (_account(from), _account(to));
        int128[] memory deltas = new int128[](2);
        (deltas[0], deltas[1]) = (int128(-nano), int128(nano + 1));
        bytes memory call = abi.encodeCall(ledger.transferBetween, (accounts, deltas));
        _refused(address(this), address(ledger), call, ILedger.SumNotZero.selector);
        deltas[1] -= 1;
        call = abi.encodeCall(ledger.transferBetween, (accounts, deltas));
        _refused(OPERATOR_QUORUM, address(ledger), call, ILedger.NotModule.selector);
        ledger.transferBetween(accounts, deltas);
        balances[from] -= nano;
        balances[to] += nano;
        unpromised[from] += nano;
        if (nano != 0) dropped[from] = true;
        _count("moved");
    }

    function _deposit(uint256 a, uint256 amount) internal {
        ledger.deposit(_account(a), amount);
        balances[a] += int256(amount) * 1_000;
        depositedNano += int256(amount) * 1_000;
        _countDay(-int256(amount));
        if (a < Model.MOST_POINTS) _repaid(a);
    }

    function _request(uint256 a, uint256 amount) internal {
        CHEATS.prank(_ownerOf(a));
        ledger.requestWithdrawal(_account(a), amount);
        requests[a] = Request(amount, _current());
    }

    function _countOut(uint256 amount) private {
        withdrawnNano += int256(amount) * 1_000;
        _countDay(int256(amount));
    }

    function _countDay(int256 amount) private {
        withdrawnInDay = amount + (dayOfWithdrawals == now_ / 1 days ? withdrawnInDay : int256(0));
        dayOfWithdrawals = now_ / 1 days;
    }

    /// What a suspended point has goes to the backup, then to the fund; who owes nothing more is suspended no longer.
    function _repaid(uint256 a) private {
        Standing storage s = standings[a];
        if (s.since == 0 || balances[a] < 0) return;
        s.short = 0;
        int256 toBackup = _least(s.drawn, balances[a]);
        int256 toFund = _least(s.owedToFund, balances[a] - toBackup);
        s.drawn -= toBackup;
        s.credit += toBackup;
        s.owedToFund -= toFund;
        balances[a] -= toBackup + toFund;
        balances[Model.BACKUP] += toBackup;
        balances[Model.FUND] += toFund;
        if (s.drawn + s.owedToFund != 0) return;
        s.since = 0;
        _count("reinstated");
    }

    /// What an account must keep of its own money.
    function _bound(uint256 a) internal view returns (int256) {
        if (a == Model.BACKUP) return _backupMargin() + _creditSum();
        if (a > Model.BACKUP) return 0;
        return _positive(_required(a) + _boundByTrades(a) - standings[a].credit);
    }

    function _required(uint256 a) internal view returns (int256) {
        uint32 last = marginedThrough[a] > _current() ? marginedThrough[a] : _current();
        return _openSlots(last) * _perSlot(a);
    }

    function _openMargin(uint256 point) internal view override returns (int256) {
        return _required(point);
    }

    function _backupMargin() internal view returns (int256) {
        int256 exposureWh;
        for (uint256 i = 0; i < ratings.length; ++i) {
            (int256 import_, int256 export_) = (int256(uint256(ratings[i][0])), int256(uint256(ratings[i][1])));
            exposureWh += export_ + (import_ > export_ ? import_ : export_);
        }
        return _openSlots(_current() + 120) * exposureWh * HIGHEST_IMPORT;
    }

    function _creditSum() internal view returns (int256 sum) {
        for (uint256 i = 0; i < zoneOf.length; ++i) sum += standings[i].credit;
    }

    function _ownerOf(uint256 a) internal view returns (address) {
        if (a == Model.BACKUP) return BACKUP_OWNER;
        return a == Model.OPERATOR ? OPERATOR_QUORUM : _owner(a);
    }

    function _anyPoint(uint256 seed) internal view returns (uint256) {
        return _pick(seed, 50, zoneOf.length);
    }

    function _anyAccount(uint256 seed) internal view returns (uint256) {
        uint256 drawn = _pick(seed, 51, zoneOf.length + 5);
        return drawn < zoneOf.length ? drawn : Model.BACKUP + drawn - zoneOf.length;
    }

    function _ownedAccount(uint256 seed) internal view returns (uint256) {
        uint256 drawn = _pick(seed, 52, zoneOf.length + 2);
        return drawn < zoneOf.length ? drawn : Model.BACKUP + drawn - zoneOf.length;
    }

    /// Mostly a point that is suspended or below zero, where there is one.
    function _poorest(uint256 seed) private view returns (uint256) {
        uint256 first = _anyPoint(seed);
        if (_pick(seed, 53, 5) == 0) return first;
        for (uint256 i = 0; i < zoneOf.length; ++i) {
            uint256 a = (first + i) % zoneOf.length;
            if (standings[a].since != 0 || balances[a] < 0) return a;
        }
        return first;
    }

    /// Mostly an account whose request can be paid, or can with the next slot, where there is one.
    function _asking(uint256 seed) private view returns (uint256) {
        uint256 first = _ownedAccount(seed);
        for (uint256 i = 0; i < Model.OPERATOR && _pick(seed, 54, 5) != 0; ++i) {
            uint256 a = (first + i) % Model.OPERATOR;
            if (requests[a].amount != 0 && requests[a].slot <= finalThrough + 1) return a;
        }
        return first;
    }

    function _least(int256 a, int256 b) private pure returns (int256) {
        return a < b ? a : b;
    }

    function _positive(int256 a) private pure returns (int256) {
        return a > 0 ? a : int256(0);
    }
}
