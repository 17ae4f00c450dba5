import { Interface, type Result, type TransactionReceipt } from "ethers";
import { EMERGENCY_EVENTS, emergencyBodyOf, type EmergencyEvent } from "./emergency-events.ts";
import { LEDGER_EVENTS, ledgerBodyOf, type LedgerEvent } from "./ledger-events.ts";
import type { Trade } from "./trade.ts";

/**
 * The events of DAEG's contracts as plain typed objects, decoded from raw logs: what the indexer, the auctioneer and the api
 * rebuild the market from. Energy Wh, prices micro-token per kWh, money nano-token; integers above 2^53 are bigint.
 */
export interface RawLog {
  address: string;
  topics: string[];
  data: string;
  blockNumber: string;
  blockHash: string;
  transactionHash: string;
  logIndex: string;
}

/** `int64[] prices` etc. of IAuction's ClearingRecord. */
export interface ClearingRecord {
  slot: number;
  clearer: string;
  prices: bigint[];
  backupSoldWh: bigint;
  backupBoughtWh: bigint;
  backupNano: bigint;
  congestionNano: bigint;
  /** 4 bytes per point: decodePositions, decodeWordCounts. */
  positions: string;
  /** "0x", or ClearingExtras. */
  extras: string;
}

export interface SlotTerms {
  importTariff: number;
  exportTariff: number;
  fee: number;
  bandMin: number;
  bandMax: number;
  reference: number;
}

export interface GridZone {
  parent: number;
  toParentWh: bigint;
  fromParentWh: bigint;
  backupCapacityWh: bigint;
}

/** ISettlement.Status by number. */
export const settlementStatuses = ["open", "estimated", "settled"] as const;
export type SettlementStatus = (typeof settlementStatuses)[number];

/** IOrderBook.Skip by number, in words that a prosumer understands. */
export const skipReasons = [
  "accepted",
  "it names another slot than its batch",
  "the gate had closed",
  "the slot is too far ahead",
  "the terms of the slot were not published",
  "the metering point does not exist",
  "its sequence number was used already",
  "it has more than 8 steps",
  "a step is below 50 Wh",
  "a price lies outside the band",
  "its highest bid is not below its lowest offer",
  "it exceeds the rating or the trading limit of the point",
  "the signature is neither the owner's nor a registered delegate's",
  "the account's balance does not cover the margin",
  "it is not a day order of 1 to 120 slots with 1 to 8 steps",
  "the market takes no new orders for now",
  "it was sealed before its zone became an island",
] as const;

export const skipReasonOf = (code: number): string => skipReasons[code] ?? `unknown reason ${code}`;

const TERMS = "tuple(int40 importTariff,int40 exportTariff,uint32 fee,int40 bandMin,int40 bandMax,int40 reference_)";
/** ClearingRecord in the ABI. */
export const RECORD =
  "tuple(uint32 slot,address clearer,int64[] prices,uint64 backupSoldWh,uint64 backupBoughtWh,int128 backupNano,int128 congestionNano,bytes positions,bytes extras)";
const ZONE = "tuple(uint8 parent,uint64 toParentWh,uint64 fromParentWh,uint64 backupCapacityWh)";

const TRADE =
  "tuple(uint32 seller,uint32 buyer,uint32 firstSlot,uint16 slots,uint32 energyWh,int40 priceMicroPerKwh,int40 maxSpreadMicroPerKwh,bool sellerBearsSpread,uint64 nonce)";

