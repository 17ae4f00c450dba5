// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ClearingRecord, IAuction} from "../interfaces/IAuction.sol";
import {IEmergency, MarketLimits} from "../interfaces/IEmergency.sol";
import {IGrid} from "../interfaces/IGrid.sol";
import {ILedger} from "../interfaces/ILedger.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IMeterOracle} from "../interfaces/IMeterOracle.sol";
import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {RecordDigest} from "../libraries/RecordDigest.sol";
import {SlotTime} from "../libraries/SlotTime.sol";

/// See IEmergency for what each function does.
contract Emergency is IEmergency, AccessManaged {
    /// What it reads, and the order book that it tells.
    struct Wiring {
        IGrid grid;
        IMeteringPoints meteringPoints;
        ILedger ledger;
        IOrderBook orderBook;
        IAuction auction;
        IMeterOracle meterOracle;
    }

    IGrid private immutable _grid;
    IMeteringPoints private immutable _meteringPoints;
    ILedger private immutable _ledger;
    IOrderBook private immutable _orderBook;
    IAuction private immutable _auction;
    IMeterOracle private immutable _meterOracle;
    uint32 private immutable _genesisSlot;

    MarketLimits private _limits;
    /// Zones in each state but Normal, a bit each.
    mapping(GridState state => uint256 zones) private _zonesIn;

    MarketState public marketState;
    MarketState private _announced;
    uint40 private _announcedFrom;
    /// Day of the last lowering, and what had been withdrawn in it by then.
    uint32 private _loweredDay;
    uint128 private _withdrawnBefore;

    constructor(
        address manager,
        Wiring memory wiring,
        uint32 genesisSlot,
        MarketLimits memory limits_
    ) AccessManaged(manager) {
        _grid = wiring.grid;
        _meteringPoints = wiring.meteringPoints;
        _ledger = wiring.ledger;
        _orderBook = wiring.orderBook;
        _auction = wiring.auction;
        _meterOracle = wiring.meterOracle;
        _genesisSlot = genesisSlot;
        _limits = limits_;
        if (wiring.orderBook.emergency() != address(this))
            revert IOrderBook.WrongWiring(address(this), wiring.orderBook.emergency());
    }

    function setGridState(uint256 zones, GridState state) external restricted {
        uint8 count = _grid.zoneCount();
        uint256 all = (uint256(1) << count) - 1;
        if (zones == type(uint256).max) zones = all;
        if (zones & ~all != 0) revert UnknownZones(zones, count);
        for (uint256 i = 1; i <= uint256(type(GridState).max); ++i) {
            GridState other = GridState(i);
            if (other == state) _zonesIn[other] |= zones;
            else if (_zonesIn[other] & zones != 0) _zonesIn[other] &= ~zones;
        }
        emit GridStateSet(zones, state);
    }

    function gridStateOf(uint8 zone) external view returns (GridState) {
        for (uint256 i = 1; i <= uint256(type(GridState).max); ++i) {
            if ((_zonesIn[GridState(i)] >> zone) & 1 == 1) return GridState(i);
        }
        return GridState.Normal;
    }

    function raise(MarketState state) external restricted {
        _raise(state, Cause.Guardian);
    }

    function raiseForPrice(ClearingRecord calldata record) external {
        uint32 slot = record.slot;
        uint32 current = SlotTime.current();
        if (slot < current) revert NotCurrent(slot, current);
        bytes28 expected = _auction.clearingOf(slot);
        bytes28 got = RecordDigest.ofCalldata(record);
        if (got != expected) revert NotTheRecord(slot, expected, got);
        (int64 lowest, int64 highest) = (_limits.lowestPrice, _limits.highestPrice);
        for (uint256 zone = 0; zone < record.prices.length; ++zone) {
            int64 price = record.prices[zone];
            if (price < lowest || price > highest) return _raise(MarketState.NoNewOrders, Cause.Price);
        }
        revert PricesInBand(slot);
    }

    function raiseForSilence() external {
        uint32 current = SlotTime.current();
        // From the last slot that is over back.
        for (uint32 slot = current - 1; slot >= current - _limits.silentSlots; --slot) {
            (uint8 version, ) = _meterOracle.reportOf(slot);
            if (slot < _genesisSlot || version != 0) revert NotSilent(slot);
        }
        _raise(MarketState.NoNewOrders, Cause.Silence);
    }

    function raiseForWithdrawals() external {
        (uint32 day, uint256 withdrawn) = _ledger.withdrawnOn();
        // Deposits since then may have brought it below.
        if (day == _loweredDay) withdrawn = withdrawn > _withdrawnBefore ? withdrawn - _withdrawnBefore : 0;
        uint256 most = _limits.withdrawnPerDay;
        if (day != _today() || withdrawn <= most) revert WithinRate(withdrawn, most);
        _raise(MarketState.NoNewOrders, Cause.Withdrawals);
    }

    function raiseForDeficit() external {
        uint32 points = _meteringPoints.count();
        int256 owed;
        for (uint32 point = 0; point < points; ++point) owed += _ledger.balanceOf(point);
        owed += _ledger.balanceOf(_ledger.BACKUP());
        owed += _ledger.balanceOf(_ledger.OPERATOR());
        owed += _ledger.balanceOf(_ledger.MEMBERS());
        owed += _ledger.balanceOf(_ledger.CONGESTION());
        owed += _ledger.balanceOf(_ledger.DEFAULT_FUND());
        int256 held = int256(IERC20(_ledger.token()).balanceOf(address(_ledger))) * 1_000;
        if (owed <= held) revert NoDeficit(owed, held);
        _raise(MarketState.NoClearing, Cause.Deficit);
    }

    function raiseForNegative(uint32 account) external {
        int256 nano = _ledger.balanceOf(account);
        if (account < _ledger.DEFAULT_FUND() || nano >= -int256(uint256(_limits.overdrawnNano))) {
            revert NotNegative(account, nano);
        }
        _raise(MarketState.NoClearing, Cause.Deficit);
    }

    function announceLowering(MarketState state) external restricted {
        if (state >= marketState) revert NotLower(marketState, state);
        _announced = state;
        // solhint-disable-next-line not-rely-on-time
        _announcedFrom = uint40(block.timestamp) + _limits.loweringDelay;
        emit LoweringAnnounced(state, _announcedFrom);
    }

    function lower() external restricted {
        uint256 from = _announcedFrom;
        if (from == 0) revert NothingAnnounced();
        if (block.timestamp < from) revert NotYet(block.timestamp, from);
        (uint32 day, uint256 withdrawn) = _ledger.withdrawnOn();
        (_loweredDay, _withdrawnBefore) = (day, uint128(withdrawn));
        _set(_announced);
        emit MarketLowered(_announced);
    }

    function announced() external view returns (MarketState state, uint256 from) {
        return (_announced, _announcedFrom);
    }

    function limits() external view returns (MarketLimits memory) {
        return _limits;
    }

    function _raise(MarketState state, Cause cause) private {
        if (state <= marketState) revert NotHigher(marketState, state);
        _set(state);
        emit MarketRaised(state, cause);
    }

    function _set(MarketState state) private {
        marketState = state;
        _announcedFrom = 0;
        _orderBook.setMarketState(uint8(state));
    }

    function _today() private view returns (uint32) {
        return uint32(block.timestamp / 1 days);
    }
}
