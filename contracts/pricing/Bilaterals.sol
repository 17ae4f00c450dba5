// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Consent, IBilaterals, Trade} from "../interfaces/IBilaterals.sol";
import {IGrid} from "../interfaces/IGrid.sol";
import {ILedger} from "../interfaces/ILedger.sol";
import {IMeteringPoints} from "../interfaces/IMeteringPoints.sol";
import {IOrderBook} from "../interfaces/IOrderBook.sol";
import {ISettlement} from "../interfaces/ISettlement.sol";
import {ITariffs} from "../interfaces/ITariffs.sol";
import {TradeTerms} from "../libraries/MarketTypes.sol";
import {PointWord} from "../libraries/PointWord.sol";
import {Signatures} from "../libraries/Signatures.sol";
import {SlotTime} from "../libraries/SlotTime.sol";
import {TradeList} from "../libraries/TradeList.sol";
import {TradeRules} from "../libraries/TradeRules.sol";
import {TradeWord, TradeWordLibrary} from "../libraries/TradeWord.sol";

/// See IBilaterals for what each function does.
contract Bilaterals is IBilaterals, EIP712 {
    using TradeList for mapping(uint256 ringIndex => uint256 entry);

    /// So that a slot's clearing stays affordable, whoever registers trades.
    uint256 public constant MOST_PER_SLOT = 32;
    /// Trades of one point that are not released: nobody fills the slots alone.
    uint256 public constant MOST_PER_POINT = 8;
    bytes32 private constant TRADE_TYPEHASH = keccak256(
        "Trade(uint32 seller,uint32 buyer,uint32 firstSlot,uint16 slots,uint32 energyWh,int40 priceMicroPerKwh,"
        "int40 maxSpreadMicroPerKwh,bool sellerBearsSpread,uint64 nonce)"
    );
    bytes32 private constant CANCEL_TYPEHASH = keccak256("CancelTrade(bytes32 trade)");

    IMeteringPoints public immutable meteringPoints;
    ITariffs public immutable tariffs;
    address public immutable ledger;
    IOrderBook private immutable _orderBook;
    ISettlement private immutable _settlement;
    IGrid private immutable _grid;
    int256 private immutable _highestImportTariff;
    int256 private immutable _lowestExportTariff;
    int256 private immutable _highestPrice;
    int256 private immutable _lowestPrice;

    struct State {
        /// Margin per slot of each side; what was bound, however the zones' backup changes.
        uint96 sellerNano;
        uint96 buyerNano;
        /// First slot that was undone; 0 while none is.
        uint32 cancelledFrom;
        bool known;
    }

    struct Bound {
        uint248 nano;
        uint8 trades;
    }

    mapping(uint256 ringIndex => uint256 entry) private _lists;
    mapping(bytes32 id => State) private _states;
    mapping(uint32 point => Bound) private _bounds;

    constructor(IMeteringPoints meteringPoints_, ITariffs tariffs_, address ledger_) EIP712("DAEG", "1") {
        meteringPoints = meteringPoints_;
        tariffs = tariffs_;
        ledger = ledger_;
        _orderBook = IOrderBook(ILedger(ledger_).orderBook());
        _settlement = ISettlement(ILedger(ledger_).settlement());
        _grid = meteringPoints_.grid();
        _highestImportTariff = tariffs_.highestImportTariff();
        _lowestExportTariff = tariffs_.lowestExportTariff();
        _highestPrice = tariffs_.highestPrice();
        _lowestPrice = tariffs_.lowestPrice();
    }

    function register(
        Trade calldata trade,
        Consent calldata seller,
        Consent calldata buyer
    ) external returns (bytes32 id) {
        id = idOf(trade);
        if (_states[id].known) revert TradeKnown(id);
        bytes32 digest = digestOf(id, false);
        PointWord sells = _consented(trade.seller, seller, digest);
        PointWord buys = _consented(trade.buyer, buyer, digest);
        TradeRules.checkSides(trade, sells, buys);

        State memory state = _marginOf(trade, sells, buys);
        _states[id] = state;
        _list(trade, _wordOf(trade, sells, buys), seller.delegate != address(0), buyer.delegate != address(0));
        _bind(trade.seller, uint256(state.sellerNano) * trade.slots);
        _bind(trade.buyer, uint256(state.buyerNano) * trade.slots);
        emit TradeRegistered(id, trade, sells.zone(), buys.zone(), state.sellerNano, state.buyerNano);
    }

    function cancel(Trade calldata trade, Consent calldata seller, Consent calldata buyer) external {
        bytes32 id = idOf(trade);
        State storage state = _known(id);
        if (state.cancelledFrom != 0) revert AlreadyCancelled(id);
        bytes32 digest = digestOf(id, true);
        PointWord sells = _consented(trade.seller, seller, digest);
        PointWord buys = _consented(trade.buyer, buyer, digest);
        uint32 last = TradeRules.lastSlot(trade);
        uint32 from = TradeRules.firstOpen(trade);
        if (from > last) revert GateClosed(last, SlotTime.gateOf(last));
        state.cancelledFrom = from;
        uint256 slots = last + 1 - from;
        _bounds[trade.seller].nano -= uint248(state.sellerNano * slots);
        _bounds[trade.buyer].nano -= uint248(state.buyerNano * slots);
        TradeWord word = _wordOf(trade, sells, buys).cancelling();
        for (uint32 slot = from; slot <= last; ++slot) _lists.add(slot, word);
        emit TradeCancelled(id, from);
    }

    function release(Trade calldata trade) external {
        bytes32 id = idOf(trade);
        State memory state = _known(id);
        uint32 last = TradeRules.lastSlot(trade);
        uint32 finalThrough = _settlement.finalThrough();
        if (finalThrough < last) revert TradeNotFinal(id, last, finalThrough);
        delete _states[id];
        uint256 slots = state.cancelledFrom == 0 ? trade.slots : state.cancelledFrom - trade.firstSlot;
        _free(trade.seller, state.sellerNano * slots);
        _free(trade.buyer, state.buyerNano * slots);
        emit TradeReleased(id);
    }

    function tradesOf(uint32 slot) external view returns (bytes28 hash, uint256 count) {
        return _lists.get(slot);
    }

    function listed(uint32 slot, bytes calldata words) external view returns (TradeTerms[] memory) {
        (bytes28 expected, uint256 count) = _lists.get(slot);
        bytes28 got = TradeList.hashOf(words);
        if (got != expected || words.length != count * TradeList.WORD_BYTES) revert TradesMismatch(slot, expected, got); // [88]
        return TradeList.terms(words);
    }

    function boundOf(uint32 point) external view returns (uint256 nano, uint256 trades) {
        Bound storage bound = _bounds[point];
        return (bound.nano, bound.trades);
    }

    function idOf(Trade calldata trade) public pure returns (bytes32) {
        return keccak256(abi.encode(TRADE_TYPEHASH, trade));
    }

    function digestOf(bytes32 id, bool cancels) public view returns (bytes32) {
        return _hashTypedDataV4(cancels ? keccak256(abi.encode(CANCEL_TYPEHASH, id)) : id);
    }

    /// Adds the trade to the list of each of its slots. A word more than the most is room for undoing.
    function _list(Trade calldata trade, TradeWord word, bool sellerDelegated, bool buyerDelegated) private {
        uint32 last = TradeRules.lastSlot(trade);
        uint256 gate = SlotTime.gateOf(trade.firstSlot);
        if (block.timestamp > gate) revert GateClosed(trade.firstSlot, gate);
        uint32 latest = SlotTime.current() + uint32(SlotTime.AHEAD_SLOTS);
        if (last > latest) revert SlotTooFarAhead(last, latest);
        for (uint32 slot = trade.firstSlot; slot <= last; ++slot) {
            TradeRules.checkSlot(trade, slot, tariffs.wordOf(slot), sellerDelegated, buyerDelegated);
            if (_lists.add(slot, word) > MOST_PER_SLOT) revert TooManyTrades(slot);
        }
    }

    /// Binds margin, if the balance has it beyond what orders and other trades bind.
    function _bind(uint32 point, uint256 nano) private {
        Bound storage bound = _bounds[point];
        if (bound.trades == MOST_PER_POINT) revert TooManyOpenTrades(point);
        ++bound.trades;
        bound.nano += uint248(nano);
        int256 balance = ILedger(ledger).backingOf(point);
        uint256 required = _orderBook.requiredMargin(point) + bound.nano;
        if (balance < int256(required)) revert MarginMissing(point, balance, required); // [86]
    }

    function _free(uint32 point, uint256 nano) private {
        Bound storage bound = _bounds[point];
        bound.nano -= uint248(nano);
        --bound.trades;
    }

    function _known(bytes32 id) private view returns (State storage state) {
        state = _states[id];
        if (!state.known) revert UnknownTrade(id);
    }

    /// The point, if its owner, or a delegate that it names, agreed to the digest.
    function _consented(uint32 point, Consent calldata consent, bytes32 digest) private view returns (PointWord word) {
        bool delegated;
        (word, delegated) = meteringPoints.orderTerms(point, consent.delegate);
        address signer = word.owner();
        if (consent.delegate != address(0)) {
            if (!delegated) revert NoConsent(point);
            signer = consent.delegate;
        }
        if (signer == address(0)) revert NoConsent(point);
        if (consent.signature.length == 0 && msg.sender == signer) return word;
        bytes memory signature = consent.signature;
        uint256 pointer;
        assembly ("memory-safe") {
            pointer := add(signature, 32)
        }
        if (!Signatures.isValid(signer, digest, pointer, signature.length)) revert NoConsent(point);
    }

    function _marginOf(
        Trade calldata trade,
        PointWord sells,
        PointWord buys
    ) private view returns (State memory state) {
        uint256 unbacked = _grid.unbackedZones();
        (state.sellerNano, state.buyerNano) = TradeRules.marginOf(
            trade,
            _boundsOf((unbacked >> sells.zone()) & 1 == 1),
            _boundsOf((unbacked >> buys.zone()) & 1 == 1)
        );
        state.known = true;
    }

    /// What a Wh less costs at most and a Wh more earns at least, in a zone of which some version is without backup supplier or not.
    function _boundsOf(bool unbacked) private view returns (TradeRules.Bounds memory bounds) {
        bounds.highestDeficit = _highestImportTariff > 0 ? _highestImportTariff : int256(0);
        bounds.lowestSurplus = _lowestExportTariff < 0 ? _lowestExportTariff : int256(0);
        if (!unbacked) return bounds;
        int256 widestFee = _highestImportTariff - _lowestExportTariff;
        int256 dearest = _highestPrice + widestFee;
        int256 cheapest = _lowestPrice - widestFee;
        if (dearest > bounds.highestDeficit) bounds.highestDeficit = dearest;
        if (cheapest < bounds.lowestSurplus) bounds.lowestSurplus = cheapest;
    }

    function _wordOf(Trade calldata trade, PointWord sells, PointWord buys) private pure returns (TradeWord) {
        return
            TradeWordLibrary.pack(
                trade.seller,
                trade.buyer,
                sells.zone(),
                buys.zone(),
                trade.energyWh,
                trade.priceMicroPerKwh,
                trade.maxSpreadMicroPerKwh,
                trade.sellerBearsSpread
            );
    }
}