const iface = new Interface([
  ...LEDGER_EVENTS,
  ...EMERGENCY_EVENTS,
  "event PointRegistered(uint32 indexed point,address indexed owner,uint8 zone,uint24 importLimitWh,uint24 exportLimitWh)",
  "event OwnerChanged(uint32 indexed point,address indexed previousOwner,address indexed owner)",
  "event TradeLimitSet(uint32 indexed point,uint24 tradeLimitWh)",
  "event DelegateSet(uint32 indexed point,address indexed delegate,uint40 validUntil)",
  "event LimitsSet(uint32 indexed fromSlot,uint32 version,bytes limits)",
  `event GridSet(uint32 indexed fromSlot,uint32 version,${ZONE}[] zones)`,
  "event WordFeeSet(uint32 wordFeeNano)",
  "event PenaltySet(uint32 penaltyPrice)",
  "event EnvelopesSet(uint32 indexed firstSlot,bytes[] lists)",
  `event TermsPublished(uint32 indexed firstSlot,${TERMS}[] terms)`,
  "event Appended(uint32 indexed slot,bytes words,bytes32 book,uint32 wordCount)",
  "event DaysAppended(uint32 indexed firstSlot,bytes books,bytes outcomes,bytes orders)",
  "event DaySkipped(uint32 indexed point,uint32 firstSlot,uint8 sequence,uint8 reason)",
  "event OrderSkipped(uint32 indexed slot,uint32 indexed point,uint8 sequence,uint8 reason)",
  `event Cleared(uint32 indexed slot,address indexed clearer,${RECORD} record,uint64 boughtWh,int256 welfareNano)`,
  "event CommitteeSet(address[] nodes,uint8 faults,uint32 epoch)",
  "event Reported(uint32 indexed slot,uint8 version,uint8 attempt,bytes32 readingsHash,bytes32 root,uint32 signers)",
  "event Settled(uint32 indexed slot,uint8 version,uint8 status,bytes readings,int128 backupNano,int128 operatorNano,int128 membersNano,int128 congestionNano)",
  "event SlotsSettled(bytes sums,bytes readings)",
  "event Estimated(uint32 indexed slot)",
  "event FinalThrough(uint32 slot)",
  `event TradeRegistered(bytes32 indexed id,${TRADE} trade,uint8 sellerZone,uint8 buyerZone,uint96 sellerNano,uint96 buyerNano)`,
  "event TradeCancelled(bytes32 indexed id,uint32 fromSlot)",
  "event TradeReleased(bytes32 indexed id)",
]);

/** Topics of all events that are decoded here. */
export const eventTopics = (): string[] => {
  const topics: string[] = [];
  iface.forEachEvent(({ topicHash }) => topics.push(topicHash));
  return topics;
};

interface At {
  block: number;
  blockHash: string;
  txHash: string;
  logIndex: number;
}

export type ChainEvent = At & EventBody;

export type EventBody =
  | {
      name: "PointRegistered";
      point: number;
      owner: string;
      zone: number;
      importLimitWh: number;
      exportLimitWh: number;
    }
  | { name: "OwnerChanged"; point: number; owner: string }
  | { name: "TradeLimitSet"; point: number; tradeLimitWh: number }
  | { name: "DelegateSet"; point: number; delegate: string; validUntil: number }
  | { name: "GridSet"; fromSlot: number; version: number; zones: GridZone[] }
  /** The version that a GridSet of the same transaction announced is meshed. */
  | { name: "LimitsSet"; fromSlot: number; version: number; limits: string }
  | { name: "TermsPublished"; firstSlot: number; terms: SlotTerms[] }
  | { name: "WordFeeSet"; wordFeeNano: number }
  /** Micro-token per kWh beyond an operating envelope. */
  | { name: "PenaltySet"; penaltyPrice: number }
  /** Lists of consecutive slots (envelopes.ts). */
  | { name: "EnvelopesSet"; firstSlot: number; lists: string[] }
  | { name: "Appended"; slot: number; words: string; book: string; wordCount: number }
  /** `expandDays` makes a `DayOrderAppended` of it for each order and an `Appended` for each slot. */
  | { name: "DaysAppended"; firstSlot: number; books: string; outcomes: string; orders: string }
  /** No event of its own. Bit i of `taken` and `worded` is the order's i-th slot; `order`: PackedDays up to the last step. */
  | { name: "DayOrderAppended"; zone: number; priority: number; taken: bigint; worded: bigint; order: string }
  | { name: "DaySkipped"; point: number; firstSlot: number; sequence: number; reason: number }
  | { name: "OrderSkipped"; slot: number; point: number; sequence: number; reason: number }
  | { name: "Cleared"; slot: number; clearer: string; record: ClearingRecord; boughtWh: bigint; welfareNano: bigint }
  | { name: "CommitteeSet"; nodes: string[]; faults: number; epoch: number }
  | {
      name: "Reported";
      slot: number;
      version: number;
      attempt: number;
      readingsHash: string;
      root: string;
      signers: number;
    }
  | {
      name: "Settled";
      slot: number;
      version: number;
      status: SettlementStatus;
      readings: string;
      backupNano: bigint;
      operatorNano: bigint;
      membersNano: bigint;
      congestionNano: bigint;
    }
  /** `expandSlots` makes a `Settled` of it for each slot. */
  | { name: "SlotsSettled"; sums: string; readings: string }
  | { name: "Estimated"; slot: number }
  | { name: "FinalThrough"; slot: number }
  | {
      name: "TradeRegistered";
      id: string;
      trade: Trade;
      sellerZone: number;
      buyerZone: number;
      /** Margin that each slot of the trade binds. */
      sellerNano: bigint;
      buyerNano: bigint;
    }
  | { name: "TradeCancelled"; id: string; fromSlot: number }
  | { name: "TradeReleased"; id: string }
  | LedgerEvent
  | EmergencyEvent;

