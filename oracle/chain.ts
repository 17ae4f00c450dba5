/** What a node asks of the chain, and the one thing it sends there. */
import { isError, type SigningKey, type TransactionReceipt, Wallet } from "ethers";
import type { PooledProvider } from "../services/platform/provider.ts";
import { createSender } from "../services/platform/sender.ts";
import type { Store } from "../services/platform/store.ts";
import type { Log } from "../services/platform/log.ts";
import { wrongInput } from "../services/platform/errors.ts";
import type { Addresses } from "../services/protocol/addresses.ts";
import type { ReportRecord } from "../services/protocol/committee.ts";
import { decodeContractError } from "../services/protocol/contracts.ts";
import { packReports, packSignatures } from "../services/protocol/report.ts";
import { decodePositions } from "../services/protocol/words.ts";
import { MeteringPoints__factory } from "../types/contracts/factories/consumption/MeteringPoints__factory.ts";
import { MeterOracle__factory } from "../types/contracts/factories/consumption/MeterOracle__factory.ts";
import { Auction__factory } from "../types/contracts/factories/pricing/Auction__factory.ts";
import type { ConnectionLimits } from "./registers.ts";

const oracleInterface = MeterOracle__factory.createInterface();
const pointsInterface = MeteringPoints__factory.createInterface();
const auctionInterface = Auction__factory.createInterface();

/** A metering point as the oracle needs it; limits in Wh per slot. */
export interface ChainPoint extends ConnectionLimits {
  zone: number;
}

/** What became of a report that was sent. */
export type Landed =
  | "landed"
  /** Another report of this slot is on chain already. */
  | "superseded"
  /** The slot takes no report any more. */
  | "final"
  /** The chain's time has not reached the slot's end. */
  | "early";

export interface Chain {
  chainId: number;
  /** Metering points, dense from 0. */
  points(): Promise<ChainPoint[]>;
  /** Digest of the slot's last report, undefined without one (or when it is so old that the ring forgot it). */
  reportDigestOf(slot: number): Promise<string | undefined>;
  /** Energy that each point bought in a slot, Wh; all zero (empty) when the slot was not cleared. */
  boughtWh(slot: number): Promise<number[]>;
  /**
   * Sends again what was signed and never seen mined: a nonce left open would hold up all that follows.
   * @throws retryable errors when the chain does not answer
   */
  resume(): Promise<void>;
  /**
   * Lands reports of consecutive slots, in one transaction where all can be taken.
   * @returns what became of them, in order, up to the first one that the chain does not take
   * @throws retryable errors when the chain does not answer; CALL_EXCEPTION for reverts that are nobody's race
   */
  land(reports: readonly ReportRecord[]): Promise<Landed[]>;
}

/** Own gas of a report, without the signatures' share: well above what it takes, unused gas is not paid. */
const REPORT_GAS = 150_000n;
const SIGNATURE_GAS = 15_000n;

