import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wallet } from "ethers";
import { Hono } from "hono";
import { addressesOf, checkLanded, type DeployZone } from "../../../scripts/deploy/deploy.ts";
import type { MarketTerms } from "../../../scripts/deploy/options.ts";
import { buildPlan } from "../../../scripts/deploy/plan.ts";
import { createChainControl } from "../../../scripts/local/chain-control.ts";
import { startChild, type Child } from "../../../scripts/local/child.ts";
import { freePorts } from "../../../scripts/local/ports.ts";
import { serve } from "../../../services/platform/http.ts";
import { createProvider } from "../../../services/platform/provider.ts";
import { connectContracts } from "../../../services/protocol/contracts.ts";
import { deriveKey } from "../../../services/protocol/keys.ts";
import { createActors } from "./actors.ts";

export const DAY = 96;
export const DAYS = 7;
/** Thursday, 2026-01-29T00:00:00Z: the week has a weekend and the end of a month. */
export const GENESIS = Date.UTC(2026, 0, 29) / 900_000;
export const TOKEN = 1_000_000n;
export const ADMIN_DELAY_SECONDS = 172_800;
/** Before the genesis slot: dynamic tariffs are announced two days ahead. */
const PREPARATION_SECONDS = 3 * 86_400;

/** Zone 0 and zone 1 have the grid; zone 2 hangs on zone 0 by a narrow line and is islanded one day. */
export const ZONES: DeployZone[] = [
  { parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 20_000 },
  { parent: 0, toParentWh: 2_500, fromParentWh: 2_500, backupCapacityWh: 12_000 },
  { parent: 0, toParentWh: 900, fromParentWh: 900, backupCapacityWh: 0 },
];

export const BASELINE = { days: 3, high: 2, minimum: 2 };

/**
 * A chain as a process of its own, with the whole suite deployed by the deployment's own plan: Safe, delays, every group. Keys follow from the seed.
 */
