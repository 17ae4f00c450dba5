import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { verifyTypedData, Wallet } from "ethers";
import { SLOT_SECONDS } from "../../../services/platform/clock.ts";
import { fetchJson } from "../../../services/platform/http.ts";
import { writeCommunity } from "../../../services/protocol/community-file.ts";
import { deriveKey } from "../../../services/protocol/keys.ts";
import { orderDomain, orderTypes, type OrderBody } from "../../../services/protocol/order.ts";
import { createNeighbourhood } from "../../../services/simulator/neighbourhood.ts";
import { startSimulatorChild, type SimulatorChild } from "../simulator/child.ts";
import { startAgentChild, type AgentChild } from "./child.ts";
import { startMarketStand, type MarketStand } from "./market-stand.ts";

const START = Date.parse("2026-06-09T15:00:00Z") / 1000;
const FIRST = START / SLOT_SECONDS;
const CHAIN = { chainId: 31337, orderBook: "0x00000000000000000000000000000000000000b0" };
const data = createNeighbourhood({ homes: 4, days: 10, seed: 7, start: "2026-06-01T00:00:00Z" });
const { community } = data;

describe("the agent process", () => {
  let dir: string;
  let simulator: SimulatorChild;
  let market: MarketStand;
  let agent: AgentChild;

  const agentConfig = (manual: readonly number[] = []): Record<string, unknown> => ({
    clock: "driven",
    logLevel: "silent",
    stateDir: join(dir, "agent"),
    api: market.url,
    ...CHAIN,
    homes: community.homes.map((home, point) => ({
      id: home.id,
      point,
      zone: home.zone,
      mode: manual.includes(point) ? "manual" : "auto",
      privateKey: deriveKey(1, `agent:${home.id}`),
      device: { port: simulator.info.homes[point]!.port },
      importRatingW: home.importRatingW,
      exportRatingW: home.exportRatingW,
      pvW: home.pvW,
      ...(home.battery ? { battery: home.battery } : {}),
      past: { dir: join(dir, "community"), home: home.id, until: START },
    })),
  });
  const open = async (): Promise<void> => {
    dir = mkdtempSync(join(tmpdir(), "daeg-agent-"));
    writeCommunity(join(dir, "community"), data);
    simulator = await startSimulatorChild(dir, {
      communityDir: join(dir, "community"),
      start: START,
      homes: community.homes.map(({ id }) => ({ id, port: 0 })),
      heads: community.zones.map((zone) => ({ zone, port: 0 })),
    });
    market = await startMarketStand(community.zones, community.homes.length);
  };
  const close = async (): Promise<void> => {
    await agent.stop();
    await simulator.stop();
    await market.close();
    rmSync(dir, { recursive: true });
  };
  const instant = async (now: number): Promise<string | undefined> => {
    await simulator.tick(now);
    return agent.tick(now);
  };
  const play = async (slots: number, between?: (slot: number) => Promise<void>): Promise<void> => {
    for (let slot = FIRST; slot < FIRST + slots; slot++) {
      await instant(slot * SLOT_SECONDS);
      await between?.(slot);
      await instant(slot * SLOT_SECONDS + 120);
    }
    await simulator.tick((FIRST + slots) * SLOT_SECONDS);
  };
  const metered = async (point: number, slot: number): Promise<number> => {
    const at = async (of: number): Promise<number> => {
      const { homes } = await fetchJson<{ homes: { importWh: number; exportWh: number }[] }>(
        `${simulator.info.url}/boundaries/${of}`,
      );
      return homes[point]!.exportWh - homes[point]!.importWh;
    };
    return (await at(slot + 1)) - (await at(slot));
  };

  afterEach(close);

  it("orders for every slot by the book's rules, signed by its delegate, and meets its positions", async () => {
    await open();
    agent = await startAgentChild(dir, agentConfig());
    await play(12);
    const slots = [...new Set(market.posted.map(({ slot }) => slot))];
    expect(slots).to.deep.equal(Array.from({ length: 12 }, (_, i) => FIRST + 1 + i));
    for (const order of market.posted) checkOrder(order);
    let met = 0;
    let positions = 0;
    for (let slot = FIRST + 1; slot < FIRST + 12; slot++) {
      for (const [point, home] of community.homes.entries()) {
        const position = market.position(point, slot);
        if (!home.battery || position === 0) continue;
        positions += 1;
        if (Math.abs((await metered(point, slot)) - position) <= 1) met += 1;
      }
    }
    expect(positions).to.be.greaterThan(10);
    expect(met / positions).to.be.greaterThan(0.7);
  });

  it("gives the same orders when it is killed with -9 again and again, and never two for one slot", async () => {
    await open();
    agent = await startAgentChild(dir, agentConfig());
    await play(4);
    const calm = market.posted.map((order) => JSON.stringify(order)).sort();
    await close();

    await open();
    agent = await startAgentChild(dir, agentConfig());
    let kills = 0;
    market.onPost = async ({ point }) => {
      if (point !== 2 || kills >= 2) return;
      kills += 1;
      await agent.kill();
    };
    const restart = async (): Promise<void> => {
      agent = await startAgentChild(dir, agentConfig());
    };
    for (let slot = FIRST; slot < FIRST + 4; slot++) {
      for (const offset of [0, 120]) {
        const now = slot * SLOT_SECONDS + offset;
        await simulator.tick(now);
        const alive = (): Promise<boolean> =>
          agent.tick(now).then(
            () => true,
            () => false,
          );
        while (!(await alive())) await restart();
      }
      if (slot % 2 === 0) {
        await agent.kill();
        await restart();
      }
    }
    expect(kills).to.equal(2);
    const different = new Set(market.posted.map((order) => JSON.stringify(order)));
    expect([...different].sort()).to.deep.equal(calm);
  });

  it("places no order by hand but meets the position that its owner took", async () => {
    await open();
    const point = community.homes.findIndex(({ battery }) => battery);
    agent = await startAgentChild(dir, agentConfig([point]));
    market.setPosition(point, FIRST + 1, 120);
    market.setPosition(point, FIRST + 2, -350);
    await play(3);
    expect(market.posted.filter((order) => order.point === point)).to.deep.equal([]);
    expect(await metered(point, FIRST + 1)).to.be.closeTo(120, 1);
    expect(await metered(point, FIRST + 2)).to.be.closeTo(-350, 1);
  });

  it("trades nothing while its devices are dead or the market is away, and goes on afterwards", async () => {
    await open();
    agent = await startAgentChild(dir, agentConfig());
    await instant(START);
    market.down = true;
    const failure = await instant(START + 120);
    expect(failure ?? "").to.not.match(/undefined|cannot read/i);
    expect(market.posted).to.deep.equal([]);
    market.down = false;
    await instant(START + 180);
    expect(market.posted.map(({ slot }) => slot)).to.include(FIRST + 1);
    const before = market.posted.length;
    await simulator.kill();
    await agent.tick(START + 900);
    await agent.tick(START + 1020);
    expect(market.posted.length).to.equal(before);
  });
});

