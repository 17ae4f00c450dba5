import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Wallet } from "ethers";
import { toSlots, type SlotSeries } from "../../services/core/community/slots.ts";
import { slotStart } from "../../services/platform/clock.ts";
import { createProvider, type PooledProvider } from "../../services/platform/provider.ts";
import { connectContracts } from "../../services/protocol/contracts.ts";
import { deriveKey } from "../../services/protocol/keys.ts";
import { bootstrapMarket, type Market } from "./bootstrap.ts";
import { createChainControl, type ChainControl } from "./chain-control.ts";
import { startChild, type Child } from "./child.ts";
import { createConductor } from "./conductor.ts";
import {
  agentConfigs,
  apiConfig,
  auctioneerConfig,
  indexerConfig,
  nodeConfigs,
  simulatorConfigs,
  type Wiring,
} from "./configs.ts";
import { zoneTree, type TreeZone } from "./grid.ts";
import { createOperator } from "./operator.ts";
import { freePorts } from "./ports.ts";
import type { RunPlan } from "./plan.ts";
import type { Timing } from "./timing.ts";

export interface SystemOptions {
  plan: RunPlan;
  stateDir: string;
  /** Wall seconds of a slot; 0 = as fast as it goes. */
  slotSeconds: number;
  /** Port of the api and dashboard; 0 takes a free one. */
  port?: number;
  /** Oracle nodes and how many faulty ones they tolerate. */
  committee?: { nodes: number; faults: number };
  /** Processes that share the homes' agents. */
  agentProcesses?: number;
  /** The home whose wallet the dashboard holds (live only). */
  guest?: string;
  /** Node that lies by a factor, for demonstrations and fault tests. */
  lie?: { node: number; factor: number };
  /** A development chain that runs already (its time can be set, its accounts filled), instead of one of our own. */
  rpcUrl?: string;
  /** Endpoint that the processes use instead of the chain's own, for tests that cut it off. */
  chainFor?: (url: string) => Promise<string>;
  /** Where wall time goes, for measurements. */
  timing?: Timing | undefined;
  onProblem(message: string): void;
  onProgress?(message: string): void;
}

export interface LocalSystem {
  plan: RunPlan;
  tree: TreeZone[];
  series: SlotSeries;
  market: Market;
  wiring: Wiring;
  provider: PooledProvider;
  chain: ChainControl;
  chainUrl: string;
  children: Map<string, Child>;
  conductor: ReturnType<typeof createConductor>;
  indexerStorePath(): string;
  apiUrl(): string;
  stop(): Promise<void>;
}

/** Chain time starts this long before the first gate that matters: room for deployment. */
const PREPARATION_SECONDS = 7_200;