/** Decodes a log; undefined for an event that is not DAEG's (token transfers, roles). The address is the caller's check. */
export const decodeLog = (log: RawLog): ChainEvent | undefined => {
  const topic = log.topics[0];
  if (topic === undefined) return undefined;
  const fragment = iface.getEvent(topic);
  if (!fragment) return undefined;
  const args = iface.decodeEventLog(fragment, log.data, log.topics);
  const body = bodyOf(fragment.name, args);
  return (
    body && {
      ...body,
      block: Number(log.blockNumber),
      blockHash: log.blockHash,
      txHash: log.transactionHash,
      logIndex: Number(log.logIndex),
    }
  );
};

/** DAEG's events of one contract in a mined transaction, in order. */
export const eventsOfReceipt = (receipt: TransactionReceipt, contract: string): ChainEvent[] =>
  receipt.logs.flatMap(({ address, topics, data, blockNumber, blockHash, transactionHash, index }) => {
    if (address.toLowerCase() !== contract.toLowerCase()) return [];
    const at = { blockNumber: String(blockNumber), blockHash, transactionHash, logIndex: String(index) };
    return decodeLog({ address, topics: [...topics], data, ...at }) ?? [];
  });

const bodyOf = (name: string, args: Result): EventBody | undefined => {
  const num = (key: string): number => Number(args[key] as bigint);
  const big = (key: string): bigint => args[key] as bigint;
  const text = (key: string): string => args[key] as string;
  switch (name) {
    case "PointRegistered":
      return {
        name,
        point: num("point"),
        owner: text("owner"),
        zone: num("zone"),
        importLimitWh: num("importLimitWh"),
        exportLimitWh: num("exportLimitWh"),
      };
    case "OwnerChanged":
      return { name, point: num("point"), owner: text("owner") };
    case "TradeLimitSet":
      return { name, point: num("point"), tradeLimitWh: num("tradeLimitWh") };
    case "DelegateSet":
      return { name, point: num("point"), delegate: text("delegate"), validUntil: num("validUntil") };
    case "GridSet":
      return { name, fromSlot: num("fromSlot"), version: num("version"), zones: list(args["zones"]).map(zoneOf) };
    case "LimitsSet":
      return { name, fromSlot: num("fromSlot"), version: num("version"), limits: text("limits") };
    case "TermsPublished":
      return { name, firstSlot: num("firstSlot"), terms: list(args["terms"]).map(termsOf) };
    case "WordFeeSet":
      return { name, wordFeeNano: num("wordFeeNano") };
    case "PenaltySet":
      return { name, penaltyPrice: num("penaltyPrice") };
    case "EnvelopesSet":
      return { name, firstSlot: num("firstSlot"), lists: [...(args["lists"] as string[])] };
    case "TradeRegistered":
      return {
        name,
        id: text("id"),
        trade: tradeOf(args["trade"] as Result),
        sellerZone: num("sellerZone"),
        buyerZone: num("buyerZone"),
        sellerNano: big("sellerNano"),
        buyerNano: big("buyerNano"),
      };
    case "TradeCancelled":
      return { name, id: text("id"), fromSlot: num("fromSlot") };
    case "TradeReleased":
      return { name, id: text("id") };
    case "Appended":
      return { name, slot: num("slot"), words: text("words"), book: text("book"), wordCount: num("wordCount") };
    case "DaysAppended":
      return {
        ...{ name, firstSlot: num("firstSlot"), books: text("books") },
        ...{ outcomes: text("outcomes"), orders: text("orders") },
      };
    case "DaySkipped":
      return {
        name,
        point: num("point"),
        firstSlot: num("firstSlot"),
        sequence: num("sequence"),
        reason: num("reason"),
      };
    case "OrderSkipped":
      return { name, slot: num("slot"), point: num("point"), sequence: num("sequence"), reason: num("reason") };
    case "Cleared":
      return {
        name,
        slot: num("slot"),
        clearer: text("clearer"),
        record: recordOf(args["record"] as Result),
        boughtWh: big("boughtWh"),
        welfareNano: big("welfareNano"),
      };
    case "CommitteeSet":
      return { name, nodes: [...(args["nodes"] as string[])], faults: num("faults"), epoch: num("epoch") };
    case "Reported":
      return {
        name,
        slot: num("slot"),
        version: num("version"),
        attempt: num("attempt"),
        readingsHash: text("readingsHash"),
        root: text("root"),
        signers: num("signers"),
      };
    case "Settled":
      return {
        name,
        slot: num("slot"),
        version: num("version"),
        status: settlementStatuses[num("status")] ?? "open",
        readings: text("readings"),
        backupNano: big("backupNano"),
        operatorNano: big("operatorNano"),
        membersNano: big("membersNano"),
        congestionNano: big("congestionNano"),
      };
    case "SlotsSettled":
      return { name, sums: text("sums"), readings: text("readings") };
    case "Estimated":
    case "FinalThrough":
      return { name, slot: num("slot") };
    default:
      return ledgerBodyOf(name, args) ?? emergencyBodyOf(name, args);
  }
};