export const createMarket = async (seed: string) => {
  const dir = mkdtempSync(join(tmpdir(), "daeg-week-"));
  const problems: string[] = [];
  const onProblem = (message: string): void => void problems.push(message);
  const children: Child[] = [];
  const child = async (name: string, module: string, config?: object, args: string[] = []): Promise<Child> => {
    const spec = config === undefined ? { name, module, args } : { name, module, config };
    const started = await startChild(spec, { configDir: dir, logDir: dir, onProblem });
    children.push(started);
    return started;
  };
  const [port] = await freePorts(1);
  const startAt = GENESIS * 900 - PREPARATION_SECONDS;
  const chainChild = await child("chain", "scripts/local/chain.ts", undefined, [
    ...["--port", String(port), "--start", String(startAt)],
  ]);
  const url = String(chainChild.info["url"]);
  const chain = createChainControl(url);
  // A connection that the chain closes while it is taken up again is no answer: the call goes to the next endpoint, which is the same.
  const provider = await createProvider({ urls: [url, url, url], timeoutMs: 60_000 });
  const chainId = Number((await provider.getNetwork()).chainId);
  const actors = createActors(provider, chainId);
  const wallets = new Map<string, Wallet>();
  /** The wallet of a role, with coins for gas. */
  const wallet = async (role: string): Promise<Wallet> => {
    const known = wallets.get(role);
    if (known) return known;
    const made = new Wallet(deriveKey(seed, role), provider);
    wallets.set(role, made);
    await chain.fund(made.address);
    return made;
  };
  const all = (count: number, role: (index: number) => string): Promise<Wallet[]> =>
    Promise.all(Array.from({ length: count }, (_, index) => wallet(role(index))));

  const who = {
    deployer: await wallet("deployer"),
    operator: await wallet("operator"),
    guardian: await wallet("guardian"),
    backup: await wallet("backup"),
    auctioneer: await wallet("auctioneer"),
    certifier: await wallet("certifier"),
    maintainer: await wallet("maintainer"),
    sponsor: await wallet("sponsor"),
    publisher: await wallet("publisher"),
    stranger: await wallet("stranger"),
    admins: await all(3, (index) => `admin:${index}`),
    nodes: await all(4, (index) => `node:${index}`),
  };
  const terms: MarketTerms = {
    operator: who.operator.address,
    guardian: who.guardian.address,
    admin: { owners: who.admins.map(({ address }) => address), threshold: 2 },
    adminDelaySeconds: ADMIN_DELAY_SECONDS,
    backup: who.backup.address,
    committee: who.nodes.map(({ address }) => address),
    faults: 1,
    zones: ZONES,
    bounds: {
      ...{ highestImportTariff: 400_000, lowestExportTariff: 0 },
      ...{ lowestPrice: -100_000, highestPrice: 1_000_000 },
    },
    peakPricePerKw: 300_000n,
    // A price above this stops new orders.
    emergency: { highestPrice: 700_000 },
    genesisSlot: GENESIS,
    production: { certifier: who.certifier.address, maintainer: who.maintainer.address, capWhPerMonth: 30_000n },
    consumption: { sponsors: [who.sponsor.address], publisher: who.publisher.address, baseline: BASELINE },
  };
  const plan = await buildPlan(terms, { deployer: who.deployer.address, firstNonce: 0 });
  const landed = await actors.sendAll(plan.steps.map(({ to, data }) => [who.deployer, { to, data }]));
  for (const [index, step] of plan.steps.entries()) {
    const { status, contractAddress } = landed[index] as { status: string; contractAddress: string | null };
    checkLanded(step, {
      status: Number(status),
      contractAddress: contractAddress && same(contractAddress, step),
    } as never);
  }
  const addresses = addressesOf(plan, chainId, Number(landed[0]?.blockNumber));
  const addressesFile = join(dir, "addresses.json");
  writeFileSync(addressesFile, JSON.stringify(addresses));
  const deployedThroughBlock = Number(landed.at(-1)?.blockNumber);

  /** What an oracle node serves: the readings behind a report's hash. Silent when told so. */
  const readings = new Map<string, string>();
  let silent = false;
  const app = new Hono();
  app.get("/readings/:hash", (context) => {
    const found = silent ? undefined : readings.get(context.req.param("hash"));
    return found ? context.json({ readings: found }) : context.json({ error: "unknown" }, 404);
  });
  const node = await serve({ app, port: 0 });

  return {
    ...{ dir, url, chain, provider, chainId, ...actors, wallet, who, terms, plan, addresses, addressesFile, problems },
    ...{ deployedThroughBlock, readings },
    c: connectContracts(addresses, provider),
    silence: (on: boolean): void => void (silent = on),
    auctioneer: (): Promise<Child> =>
      child("auctioneer", "services/auctioneer/main.ts", {
        ...{ clock: "driven", logLevel: "warn", statePath: join(dir, "auctioneer.sqlite"), listen: { port: 0 } },
        ...{ rpcUrls: [url], addressesFile, privateKey: who.auctioneer.privateKey, nodes: [node.url], sealed: true },
        settle: { minSlotsPerTransaction: 8, maxSlotsPerTransaction: 96, maxWaitSlots: 7 },
      }),
    indexer: (): Promise<Child> =>
      child("indexer", "services/indexer/main.ts", {
        ...{ clock: "driven", logLevel: "warn", statePath: join(dir, "indexer.sqlite") },
        ...{ rpcUrls: [url], addressesFile },
      }),
    close: async (): Promise<void> => {
      for (const started of children.filter((one) => one !== chainChild)) await started.stop();
      await node.close();
      provider.destroy();
      await chainChild.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};

/** The node's lower-case address as the plan writes it, where they are the same. */
const same = (address: string, { creates }: { creates: string | null }): string =>
  creates !== null && address.toLowerCase() === creates.toLowerCase() ? creates : address;

export type Market = Awaited<ReturnType<typeof createMarket>>;
