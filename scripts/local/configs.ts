import { join } from "node:path";
import { Wallet } from "ethers";
import { slotStart } from "../../services/platform/clock.ts";
import { deriveKey } from "../../services/protocol/keys.ts";
import type { Market } from "./bootstrap.ts";
import type { TreeZone } from "./grid.ts";
import type { RunPlan } from "./plan.ts";
import { projectRoot } from "./root.ts";

/** Everything that the processes' configs are made of. */
export interface Wiring {
  plan: RunPlan;
  tree: readonly TreeZone[];
  market: Market;
  addressesFile: string;
  storeDir: string;
  slotSeconds: number;
  rpcUrl: string;
  faults: number;
  ports: { homes: Map<string, number>; heads: Map<string, number>; nodes: number[]; auctioneer: number; api: number };
  guest?: string;
  lie?: { node: number; factor: number };
  agentProcesses: number;
}

interface NamedConfig {
  name: string;
  config: unknown;
}

const host = "127.0.0.1";
/** Unit ids of a simulated home. */
const METER_UNIT = 1;

const logLevel = "warn";

/** How often the dashboard's picture of the present power is renewed. */
const LIVE_POLL_MS = 500;

const urlOf = (port: number): string => `http://${host}:${port}`;

/** Homes dealt out to processes in order; the head meters go with the first one. */
const shares = <T>(all: readonly T[], processes: number): T[][] => {
  const count = Math.max(1, Math.min(processes, all.length));
  const size = Math.ceil(all.length / count);
  return Array.from({ length: count }, (_, at) => all.slice(at * size, (at + 1) * size)).filter(
    (share) => share.length > 0,
  );
};

export const simulatorConfigs = ({ plan, ports, storeDir, tree }: Wiring): NamedConfig[] => [
  {
    name: "simulator",
    config: {
      clock: "driven",
      logLevel,
      host,
      communityDir: plan.communityDir,
      stateDir: join(storeDir, "simulator"),
      homes: plan.community.homes.map(({ id }) => ({ id, port: ports.homes.get(id) })),
      heads: tree.map(({ name }) => ({ zone: name, port: ports.heads.get(name) })),
      httpPort: 0,
      start: slotStart(plan.firstSlot),
    },
  },
];

export const indexerConfig = ({ storeDir, rpcUrl, addressesFile }: Wiring): unknown => ({
  clock: "driven",
  logLevel,
  statePath: join(storeDir, "indexer.db"),
  rpcUrls: [rpcUrl],
  addressesFile,
});

export const nodeConfigs = ({
  plan,
  tree,
  market,
  ports,
  storeDir,
  rpcUrl,
  addressesFile,
  faults,
  lie,
  slotSeconds,
}: Wiring): NamedConfig[] => {
  const peers = ports.nodes.map((port, index) => ({
    index,
    url: urlOf(port),
    address: new Wallet(deriveKey(plan.seed, `node:${index}`)).address,
  }));
  return peers.map(({ index }) => ({
    name: `oracle-${index}`,
    config: {
      clock: "driven",
      logLevel,
      index,
      privateKey: deriveKey(plan.seed, `node:${index}`),
      statePath: join(storeDir, `oracle-${index}.db`),
      listen: { hostname: host, port: ports.nodes[index] },
      peers,
      faults,
      rpcUrls: [rpcUrl],
      addressesFile,
      meters: plan.community.homes.map(({ id }) => ({
        point: market.pointOf.get(id),
        host,
        port: ports.homes.get(id),
        unit: METER_UNIT,
      })),
      heads: tree.map(({ name }, zone) => ({ zone, host, port: ports.heads.get(name), unit: METER_UNIT })),
      livePollSeconds: slotSeconds > 0 ? 60 : 0,
      firstSlot: plan.firstSlot,
      ...(lie?.node === index ? { lie: { factor: lie.factor } } : {}),
    },
  }));
};

export const auctioneerConfig = ({ plan, market, ports, storeDir, rpcUrl, addressesFile }: Wiring): unknown => ({
  clock: "driven",
  logLevel,
  statePath: join(storeDir, "auctioneer.db"),
  listen: { hostname: host, port: ports.auctioneer },
  rpcUrls: [rpcUrl],
  addressesFile,
  startBlock: market.addresses.deployedAtBlock,
  privateKey: deriveKey(plan.seed, "auctioneer"),
  nodes: ports.nodes.map(urlOf),
});

export const apiConfig = (wiring: Wiring, indexerStorePath: string): unknown => {
  const { plan, tree, market, ports, rpcUrl, addressesFile, slotSeconds, guest } = wiring;
  return {
    clock: "driven",
    logLevel,
    listen: { hostname: host, port: ports.api },
    indexerStorePath,
    rpcUrls: [rpcUrl],
    addressesFile,
    auctioneerUrl: urlOf(ports.auctioneer),
    nodes: ports.nodes.map(urlOf),
    communityDir: plan.communityDir,
    zoneNames: tree.map(({ name }) => name),
    slotSeconds,
    dashboardDir: join(projectRoot, "dist", "dashboard"),
    livePollMs: slotSeconds > 0 ? LIVE_POLL_MS : 0,
    ...(guest === undefined
      ? {}
      : {
          local: {
            point: market.pointOf.get(guest),
            walletKey: deriveKey(plan.seed, `home:${guest}`),
            cheatKey: deriveKey(plan.seed, "cheat"),
            nodeKey: deriveKey(plan.seed, "node:0"),
            nodeIndex: 0,
          },
        }),
  };
};

export const agentConfigs = ({ plan, market, ports, storeDir, agentProcesses, guest }: Wiring): NamedConfig[] =>
  shares(plan.community.homes, agentProcesses).map((homes, at) => ({
    name: `agent-${at}`,
    config: {
      clock: "driven",
      logLevel,
      stateDir: join(storeDir, `agent-${at}`),
      api: urlOf(ports.api),
      chainId: market.addresses.chainId,
      orderBook: market.addresses.orderBook,
      homes: homes.map(({ id, zone, importRatingW, exportRatingW, pvW, battery }) => ({
        id,
        point: market.pointOf.get(id),
        zone,
        mode: id === guest ? "manual" : "auto",
        privateKey: deriveKey(plan.seed, `agent:${id}`),
        signer: "delegate",
        device: { host, port: ports.homes.get(id) },
        importRatingW,
        exportRatingW,
        pvW,
        ...(battery ? { battery } : {}),
        past: { dir: plan.communityDir, home: id, until: slotStart(plan.firstSlot) },
      })),
    },
  }));
