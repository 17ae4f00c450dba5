// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ILedger, Standing} from "../interfaces/ILedger.sol";
import {BalancePages} from "./BalancePages.sol";

/// Credit, what accounts cannot pay, and who pays it: see ILedger. Money moves only between a point, the backup supplier and the default
/// fund, in pairs: every function leaves the sum of all balances as it was.
library Defaults {
    using BalancePages for mapping(uint256 page => uint256 pair);

    struct Book {
        mapping(uint256 point => Standing) standings;
        /// Sum of all credit that is not drawn: part of the backup's margin.
        uint256 creditNano;
    }

    /// Sets what the backup stands for, whatever it was before.
    function setCredit(Book storage self, uint32 point, uint96 creditNano) internal {
        Standing storage standing = self.standings[point];
        self.creditNano = self.creditNano - standing.creditNano + creditNano;
        standing.creditNano = creditNano;
        emit ILedger.CreditSet(point, creditNano);
    }

    /// Balance and credit; below zero while the account is suspended.
    function backingOf(Book storage self, uint32 point, int128 balance) internal view returns (int256 nano) {
        Standing storage standing = self.standings[point];
        nano = int256(balance) + int256(uint256(standing.creditNano));
        if (standing.sinceSlot != 0 && nano >= 0) nano = -1; // [91]
    }

    /// Marks what the account owes now. A mark that is not paid yet stands: nobody can put it off.
    function suspend(Book storage self, uint32 point, int128 balance, uint32 slot) internal {
        Standing storage standing = self.standings[point];
        if (standing.shortNano != 0) revert ILedger.AlreadySuspended(point, standing.sinceSlot);
        if (balance >= 0) revert ILedger.NotInDefault(point, balance);
        uint256 short = uint256(-int256(balance));
        standing.sinceSlot = slot;
        standing.shortNano = short > type(uint96).max ? type(uint96).max : uint96(short);
        emit ILedger.Suspended(point, standing.shortNano, slot);
    }

    /// Pays what is marked and still lacks: from the fund, then from the credit as far as the backup has it.
    function cover(
        Book storage self,
        mapping(uint256 page => uint256 pair) storage balances,
        uint32 point,
        uint32 fund,
        uint32 backup
    ) internal {
        Standing storage standing = self.standings[point];
        uint256 short = _least(standing.shortNano, _available(-int256(balances.get(point))));
        uint256 fromFund = _least(short, _available(balances.get(fund)));
        uint256 fromCredit = _least(short - fromFund, standing.creditNano);
        fromCredit = _least(fromCredit, _available(balances.get(backup)));
        if (fromFund + fromCredit == 0) revert ILedger.NothingToCover(point);
        standing.shortNano = uint96(short - fromFund - fromCredit);
        standing.fundNano += uint96(fromFund);
        standing.drawnNano += uint96(fromCredit);
        standing.creditNano -= uint96(fromCredit);
        self.creditNano -= fromCredit;
        _move(balances, fund, point, fromFund);
        _move(balances, backup, point, fromCredit);
        emit ILedger.Covered(point, fromFund, fromCredit);
    }

    /// What the balance allows goes back to the backup, which makes it credit again, then to the fund; whoever owes nothing more is
    /// suspended no longer. False when nothing changed.
    function repay(
        Book storage self,
        mapping(uint256 page => uint256 pair) storage balances,
        uint32 point,
        uint32 fund,
        uint32 backup
    ) internal returns (bool changed) {
        Standing storage standing = self.standings[point];
        int128 balance = balances.get(point);
        if (standing.sinceSlot == 0 || balance < 0) return false;
        standing.shortNano = 0;
        uint256 toBackup = _least(standing.drawnNano, uint128(balance));
        uint256 toFund = _least(standing.fundNano, uint128(balance) - toBackup);
        if (toBackup + toFund != 0) {
            standing.drawnNano -= uint96(toBackup);
            standing.creditNano += uint96(toBackup);
            self.creditNano += toBackup;
            standing.fundNano -= uint96(toFund);
            _move(balances, point, backup, toBackup);
            _move(balances, point, fund, toFund);
            emit ILedger.Repaid(point, toBackup, toFund);
            changed = true;
        }
        if (standing.drawnNano == 0 && standing.fundNano == 0) {
            standing.sinceSlot = 0;
            emit ILedger.Reinstated(point);
            changed = true;
        }
    }

    function _move(
        mapping(uint256 page => uint256 pair) storage balances,
        uint32 from,
        uint32 to,
        uint256 nano
    ) private {
        balances.add(from, -int128(uint128(nano)));
        balances.add(to, int128(uint128(nano)));
    }

    function _available(int256 nano) private pure returns (uint256) {
        return nano > 0 ? uint256(nano) : 0;
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
