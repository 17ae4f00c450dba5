/** A real committee for tests: node processes, meters behind real Modbus sockets, contracts on a real chain. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Wallet, type Provider } from "ethers";
import { createChainControl } from "../../../scripts/local/chain-control.ts";
import { startChild, type Child } from "../../../scripts/local/child.ts";
import { freePorts } from "../../../scripts/local/ports.ts";
import { deployMarket } from "../../../scripts/deploy/deploy.ts";
import { createModbusServer, type ModbusServer } from "../../../services/devices/modbus-server.ts";
import { SLOT_SECONDS, slotStart } from "../../../services/platform/clock.ts";
import { fetchJson } from "../../../services/platform/http.ts";
import { createProvider } from "../../../services/platform/provider.ts";
import type { Addresses } from "../../../services/protocol/addresses.ts";
import { connectContracts, type Contracts } from "../../../services/protocol/contracts.ts";
import { deriveKey } from "../../../services/protocol/keys.ts";
import { decodeReadings } from "../../../services/protocol/words.ts";
import { createMeterUnit, type MeterUnit } from "../../../services/simulator/meter-unit.ts";

export const GENESIS = 1_982_016;

export interface CommitteeGrid {
  contracts: Contracts;
  provider: Provider;
  nodes: Child[];
  urls: string[];
  /** Moves chain and meters to the slot's start plus `offset` seconds and ticks all nodes at once. */
  play(slot: number, offset?: number): Promise<void>;
  /** Moves chain and meters without telling the nodes. */
  moveTo(now: number): Promise<void>;
  tick(now: number): Promise<void>;
  /** What the meter of a point truly counted in a slot. */
  truth(point: number, slot: number): { importWh: number; exportWh: number };
  /** Readings that the chain holds, fetched from any node and checked against its hash; undefined when not reported. */
  reported(slot: number): Promise<{ importWh: number; exportWh: number; quality: number }[] | undefined>;
  /** Takes a meter's unit off its gateway, or puts it back. */
  unplug(point: number): void;
  plug(point: number): void;
  /** Runs `work` while the chain answers nobody. */
  withoutChain(work: () => Promise<void>): Promise<void>;
  problems: string[];
  close(): Promise<void>;
}

/** Registers grow unevenly, different for each point; a point imports and exports in the same slot. */
const importAt = (point: number, time: number): number => {
  const slots = (time - slotStart(GENESIS)) / SLOT_SECONDS;
  return 10_000 * (point + 1) + Math.floor(slots * (100 + 37 * point) + 40 * Math.sin(slots + point) + 40);
};
const exportAt = (point: number, time: number): number =>
  500 + Math.floor(((time - slotStart(GENESIS)) / SLOT_SECONDS) * (10 + (point % 7)));

