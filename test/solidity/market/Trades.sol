// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Consent, IBilaterals, Trade} from "../../../contracts/interfaces/IBilaterals.sol";
import {TradeTerms} from "../../../contracts/libraries/MarketTypes.sol";
import {Orders} from "./Orders.sol";

/// Bilateral trades: registered, undone and released, and the margin that they bind.
abstract contract Trades is Orders {
    bytes32 private constant CANCEL = keccak256("CancelTrade(bytes32 trade)");
    bytes32 private constant TRADE = keccak256(
        "Trade(uint32 seller,uint32 buyer,uint32 firstSlot,uint16 slots,uint32 energyWh,int40 priceMicroPerKwh,"
        "int40 maxSpreadMicroPerKwh,bool sellerBearsSpread,uint64 nonce)"
    );

    struct Registered {
        Trade trade;
        int256 sellerNano;
        int256 buyerNano;
        uint32 cancelledFrom;
        bool released;
    }

    Registered[] internal registered;
    /// Words of every slot's list, and what each can still fill.
    mapping(uint32 slot => uint256[]) internal tradeWords;
    mapping(uint32 slot => TradeTerms[]) internal tradeTerms;
    mapping(uint256 point => int256 nano) private _bound;
    mapping(uint256 point => uint256) internal openTrades;

    function trade(uint256 seed) public {
        _goTo(now_);
        Trade memory t;
        t.seller = uint32(_pick(seed, 1, zoneOf.length));
        t.buyer = uint32((t.seller + 1 + _pick(seed, 2, zoneOf.length - 1)) % zoneOf.length);
        uint256 most = ratings[t.seller][1] < ratings[t.buyer][0] ? ratings[t.seller][1] : ratings[t.buyer][0];
        if (most < 50) return;
        t.energyWh = uint32(50 + _pick(seed, 3, most - 49));
        t.firstSlot = _current() + 2;
        t.slots = uint16(1 + _pick(seed, 4, 3));
        t.priceMicroPerKwh = int40(int256(_pick(seed, 5, 8) * 50_000));
        t.maxSpreadMicroPerKwh = int40(int256(_pick(seed, 6, 5) * 30_000)) - 30_000;
        t.sellerBearsSpread = _pick(seed, 7, 2) == 0;
        t.nonce = uint64(registered.length);
        _publishThrough(t.firstSlot + t.slots);
        _register(t);
    }

    function cancelTrade(uint256 seed) public {
        _goTo(now_);
        if (registered.length == 0) return;
        Registered storage r = registered[registered.length - 1 - (_pick(seed, 1, 4) % registered.length)];
        bytes32 id = keccak256(abi.encode(TRADE, r.trade));
        (Consent memory seller, Consent memory buyer) = _consents(r.trade, keccak256(abi.encode(CANCEL, id)));
        bytes memory call = abi.encodeCall(bilaterals.cancel, (r.trade, seller, buyer));
        if (r.released) return _refused(STRANGER, address(bilaterals), call, IBilaterals.UnknownTrade.selector);
        if (r.cancelledFrom != 0)
            return _refused(STRANGER, address(bilaterals), call, IBilaterals.AlreadyCancelled.selector);
        uint32 last = r.trade.firstSlot + r.trade.slots - 1;
        uint32 from = r.trade.firstSlot;
        while (from <= last && now_ > _gate(from)) ++from;
        if (from > last) return _refused(STRANGER, address(bilaterals), call, IBilaterals.GateClosed.selector);
        bilaterals.cancel(r.trade, seller, buyer);
        r.cancelledFrom = from;
        _free(r, int256(uint256(last + 1 - from)));
        for (uint32 slot = from; slot <= last; ++slot) _undo(slot, _wordOf(r.trade));
        _count("trade cancelled");
    }

    function releaseTrade(uint256 seed) public {
        _goTo(now_);
        if (registered.length == 0) return;
        Registered storage r = registered[_pick(seed, 1, registered.length)];
        bytes memory call = abi.encodeCall(bilaterals.release, (r.trade));
        if (r.released) return _refused(STRANGER, address(bilaterals), call, IBilaterals.UnknownTrade.selector);
        if (finalThrough < r.trade.firstSlot + r.trade.slots - 1)
            return _refused(STRANGER, address(bilaterals), call, IBilaterals.TradeNotFinal.selector);
        bilaterals.release(r.trade);
        r.released = true;
        --openTrades[r.trade.seller];
        --openTrades[r.trade.buyer];
        uint32 end = r.cancelledFrom == 0 ? r.trade.firstSlot + r.trade.slots : r.cancelledFrom;
        _free(r, int256(uint256(end - r.trade.firstSlot)));
        _count("trade released");
    }

    function _boundByTrades(uint256 point) internal view override returns (int256) {
        return _bound[point];
    }

    function _openMargin(uint256 point) internal view virtual returns (int256);

    function _register(Trade memory t) private {
        Registered memory r;
        r.trade = t;
        _setMargins(r);
        (Consent memory seller, Consent memory buyer) = _consents(t, keccak256(abi.encode(TRADE, t)));
        bytes memory call = abi.encodeCall(bilaterals.register, (t, seller, buyer));
        bytes4 refusal = _refusalOf(t.seller, r.sellerNano * int256(uint256(t.slots)));
        if (refusal == 0) refusal = _refusalOf(t.buyer, r.buyerNano * int256(uint256(t.slots)));
        string memory wrong = "trades: registered without the margin";
        if (refusal != 0) return _refusedOr(wrong, STRANGER, address(bilaterals), call, refusal);
        _taken("trades: refused with the margin", STRANGER, address(bilaterals), call);
        _refused(STRANGER, address(bilaterals), call, IBilaterals.TradeKnown.selector);
        registered.push(r);
        ++openTrades[t.seller];
        ++openTrades[t.buyer];
        _free(r, -int256(uint256(t.slots)));
        TradeTerms memory terms = TradeTerms(zoneOf[t.seller], zoneOf[t.buyer], t.energyWh, t.maxSpreadMicroPerKwh);
        for (uint32 slot = t.firstSlot; slot < t.firstSlot + t.slots; ++slot) {
            tradeWords[slot].push(_wordOf(t));
            tradeTerms[slot].push(terms);
        }
        _count("trade");
    }

    /// The seller's: what a Wh that lacks costs at most, less what it gets; the buyer's: what it pays, less what a Wh too many earns at least.
    function _setMargins(Registered memory r) private view {
        Trade memory t = r.trade;
        int256 received = t.priceMicroPerKwh - (t.sellerBearsSpread ? t.maxSpreadMicroPerKwh : int40(0));
        int256 paid = t.priceMicroPerKwh + (t.sellerBearsSpread ? int40(0) : t.maxSpreadMicroPerKwh);
        int256 spread = int256(HIGHEST_IMPORT) - LOWEST_EXPORT;
        bool unbacked = zoneEverIslanded && zoneOf[t.seller] == 1;
        int256 each = (unbacked ? HIGHEST_PRICE + spread : int256(HIGHEST_IMPORT)) - received + 2;
        if (each > 0) r.sellerNano = each * int256(uint256(t.energyWh));
        unbacked = zoneEverIslanded && zoneOf[t.buyer] == 1;
        each = paid - (unbacked ? LOWEST_PRICE - spread : int256(LOWEST_EXPORT)) + 2;
        if (each > 0) r.buyerNano = each * int256(uint256(t.energyWh));
    }

    function _refusalOf(uint256 point, int256 nano) private view returns (bytes4) {
        if (openTrades[point] == 8) return IBilaterals.TooManyOpenTrades.selector;
        return _affords(point, nano) ? bytes4(0) : IBilaterals.MarginMissing.selector;
    }

    /// Nobody who is suspended, and nobody whose balance and credit do not hold what orders and trades bind, and this trade.
    function _affords(uint256 point, int256 nano) private view returns (bool) {
        if (standings[point].since != 0) return false;
        return balances[point] + standings[point].credit >= _openMargin(point) + _bound[point] + nano;
    }

    function _free(Registered memory r, int256 slots_) private {
        _bound[r.trade.seller] -= r.sellerNano * slots_;
        _bound[r.trade.buyer] -= r.buyerNano * slots_;
    }

    /// The first equal word that is not undone yet ends.
    function _undo(uint32 slot, uint256 word) private {
        uint256[] storage words = tradeWords[slot];
        for (uint256 i = 0; i < words.length; ++i) {
            if (words[i] != word || tradeTerms[slot][i].limitWh == 0) continue;
            tradeTerms[slot][i].limitWh = 0;
            break;
        }
        TradeTerms memory terms = tradeTerms[slot][0];
        words.push(word | 2);
        terms.from = uint8(word >> 184);
        terms.to = uint8(word >> 176);
        terms.maxSpread = int40(uint40(word >> 64));
        terms.limitWh = 0;
        tradeTerms[slot].push(terms);
    }

    function _wordOf(Trade memory t) private view returns (uint256) {
        bytes memory packed = abi.encodePacked(
            t.seller,
            t.buyer,
            zoneOf[t.seller],
            zoneOf[t.buyer],
            t.energyWh,
            t.priceMicroPerKwh,
            t.maxSpreadMicroPerKwh,
            uint64(t.sellerBearsSpread ? 1 : 0)
        );
        return uint256(bytes32(packed));
    }

    function _consents(
        Trade memory t,
        bytes32 structHash
    ) private view returns (Consent memory seller, Consent memory buyer) {
        bytes32 digest = _typed(address(bilaterals), structHash);
        seller.signature = _sign(ownerKeys[t.seller], digest);
        buyer.signature = _sign(ownerKeys[t.buyer], digest);
    }
}