/** Starts a whole local system: chain, market, devices, nodes, agents, services; the caller drives its clock. */
export const startSystem = async (options: SystemOptions): Promise<LocalSystem> => {
  const { plan, stateDir, slotSeconds, onProblem, onProgress = () => undefined } = options;
  const { nodes, faults } = options.committee ?? { nodes: 4, faults: 1 };
  const { community, seed, firstSlot } = plan;
  const paths = {
    configDir: join(stateDir, "config"),
    logDir: join(stateDir, "logs"),
    storeDir: join(stateDir, "stores"),
  };
  for (const dir of Object.values(paths)) mkdirSync(dir, { recursive: true });
  const children = new Map<string, Child>();
  const start = async (name: string, module: string, config: unknown): Promise<Child> => {
    const child = await startChild({ name, module, config }, { ...paths, onProblem });
    children.set(name, child);
    return child;
  };
  const stop = async (): Promise<void> => {
    const chainChild = children.get("chain");
    await Promise.all([...children.values()].filter((child) => child !== chainChild).map((child) => child.stop()));
    await chainChild?.stop();
  };

  try {
    onProgress("starting the chain");
    // Everything before slot `firstSlot - 1` is preparation; in that slot the orders for the first slot are made.
    const chainStart = slotStart(firstSlot - 1) - PREPARATION_SECONDS;
    const ports = await freePorts(6 + nodes + community.homes.length + community.zones.length);
    const take = (): number => ports.pop() as number;
    const ownChain = async (): Promise<string> => {
      const args = ["--port", String(take()), "--start", String(chainStart)];
      const child = await startChild(
        { name: "chain", module: "scripts/local/chain.ts", args },
        { ...paths, onProblem },
      );
      children.set("chain", child);
      return child.info["url"] as string;
    };
    const chainUrl = options.rpcUrl ?? (await ownChain());
    const provider = await createProvider({ urls: [chainUrl] });
    const chain = createChainControl(chainUrl);
    await chain.setTime(slotStart(firstSlot - 1) - 60);

    onProgress("deploying the market");
    const tree = zoneTree(community);
    const series = toSlots(plan.series);
    const market = await bootstrapMarket({
      provider,
      chain,
      community,
      tree,
      tariffBounds: {
        highestImport: series.importPriceMicroPerKwh.reduce((a, b) => Math.max(a, b)),
        lowestExport: series.exportPriceMicroPerKwh.reduce((a, b) => Math.min(a, b)),
      },
      seed,
      nodes,
      faults,
      genesisSlot: firstSlot,
    });
    const addressesFile = join(stateDir, "addresses.json");
    writeFileSync(addressesFile, `${JSON.stringify(market.addresses, null, 2)}\n`);
    const operator = createOperator({
      contracts: connectContracts(market.addresses, new Wallet(deriveKey(seed, "operator"), provider)),
      series,
      feeMicroPerKwh: community.feeMicroPerKwh,
      firstSlot,
    });
    await operator.publish(slotStart(firstSlot - 1));

    onProgress("starting devices, nodes, agents and services");
    const wiring: Wiring = {
      plan,
      tree,
      market,
      addressesFile,
      storeDir: paths.storeDir,
      slotSeconds,
      rpcUrl: (await options.chainFor?.(chainUrl)) ?? chainUrl,
      faults,
      ports: {
        homes: new Map(community.homes.map(({ id }) => [id, take()])),
        heads: new Map(tree.map(({ name }) => [name, take()])),
        nodes: Array.from({ length: nodes }, take),
        auctioneer: take(),
        api: options.port || take(),
      },
      ...(options.guest === undefined ? {} : { guest: options.guest }),
      ...(options.lie === undefined ? {} : { lie: options.lie }),
      agentProcesses: options.agentProcesses ?? 2,
    };
    const simulators = await startAll(simulatorConfigs(wiring), "services/simulator/main.ts", start);
    const indexer = await start("indexer", "services/indexer/main.ts", indexerConfig(wiring));
    const indexerStorePath = (): string => indexer.info["storePath"] as string;
    const [oracles, auctioneer] = await Promise.all([
      startAll(nodeConfigs(wiring), "oracle/main.ts", start),
      start("auctioneer", "services/auctioneer/main.ts", auctioneerConfig(wiring)),
    ]);
    const api = await start("api", "services/api/main.ts", apiConfig(wiring, indexerStorePath()));
    const agents = await startAll(agentConfigs(wiring), "services/agent/main.ts", start);

    const conductor = createConductor({
      setChainTime: chain.setTime,
      onInstant: operator.publish,
      timing: options.timing,
      stages: ({ trading }) => [
        simulators,
        [indexer],
        [...oracles, ...(trading ? agents : [])],
        [auctioneer],
        [indexer],
        [api],
      ],
    });
    return {
      plan,
      tree,
      series,
      market,
      wiring,
      provider,
      chain,
      chainUrl,
      children,
      conductor,
      indexerStorePath,
      apiUrl: () => api.info["url"] as string,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
};

const startAll = (
  configs: readonly { name: string; config: unknown }[],
  module: string,
  start: (name: string, module: string, config: unknown) => Promise<Child>,
): Promise<Child[]> => Promise.all(configs.map(({ name, config }) => start(name, module, config)));