export const createCommitteeGrid = async ({
  points = 5,
  size = 4,
  faults = 1,
  liar,
  gatherSlots = 1,
}: {
  points?: number;
  size?: number;
  faults?: number;
  /** A node that multiplies what it reads by ten. */
  liar?: number;
  /** Slots that are reported together. */
  gatherSlots?: number;
} = {}): Promise<CommitteeGrid> => {
  const dir = mkdtempSync(join(tmpdir(), "daeg-oracle-"));
  const problems: string[] = [];
  const place = { configDir: dir, logDir: dir, onProblem: (message: string) => void problems.push(message) };
  const began = slotStart(GENESIS) - 3_600;
  const chain = await startChild(
    { name: "chain", module: "scripts/local/chain.ts", args: ["--port", "0", "--start", String(began)] },
    place,
  );
  const rpcUrl = chain.info["url"] as string;
  const control = createChainControl(rpcUrl);
  const provider = await createProvider({ urls: [rpcUrl] });
  const wallet = (role: string): Wallet => new Wallet(deriveKey(7, role), provider);
  const members = Array.from({ length: size }, (_, index) => wallet(`node:${index}`));
  const deployer = wallet("deployer");
  for (const { address } of [deployer, ...members]) await control.fund(address);
  const addresses: Addresses = await deployMarket({
    signer: deployer,
    operator: deployer.address,
    guardian: deployer.address,
    admin: deployer.address,
    committee: members.map(({ address }) => address),
    faults,
    zones: [{ parent: 0, toParentWh: 0, fromParentWh: 0, backupCapacityWh: 1_000_000 }],
    bounds: { highestImportTariff: 500_000, lowestExportTariff: 0, lowestPrice: -1_000_000, highestPrice: 10_000_000 },
    genesisSlot: GENESIS,
  });
  const contracts = connectContracts(addresses, deployer);
  for (let point = 0; point < points; point += 1) {
    await (await contracts.meteringPoints.register(deployer.address, 0, 100_000, 100_000)).wait();
  }
  const addressesFile = join(dir, "addresses.json");
  writeFileSync(addressesFile, JSON.stringify(addresses));

  const units = new Map<number, MeterUnit["unit"]>();
  const meters = Array.from({ length: points }, (_, point) => createMeterUnit(`meter-${point}`, 10_000));
  const head = createMeterUnit("head", 100_000);
  const HEAD_UNIT = 247;
  meters.forEach(({ unit }, point) => units.set(point + 1, unit));
  units.set(HEAD_UNIT, head.unit);
  const server: ModbusServer = await createModbusServer({ port: 0, units });
  const show = (time: number): void => {
    let importWh = 0;
    let exportWh = 0;
    meters.forEach((meter, point) => {
      meter.refresh({ importWh: importAt(point, time), exportWh: exportAt(point, time), powerW: 100 * point });
      importWh += importAt(point, time);
      exportWh += exportAt(point, time);
    });
    head.refresh({ importWh, exportWh, powerW: 0 });
  };

  const ports = await freePorts(size);
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const at = { host: server.host, port: server.port };
  const nodes = await Promise.all(
    members.map((_, index) =>
      startChild(
        {
          name: `node-${index}`,
          module: "oracle/main.ts",
          config: {
            clock: "driven",
            logLevel: "warn",
            index,
            privateKey: deriveKey(7, `node:${index}`),
            statePath: join(dir, `node-${index}.sqlite`),
            listen: { hostname: "127.0.0.1", port: ports[index] },
            peers: members.map(({ address }, each) => ({ index: each, url: urls[each], address })),
            faults,
            rpcUrls: [rpcUrl],
            addressesFile,
            meters: meters.map((__, point) => ({ point, ...at, unit: point + 1 })),
            heads: [{ zone: 0, ...at, unit: HEAD_UNIT }],
            timeouts: { modbusMs: 1_000, peerMs: 3_000, turnMs: 8_000, rpcMs: 2_000 },
            firstSlot: GENESIS,
            gatherSlots,
            ...(index === liar ? { lie: { factor: 10 } } : {}),
          },
        },
        place,
      ),
    ),
  );

  const moveTo = async (now: number): Promise<void> => {
    show(now);
    await control.setTime(now);
  };
  const tick = async (now: number): Promise<void> => void (await Promise.all(nodes.map((node) => node.tick(now))));
  const difference = (count: (point: number, time: number) => number, point: number, slot: number): number =>
    count(point, slotStart(slot + 1)) - count(point, slotStart(slot));

  return {
    contracts,
    provider,
    nodes,
    urls,
    moveTo,
    tick,
    play: async (slot, offset = 0) => {
      await moveTo(slotStart(slot) + offset);
      await tick(slotStart(slot) + offset);
    },
    truth: (point, slot) => ({
      importWh: difference(importAt, point, slot),
      exportWh: difference(exportAt, point, slot),
    }),
    reported: async (slot) => {
      const events = await contracts.meterOracle.queryFilter(contracts.meterOracle.filters.Reported(slot));
      const hash = events.at(-1)?.args.readingsHash;
      if (hash === undefined) return undefined;
      for (const url of urls) {
        const answer = await fetchJson<{ readings: string }>(`${url}/readings/${hash}`).catch(() => undefined);
        if (answer) return decodeReadings(answer.readings);
      }
      return undefined;
    },
    unplug: (point) => void units.delete(point + 1),
    plug: (point) => void units.set(point + 1, (meters[point] as MeterUnit).unit),
    withoutChain: async (work) => {
      const pid = chain.pid as number;
      process.kill(pid, "SIGSTOP");
      try {
        await work();
      } finally {
        process.kill(pid, "SIGCONT");
      }
    },
    problems,
    close: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
      await chain.stop();
      await server.close();
      provider.destroy();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
