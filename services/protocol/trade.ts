import { keccak256, solidityPacked, toBeHex, TypedDataEncoder, type TypedDataDomain } from "ethers";
import type { OrderSigner } from "./order.ts";

/** A bilateral trade of contracts/interfaces/IBilaterals.sol as its two signers see it. Energy Wh per slot, prices micro-token per kWh. */
export interface Trade {
  seller: number;
  buyer: number;
  firstSlot: number;
  slots: number;
  energyWh: number;
  priceMicroPerKwh: number;
  maxSpreadMicroPerKwh: number;
  sellerBearsSpread: boolean;
  nonce: bigint;
}

/** One side's yes, as `Bilaterals.register` and `cancel` take it. */
export interface Consent {
  /** The zero address when the owner signed. */
  delegate: string;
  /** Empty (0x) when the sender of the transaction is the signer. */
  signature: string;
}

export const tradeTypes = {
  Trade: [
    { name: "seller", type: "uint32" },
    { name: "buyer", type: "uint32" },
    { name: "firstSlot", type: "uint32" },
    { name: "slots", type: "uint16" },
    { name: "energyWh", type: "uint32" },
    { name: "priceMicroPerKwh", type: "int40" },
    { name: "maxSpreadMicroPerKwh", type: "int40" },
    { name: "sellerBearsSpread", type: "bool" },
    { name: "nonce", type: "uint64" },
  ],
};

export const cancelTradeTypes = { CancelTrade: [{ name: "trade", type: "bytes32" }] };

const NO_DELEGATE = "0x0000000000000000000000000000000000000000";

export const tradeDomain = (addresses: { chainId: number | bigint; bilaterals: string }): TypedDataDomain => ({
  name: "DAEG",
  version: "1",
  chainId: addresses.chainId,
  verifyingContract: addresses.bilaterals,
});

/** Struct hash of the trade: its id in the registry. */
export const tradeId = (trade: Trade): string => TypedDataEncoder.hashStruct("Trade", tradeTypes, trade);

/** Signs as the owner; with `delegate` (the signer's own address) as a registered delegate. */
export const consentToTrade = async (
  signer: OrderSigner,
  domain: TypedDataDomain,
  trade: Trade,
  delegate: string = NO_DELEGATE,
): Promise<Consent> => ({ delegate, signature: await signer.signTypedData(domain, tradeTypes, { ...trade }) });

export const consentToCancel = async (
  signer: OrderSigner,
  domain: TypedDataDomain,
  trade: Trade,
  delegate: string = NO_DELEGATE,
): Promise<Consent> => ({
  delegate,
  signature: await signer.signTypedData(domain, cancelTradeTypes, { trade: tradeId(trade) }),
});

/** A trade in one slot, unpacked (contracts/libraries/TradeWord.sol). */
export interface TradeWordFields {
  seller: number;
  buyer: number;
  /** Zones of the two points. */
  from: number;
  to: number;
  energyWh: number;
  priceMicroPerKwh: number;
  maxSpreadMicroPerKwh: number;
  sellerBearsSpread: boolean;
  cancels: boolean;
}

const WORD_HEX = 64;
const SELLER_BEARS = 1n;
const CANCELS = 2n;

const unsigned40 = (value: number): bigint => BigInt.asUintN(40, BigInt(value));

/** The 32 bytes of one trade in one slot, 0x and 64 hex digits. */
export const encodeTradeWord = (fields: TradeWordFields): string => {
  const { seller, buyer, from, to, energyWh, priceMicroPerKwh, maxSpreadMicroPerKwh } = fields;
  const flags = (fields.sellerBearsSpread ? SELLER_BEARS : 0n) | (fields.cancels ? CANCELS : 0n);
  const points = (BigInt(seller) << 224n) | (BigInt(buyer) << 192n) | (BigInt(from) << 184n) | (BigInt(to) << 176n);
  const prices = (unsigned40(priceMicroPerKwh) << 104n) | (unsigned40(maxSpreadMicroPerKwh) << 64n);
  return toBeHex(points | (BigInt(energyWh) << 144n) | prices | flags, 32);
};

/** The word that undoes another. */
export const cancellingWord = (word: string): string => toBeHex(BigInt(word) | CANCELS, 32);

/** A slot's list of trades, 0x and 32 bytes each. */
export const decodeTradeWords = (words: string): TradeWordFields[] => {
  const result: TradeWordFields[] = [];
  for (let at = 2; at + WORD_HEX <= words.length; at += WORD_HEX) {
    const raw = BigInt(`0x${words.slice(at, at + WORD_HEX)}`);
    const field = (shift: bigint, bits: number): number => Number(BigInt.asUintN(bits, raw >> shift));
    const signed = (shift: bigint): number => Number(BigInt.asIntN(40, raw >> shift));
    result.push({
      seller: field(224n, 32),
      buyer: field(192n, 32),
      from: field(184n, 8),
      to: field(176n, 8),
      energyWh: field(144n, 32),
      priceMicroPerKwh: signed(104n),
      maxSpreadMicroPerKwh: signed(64n),
      sellerBearsSpread: (raw & SELLER_BEARS) !== 0n,
      cancels: (raw & CANCELS) !== 0n,
    });
  }
  return result;
};

/** What the clearing sees of a trade: `limitWh` is 0 where it was undone, or undoes another. */
export interface ListedTrade {
  from: number;
  to: number;
  limitWh: number;
  maxSpread: number;
}

/** One entry per word, as TradeList.terms: a cancelling word undoes the first earlier one that is equal but for it. */
export const listedTrades = (words: string): ListedTrade[] => {
  const live: (string | undefined)[] = [];
  const list: ListedTrade[] = [];
  for (const fields of decodeTradeWords(words)) {
    const plain = encodeTradeWord({ ...fields, cancels: false });
    if (fields.cancels) {
      const undone = live.indexOf(plain);
      if (undone >= 0) {
        live[undone] = undefined;
        (list[undone] as ListedTrade).limitWh = 0;
      }
    }
    live.push(fields.cancels ? undefined : plain);
    list.push({
      from: fields.from,
      to: fields.to,
      limitWh: fields.cancels ? 0 : fields.energyWh,
      maxSpread: fields.maxSpreadMicroPerKwh,
    });
  }
  return list;
};

const NO_TRADES = `0x${"0".repeat(56)}`;

/** Running hash of a slot's list as the registry keeps it, 28 bytes. */
export const tradesHash = (words: string): string => {
  let hash = NO_TRADES;
  for (let at = 2; at + WORD_HEX <= words.length; at += WORD_HEX) {
    const word = `0x${words.slice(at, at + WORD_HEX)}`;
    hash = keccak256(solidityPacked(["bytes28", "bytes32"], [hash, word])).slice(0, 58);
  }
  return hash;
};
