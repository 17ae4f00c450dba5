import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wallet } from "ethers";
import { network } from "hardhat";
import { Hono } from "hono";
import { deployMarket, type DeployZone } from "../../../scripts/deploy/deploy.ts";
import { createChainControl } from "../../../scripts/local/chain-control.ts";
import { startChild, type Child } from "../../../scripts/local/child.ts";
import { serve } from "../../../services/platform/http.ts";
import { createProvider } from "../../../services/platform/provider.ts";
import type { OrderBody } from "../../../services/protocol/api.ts";
import { connectContracts } from "../../../services/protocol/contracts.ts";
import { deriveKey } from "../../../services/protocol/keys.ts";
import { bodyOfOrder, orderDomain, signOrder, type OrderStep } from "../../../services/protocol/order.ts";
import {
  packSignatures,
  readingsHash,
  readingsRoot,
  reportDomain,
  reportTypes,
} from "../../../services/protocol/report.ts";
import { packReadings, type PackedReading } from "../../../services/protocol/words.ts";

/** 2026-01-01T00:00:00Z */
export const FIRST_SLOT = 1_767_225_600 / 900;
export const TERMS = {
  importTariff: 300_000,
  exportTariff: 60_000,
  fee: 40_000,
  bandMin: -500_000,
  bandMax: 1_000_000,
  reference_: 150_000,
};

export const bid = (energyWh: number, priceMicroPerKwh: number): OrderStep => ({
  sell: false,
  green: false,
  energyWh,
  priceMicroPerKwh,
});
export const offer = (energyWh: number, priceMicroPerKwh: number): OrderStep => ({
  ...bid(energyWh, priceMicroPerKwh),
  sell: true,
});

/** Two zones with the grid in the first, a line of 2 kWh per slot between them. */
const ZONES: DeployZone[] = [
  { parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 100_000 },
  { parent: 0, toParentWh: 2_000, fromParentWh: 2_000, backupCapacityWh: 0 },
];

/** A Hardhat chain behind a real port with a deployed market, its homes and its committee's keys. */
export const createLiveMarket = async ({ homes = 4, zones = ZONES }: { homes?: number; zones?: DeployZone[] } = {}) => {
  const dir = mkdtempSync(join(tmpdir(), "daeg-"));
  const genesisTime = FIRST_SLOT * 900 - 1_800;
  const server = await network.createServer(
    {
      override: {
        initialDate: new Date(genesisTime * 1000),
        allowBlocksWithSameTimestamp: true,
        blockGasLimit: 60_000_000n,
        accounts: [],
        loggingEnabled: false,
      },
    },
    "127.0.0.1",
    0,
  );
  const { address, port } = await server.listen();
  const url = `http://${address}:${port}`;
  const chain = createChainControl(url);
  const provider = await createProvider({ urls: [url] });
  const wallet = (role: string): Wallet => new Wallet(deriveKey("live", role), provider);
  const nodes = [0, 1, 2, 3].map((index) => wallet(`node:${index}`));
  const owners = Array.from({ length: homes }, (_, home) => wallet(`home:${home}`));
  const operator = wallet("operator");
  for (const { address: payer } of [operator, wallet("auctioneer"), wallet("cheat"), ...nodes, ...owners]) {
    await chain.fund(payer);
  }
  const addresses = await deployMarket({
    signer: operator,
    operator: operator.address,
    guardian: operator.address,
    admin: operator.address,
    committee: nodes.map((node) => node.address),
    faults: 1,
    zones,
    bounds: {
      highestImportTariff: 400_000,
      lowestExportTariff: 0,
      lowestPrice: -1_000_000,
      highestPrice: 10_000_000,
    },
    genesisSlot: FIRST_SLOT,
  });
  const contracts = connectContracts(addresses, operator);
  await (
    await contracts.tariffs.publish(
      FIRST_SLOT,
      Array.from({ length: 60 }, () => TERMS),
    )
  ).wait();
  await (await contracts.token.mint(operator.address, 10n ** 15n)).wait();
  await (await contracts.token.approve(addresses.ledger, 10n ** 15n)).wait();
  for (const [home, owner] of owners.entries()) {
    await (await contracts.meteringPoints.register(owner.address, home % zones.length, 5_000, 5_000)).wait();
    await (await contracts.ledger.deposit(home, 10n ** 10n)).wait();
  }
  await (await contracts.ledger.deposit(await contracts.ledger.BACKUP(), 10n ** 10n)).wait();
  const addressesFile = join(dir, "addresses.json");
  writeFileSync(addressesFile, JSON.stringify(addresses));

  const readingsByHash = new Map<string, string>();
  const node = new Hono();
  node.get("/readings/:hash", (context) => {
    const readings = readingsByHash.get(context.req.param("hash"));
    return readings ? context.json({ readings }) : context.json({ error: "unknown" }, 404);
  });
  node.get("/status", (context) => context.json({ index: 0, lastReportedSlot: null }));
  const nodeServer = await serve({ app: node, port: 0 });

  const order = async (
    point: number,
    slot: number,
    sequence: number,
    steps: OrderStep[],
    signer = owners[point] as Wallet,
  ): Promise<OrderBody> =>
    bodyOfOrder(await signOrder(signer, orderDomain(addresses), { point, slot, sequence, steps }));

  /** Three nodes sign these readings and the first lands them; the stand-in node serves them. */
  const report = async (slot: number, readings: PackedReading[]): Promise<void> => {
    const packed = packReadings(readings);
    readingsByHash.set(readingsHash(packed), packed);
    const body = {
      slot,
      version: 1,
      attempt: 1,
      readingsHash: readingsHash(packed),
      root: readingsRoot(slot, packed),
    };
    const signatures = await Promise.all(
      nodes.slice(0, 3).map((signer) => signer.signTypedData(reportDomain(addresses), reportTypes, body)),
    );
    const oracle = connectContracts(addresses, nodes[0] as Wallet).meterOracle;
    await (await oracle.report(body, packSignatures([0, 1, 2], signatures))).wait();
  };

  const children: Child[] = [];
  const child = async (name: string, module: string, config: object): Promise<Child> => {
    const started = await startChild(
      { name, module, config },
      { configDir: dir, logDir: dir, onProblem: () => undefined },
    );
    children.push(started);
    return started;
  };

  return {
    url,
    dir,
    chain,
    provider,
    addresses,
    addressesFile,
    contracts,
    operator,
    owners,
    nodes,
    nodeUrl: nodeServer.url,
    order,
    report,
    wallet,
    auctioneer: (config: object = {}): Promise<Child> =>
      child("auctioneer", "services/auctioneer/main.ts", {
        clock: "driven",
        logLevel: "warn",
        statePath: join(dir, "auctioneer.sqlite"),
        listen: { port: 0 },
        rpcUrls: [url],
        addressesFile,
        privateKey: wallet("auctioneer").privateKey,
        nodes: [nodeServer.url],
        ...config,
      }),
    indexer: (statePath = join(dir, "indexer.sqlite")): Promise<Child> =>
      child("indexer", "services/indexer/main.ts", {
        clock: "driven",
        logLevel: "warn",
        statePath,
        rpcUrls: [url],
        addressesFile,
      }),
    child,
    close: async (): Promise<void> => {
      for (const started of children) await started.stop();
      await nodeServer.close();
      provider.destroy();
      await server.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};

export type LiveMarket = Awaited<ReturnType<typeof createLiveMarket>>;
