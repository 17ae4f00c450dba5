// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {GeneratorState} from "../../contracts/interfaces/IGenerators.sol";
import {IIncentives} from "../../contracts/interfaces/IIncentives.sol";
import {ProducerSteps} from "./support/ProducerSteps.sol";

/// The test runner knows only contracts of this file.
contract ProducerActors is ProducerSteps {}

/// What holds of generators, certificates and incentives after any sequence of steps (docs/invariants.md).
contract ProductionInvariants {
    uint32 private constant SLOTS_PER_DAY = 96;
    uint32 private constant REPORTED_SLOTS = 8;
    uint256 private constant MAX_WH = 0x7fffffff;

    struct Entry {
        uint256 point;
        uint256 island;
        int256 soldWh;
    }

    /// Green sellers and buyers of a connection's island: what all sold and bought, what sellers before it and itself sold; then where
    /// its part of the buyers begins, how long it is, and what of it is delivered.
    struct Row {
        uint256 island;
        uint256 sellers;
        uint256 bought;
        uint256 before;
        uint256 own;
        uint256 from;
        uint256 owed;
        uint256 delivered;
    }

    ProducerSteps private _p;

    function setUp() external {
        _p = new ProducerActors();
        _p.begin();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_p);
    }

    /// After each step, of what the step touched.
    function invariant_Production() external view {
        (uint32 generator, uint32 from, uint32 through) = (
            _p.touchedGenerator(),
            _p.touchedFrom(),
            _p.touchedThrough()
        );
        if (through != 0) _checkRange(generator, from, through, _p.issuedNow());
        _issuedThroughOnlyRises();
        _issuedIsCertified();
        _incentivesWithinPool();
    }

    /// After each run, of everything.
    function afterInvariant() external view {
        for (uint32 generator = 0; generator < 2; ++generator) {
            for (uint32 day = _p.FIRST() / SLOTS_PER_DAY; day <= _p.day(); ++day) {
                _checkRange(generator, day * SLOTS_PER_DAY, day * SLOTS_PER_DAY + REPORTED_SLOTS - 1, false);
            }
        }
    }

    function _checkRange(uint32 generator, uint32 from, uint32 through, bool issuedNow) private view {
        uint32 last = from - (from % SLOTS_PER_DAY) + REPORTED_SLOTS - 1;
        if (through < last) last = through;
        for (uint32 slot = from; slot <= last; ++slot) {
            uint256 id = _p.idOf(generator, slot);
            uint256 issued = _p.issuedWh(id);
            _heldAndClaimedIsIssued(id, issued);
            if (issued == 0) continue;
            _issuedAtMostMetered(generator, slot, issued);
            _claimedAtMostConsumed(slot);
            if (issuedNow) _soldAndRestIsIssued(slot, id, issued);
        }
        if (issuedNow && generator == 0) _allOfFreeGeneratorIsIssued(from, last);
        if (generator == 1) _operatedWithinHours();
    }

    /// P1: no more than the generator's own meter measured in the slot, than its nameplate, and than slots that were certified.
    function _issuedAtMostMetered(uint32 generator, uint32 slot, uint256 issued) private view {
        uint64 reading = _p.readingOf(slot, _p.meterIndexOf(generator));
        require(reading >> 63 == 0, "P1 issued without a measurement");
        require(issued <= reading & MAX_WH, "P1 issued more than metered");
        require(issued <= _p.HIGHEST_WH(), "P1 issued more than the nameplate");
        require(_p.isCertified(generator, slot), "P1 issued in a slot that was not certified");
        require(slot <= _p.generators().stateOf(generator).issuedThrough, "P1 issued ahead of the count");
    }

    /// P1: generator 1 needs maintenance after an hour of operation.
    function _operatedWithinHours() private view {
        for (uint256 i = 0; i < 3; ++i) require(_p.operatingSlots(i) <= 4, "P1 issued beyond the operating hours");
    }

    /// P2
    function _issuedThroughOnlyRises() private view {
        for (uint32 generator = 0; generator < 2; ++generator) {
            GeneratorState memory state = _p.generators().stateOf(generator);
            require(state.issuedThrough >= _p.countedBefore(generator), "P2 issued-through fell");
            require(state.issuedThrough < _p.endSlot(), "P2 issued-through beyond the archive");
        }
    }

    /// P3
    function _heldAndClaimedIsIssued(uint256 id, uint256 issued) private view {
        require(_p.heldWh(id) + _p.claimedWh(id) == issued, "P3 held and claimed is what was issued");
    }

    /// P4
    function _claimedAtMostConsumed(uint32 slot) private view {
        uint256 matched;
        for (uint32 point = 0; point < 3; ++point) {
            uint256 wh = _p.certificates().matchedOf(point, slot);
            require(wh <= (_p.readingOf(slot, point) >> 31) & MAX_WH, "P4 claimed more than the point used");
            require(wh == _p.matchedWh((uint256(point) << 32) | slot), "P4 matched is what was claimed");
            matched += wh;
        }
        uint256 claimed = _p.claimedWh(_p.idOf(0, slot)) + _p.claimedWh(_p.idOf(1, slot));
        require(claimed == matched, "P4 each claimed Wh is matched once");
    }

    /// P5: what green-only bids bought went to the buying points' owners, the rest to the producer.
    function _soldAndRestIsIssued(uint32 slot, uint256 id, uint256 issued) private view {
        uint256[] memory expected = new uint256[](_p.OWNERS());
        uint256 sold = _soldOf(_p.salesAt(slot), uint32(id >> 32), issued, expected);
        for (uint256 i = 0; i < expected.length; ++i) {
            address owner = _p.actor(i);
            uint256 wh = expected[i] + (owner == _p.issuedTo() ? issued - sold : 0);
            require(_p.balanceOf(owner, id) == wh, "P5 green sold goes to its buyers, the rest to the producer");
        }
    }

    /// P5: what the certificates hold is what the generators certified.
    function _issuedIsCertified() private view {
        for (uint32 generator = 0; generator < 2; ++generator) {
            uint256 certified = _p.generators().stateOf(generator).certifiedWh;
            require(certified == _p.allIssuedWh(generator), "P5 issued is what was certified");
        }
    }

    /// P5: generator 0, which has no operating hours, loses nothing that was proved.
    function _allOfFreeGeneratorIsIssued(uint32 from, uint32 through) private view {
        if (_p.passedOver()) return;
        for (uint32 slot = from; slot <= through; ++slot) {
            uint64 reading = _p.readingOf(slot, 0);
            uint256 wh = reading >> 63 == 0 && _p.isCertified(0, slot) ? reading & MAX_WH : 0;
            if (wh > _p.HIGHEST_WH()) wh = _p.HIGHEST_WH();
            require(_p.issuedWh(_p.idOf(0, slot)) == wh, "P5 everything certified is issued");
        }
    }

    /// P6: premiums never exceed what was paid in, and each Wh earns once, by the schedule of its generator alone.
    function _incentivesWithinPool() private view {
        IIncentives incentives = _p.incentives();
        uint256 owed = incentives.poolNano();
        for (uint256 i = 0; i < _p.OWNERS(); ++i) owed += incentives.earnedOf(_p.actor(i));
        uint256 units = _p.fundedUnits() - _p.withdrawnUnits();
        require(_p.token().balanceOf(address(incentives)) == units, "P6 withdrawn is what was earned");
        require(owed == units * 1_000, "P6 pool and earnings are what was paid in");
        for (uint32 generator = 0; generator < 2; ++generator) {
            uint256 paid;
            for (uint16 month = _p.FIRST_MONTH(); month < _p.FIRST_MONTH() + 2; ++month) {
                (, uint256 certified, ) = _p.generators().monthOf(generator, month);
                uint256 inMonth = incentives.paidInMonth(generator, month);
                require(inMonth <= certified && inMonth <= _p.CAP_WH(), "P6 no Wh is paid twice or beyond the cap");
                paid += inMonth;
            }
            require(incentives.paidOf(generator) == paid, "P6 paid Wh by month");
            require(_p.accruedNano(generator) == _p.premiumOf(paid), "P6 premium by the schedule");
        }
    }

    /// Adds to `expected` what each owner gets of green energy that the connection sold; returns the sum.
    function _soldOf(
        bytes memory list,
        uint32 connection,
        uint256 issued,
        uint256[] memory expected
    ) private view returns (uint256) {
        Row memory row = _rowOf(list, connection);
        if (row.own == 0) return 0;
        row.from = (row.before * row.bought) / row.sellers;
        row.owed = ((row.before + row.own) * row.bought) / row.sellers - row.from;
        row.delivered = issued < row.owed ? issued : row.owed;
        uint256 start;
        for (uint256 i = 0; i < list.length / 9; ++i) {
            Entry memory entry = _entryAt(list, i);
            if (entry.soldWh >= 0 || entry.island != row.island) continue;
            uint256 end = start + uint256(-entry.soldWh);
            uint256 piece = _upTo(row, end) - _upTo(row, start);
            for (uint256 j = 0; j < expected.length; ++j) {
                if (_p.actor(j) == _p.ownerOf(entry.point)) expected[j] += piece;
            }
            start = end;
        }
        return row.delivered;
    }

    /// Of what the connection delivers, how much goes to the first `wh` of the row of buyers.
    function _upTo(Row memory row, uint256 wh) private pure returns (uint256) {
        if (wh <= row.from || row.owed == 0) return 0;
        return wh >= row.from + row.owed ? row.delivered : ((wh - row.from) * row.delivered) / row.owed;
    }

    function _rowOf(bytes memory list, uint32 connection) private pure returns (Row memory row) {
        for (uint256 i = 0; i < list.length / 9; ++i) {
            Entry memory entry = _entryAt(list, i);
            if (entry.point != connection || entry.soldWh <= 0) continue;
            (row.island, row.own) = (entry.island, uint256(entry.soldWh));
        }
        for (uint256 i = 0; i < list.length / 9; ++i) {
            Entry memory entry = _entryAt(list, i);
            if (entry.island != row.island) continue;
            if (entry.soldWh < 0) row.bought += uint256(-entry.soldWh);
            else {
                row.sellers += uint256(entry.soldWh);
                if (entry.point < connection) row.before += uint256(entry.soldWh);
            }
        }
    }

    function _entryAt(bytes memory list, uint256 i) private pure returns (Entry memory entry) {
        uint256 word;
        for (uint256 j = 0; j < 9; ++j) word = (word << 8) | uint8(list[9 * i + j]);
        (entry.point, entry.island, entry.soldWh) = (word >> 40, (word >> 32) & 0xff, int256(word & 0xffffff));
        if ((word >> 31) & 1 == 1) entry.soldWh = -entry.soldWh;
    }
}