const checkOrder = (order: OrderBody): void => {
  const { steps } = order;
  const home = community.homes[order.point]!;
  expect(steps.length).to.be.within(1, 8);
  for (const step of steps) {
    expect(step.energyWh).to.be.at.least(50);
    expect(step.priceMicroPerKwh).to.be.within(0, 1_000_000);
  }
  const bids = steps.filter(({ sell }) => !sell);
  const offers = steps.filter(({ sell }) => sell);
  const total = (side: typeof steps): number => side.reduce((sum, { energyWh }) => sum + energyWh, 0);
  expect(total(bids)).to.be.at.most(home.importRatingW / 4);
  expect(total(offers)).to.be.at.most(home.exportRatingW / 4);
  const highest = Math.max(...bids.map(({ priceMicroPerKwh }) => priceMicroPerKwh), -Infinity);
  expect(Math.min(...offers.map(({ priceMicroPerKwh }) => priceMicroPerKwh), Infinity)).to.be.greaterThan(highest);
  expect(order.sequence).to.equal(12);
  const { point, slot, sequence } = order;
  const signer = verifyTypedData(orderDomain(CHAIN), orderTypes, { point, slot, sequence, steps }, order.signature);
  expect(signer).to.equal(new Wallet(deriveKey(1, `agent:${home.id}`)).address);
  expect(order.delegate).to.equal(signer);
};