export const createChain = async ({
  provider,
  addresses,
  signingKey,
  store,
  log,
}: {
  provider: PooledProvider;
  addresses: Addresses;
  signingKey: SigningKey;
  store: Store;
  log: Log;
}): Promise<Chain> => {
  const sender = createSender({ provider, wallet: new Wallet(signingKey), store, log });
  const { chainId } = await provider.getNetwork();

  const landOne = async (record: ReportRecord): Promise<Landed> => {
    const { slot, version, attempt, readingsHash, root, signers, signatures } = record;
    try {
      const receipt = await sender.send({
        key: `report:${slot}:${version}`,
        to: addresses.meterOracle,
        data: oracleInterface.encodeFunctionData("report", [
          { slot, version, attempt, readingsHash, root },
          packSignatures(signers, signatures),
        ]),
        gasLimit: REPORT_GAS + SIGNATURE_GAS * BigInt(signers.length),
      });
      return outcomeIn(receipt, record);
    } catch (error) {
      switch (decodeContractError(error)?.name) {
        case "VersionNotHigher":
          return "superseded";
        case "SlotIsFinal":
          return "final";
        case "SlotNotOver":
          return "early";
        default:
          throw error;
      }
    }
  };

  const allTaken = async (data: string, reports: number): Promise<boolean> => {
    const answer = await provider.call({ to: addresses.meterOracle, data });
    return oracleInterface.decodeFunctionResult("reportMany", answer)[0] === BigInt(reports);
  };

  const landMany = async (reports: readonly ReportRecord[], data: string): Promise<Landed[]> => {
    const [first, last] = [reports[0], reports.at(-1)] as [ReportRecord, ReportRecord];
    const signers = reports.reduce((sum, record) => sum + record.signers.length, 0);
    const receipt = await sender.send({
      key: `reports:${first.slot}-${last.slot}:${first.version}:${first.attempt}`,
      to: addresses.meterOracle,
      data,
      gasLimit: REPORT_GAS * BigInt(reports.length) + SIGNATURE_GAS * BigInt(signers),
    });
    return reports.map((record) => outcomeIn(receipt, record));
  };

  return {
    chainId: Number(chainId),
    points: async () => {
      const logs = await provider.getLogs({
        address: addresses.meteringPoints,
        fromBlock: addresses.deployedAtBlock,
        topics: [pointsInterface.getEvent("PointRegistered").topicHash],
      });
      const points: ChainPoint[] = [];
      for (const entry of logs) {
        const parsed = pointsInterface.parseLog(entry);
        if (!parsed) continue;
        points[Number(parsed.args["point"])] = {
          zone: Number(parsed.args["zone"]),
          importLimitWh: Number(parsed.args["importLimitWh"]),
          exportLimitWh: Number(parsed.args["exportLimitWh"]),
        };
      }
      return points;
    },
    reportDigestOf: async (slot) => {
      const data = await provider.call({
        to: addresses.meterOracle,
        data: oracleInterface.encodeFunctionData("reportOf", [slot]),
      });
      const [version, digest] = oracleInterface.decodeFunctionResult("reportOf", data);
      return Number(version) === 0 ? undefined : String(digest);
    },
    boughtWh: async (slot) => {
      const logs = await provider.getLogs({
        address: addresses.auction,
        fromBlock: addresses.deployedAtBlock,
        topics: auctionInterface.encodeFilterTopics("Cleared", [slot]),
      });
      const parsed = logs[0] && auctionInterface.parseLog(logs[0]);
      return parsed ? decodePositions(parsed.args.record.positions).map((soldWh) => Math.max(0, -soldWh)) : [];
    },
    resume: sender.resume,
    land: async (reports) => {
      if (reports.length > 1) {
        const data = encodeMany(reports);
        if (await allTaken(data, reports.length)) return landMany(reports, data);
      }
      const outcomes: Landed[] = [];
      for (const record of reports) {
        const outcome = await landOne(record);
        outcomes.push(outcome);
        if (outcome === "early" || outcome === "superseded") break;
      }
      return outcomes;
    },
  };
};

const encodeMany = (reports: readonly ReportRecord[]): string =>
  oracleInterface.encodeFunctionData("reportMany", [
    packReports(reports.map((report) => ({ report, signatures: packSignatures(report.signers, report.signatures) }))),
  ]);

/** Without its event: an earlier attempt of this node was mined instead, or somebody else's report came first. */
const outcomeIn = ({ logs }: TransactionReceipt, { slot, readingsHash, root }: ReportRecord): Landed => {
  const reported = logs.some((entry) => {
    const event = oracleInterface.parseLog(entry);
    if (event?.name !== "Reported" || Number(event.args["slot"]) !== slot) return false;
    return event.args["readingsHash"] === readingsHash && event.args["root"] === root;
  });
  return reported ? "landed" : "superseded";
};

/** Whether the chain's node refused a call or transaction: a revert, an account without coins, a nonce that is taken. */
export const isChainRefusal = (error: unknown): boolean =>
  (["CALL_EXCEPTION", "INSUFFICIENT_FUNDS", "NONCE_EXPIRED", "REPLACEMENT_UNDERPRICED", "UNKNOWN_ERROR"] as const).some(
    (code) => isError(error, code),
  );

/**
 * Checks that the committee on chain is the configured one.
 * @throws DaegError exit 1 naming the first difference
 */
export const checkCommittee = async (
  provider: PooledProvider,
  { chainId, meterOracle }: Pick<Addresses, "chainId" | "meterOracle">,
  { addresses, faults }: { addresses: readonly string[]; faults: number },
): Promise<void> => {
  const network = await provider.getNetwork();
  if (Number(network.chainId) !== chainId) {
    throw wrongInput(`rpcUrls: this is chain ${network.chainId}, the contracts stand on chain ${chainId}`);
  }
  const data = await provider.call({ to: meterOracle, data: oracleInterface.encodeFunctionData("committee") });
  if (data === "0x") throw wrongInput(`there is no MeterOracle at ${meterOracle}: check addressesFile and rpcUrls`);
  const [nodes, chainFaults] = oracleInterface.decodeFunctionResult("committee", data);
  const onChain = [...(nodes as string[])];
  if (onChain.length !== addresses.length || Number(chainFaults) !== faults) {
    throw wrongInput(
      `peers: the committee on chain has ${onChain.length} nodes and tolerates ${Number(chainFaults)}, the config says ${addresses.length} and ${faults}`,
    );
  }
  onChain.forEach((address, index) => {
    if (address !== addresses[index]) {
      throw wrongInput(`peers[${index}].address: ${addresses[index]} is not the node on chain, ${address}`);
    }
  });
};