const list = (value: unknown): Result[] => [...(value as Result[])];

const zoneOf = (zone: Result): GridZone => ({
  parent: Number(zone["parent"]),
  toParentWh: zone["toParentWh"] as bigint,
  fromParentWh: zone["fromParentWh"] as bigint,
  backupCapacityWh: zone["backupCapacityWh"] as bigint,
});

const tradeOf = (trade: Result): Trade => ({
  seller: Number(trade["seller"]),
  buyer: Number(trade["buyer"]),
  firstSlot: Number(trade["firstSlot"]),
  slots: Number(trade["slots"]),
  energyWh: Number(trade["energyWh"]),
  priceMicroPerKwh: Number(trade["priceMicroPerKwh"]),
  maxSpreadMicroPerKwh: Number(trade["maxSpreadMicroPerKwh"]),
  sellerBearsSpread: trade["sellerBearsSpread"] as boolean,
  nonce: trade["nonce"] as bigint,
});

const termsOf = (terms: Result): SlotTerms => ({
  importTariff: Number(terms["importTariff"]),
  exportTariff: Number(terms["exportTariff"]),
  fee: Number(terms["fee"]),
  bandMin: Number(terms["bandMin"]),
  bandMax: Number(terms["bandMax"]),
  reference: Number(terms["reference_"]),
});

const recordOf = (record: Result): ClearingRecord => ({
  slot: Number(record["slot"]),
  clearer: record["clearer"] as string,
  prices: [...(record["prices"] as bigint[])],
  backupSoldWh: record["backupSoldWh"] as bigint,
  backupBoughtWh: record["backupBoughtWh"] as bigint,
  backupNano: record["backupNano"] as bigint,
  congestionNano: record["congestionNano"] as bigint,
  positions: record["positions"] as string,
  extras: record["extras"] as string,
});
