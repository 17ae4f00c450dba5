import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { createModbusClient, type ModbusClient } from "../../../services/devices/modbus-client.ts";
import { createSunSpecDevice } from "../../../services/devices/sunspec/device.ts";
import { fetchJson } from "../../../services/platform/http.ts";
import { createNeighbourhood } from "../../../services/simulator/neighbourhood.ts";
import { createRandom } from "../../../services/simulator/random.ts";
import { startSimulatorChild, type SimulatorChild } from "./child.ts";

const START = Date.parse("2026-06-02T12:00:00Z") / 1000;
const neighbourhood = { homes: 4, days: 3, seed: 5, start: "2026-06-01T00:00:00Z" };
const { community, series } = createNeighbourhood(neighbourhood);

const configFor = (ports?: SimulatorChild["info"]): Record<string, unknown> => ({
  neighbourhood,
  start: START,
  homes: community.homes.map(({ id }, i) => ({ id, port: ports?.homes[i]!.port ?? 0 })),
  heads: community.zones.map((zone, i) => ({ zone, port: ports?.heads[i]!.port ?? 0 })),
});

interface Registers {
  first: { importWh: number; exportWh: number };
  last: { importWh: number; exportWh: number };
}
const netWh = ({ first, last }: Registers): number => last.importWh - first.importWh - (last.exportWh - first.exportWh);
const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);

describe("the simulator process", () => {
  let dir: string;
  let simulator: SimulatorChild;
  const clients: ModbusClient[] = [];
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), "daeg-simulator-"))));
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close()));
    await simulator.stop();
    rmSync(dir, { recursive: true });
  });

  const start = async (ports?: SimulatorChild["info"]): Promise<void> => {
    simulator = await startSimulatorChild(dir, configFor(ports));
  };
  const device = (index: number, unit: number) => {
    const { port } = simulator.info.homes[index]!;
    const client = createModbusClient({ host: simulator.info.host, port, timeoutMs: 5_000 });
    clients.push(client);
    return createSunSpecDevice(client, unit);
  };
  const registers = async (): Promise<{ homes: Registers[]; heads: Registers[] }> => {
    const { homes } = await fetchJson<{ homes: (Registers & { zone: string })[] }>(`${simulator.info.url}/homes`);
    const { heads } = await fetchJson<{ heads: Registers[] }>(`${simulator.info.url}/heads`);
    return { homes, heads };
  };
  /** Random set-points of some hours, the same for every run with one seed. */
  const drive = async (seed: number, instants: number[], between?: (i: number) => Promise<void>): Promise<void> => {
    const random = createRandom(seed);
    for (const [i, now] of instants.entries()) {
      await simulator.tick(now);
      for (const index of [0, 3]) {
        const powerW = Math.round((random() - 0.5) * 8_000);
        const revertAfterSeconds = random() < 0.5 ? 400 : 2_000;
        await device(index, 3).writeBatterySetpoint({ powerW, revertAfterSeconds });
      }
      await between?.(i);
      await Promise.all(clients.splice(0).map((client) => client.close()));
    }
  };
  const instants = Array.from({ length: 36 }, (_, i) => START + Math.floor(i / 3) * 900 + [0, 120, 330][i % 3]!).slice(
    1,
  );

  it("serves meter, inverter, battery and head meters with the power of now", async () => {
    await start();
    const index = (START - series.times[0]!) / 900;
    const [loadW, pvW] = [series.loadWh[0]![index]! * 4, series.pvWh[0]![index]! * 4];
    expect(simulator.info.homes.map(({ units }) => units)).to.deep.equal([[1, 2, 3], [1, 2], [1], [1, 2, 3]]);
    expect((await device(0, 2).readInverter()).powerW).to.equal(pvW);
    const battery = await device(0, 3).readBattery();
    expect(battery).to.include({ soc: 0.5, capacityWh: community.homes[0]!.battery!.capacityWh, controlled: false });
    expect(battery.powerW).to.equal(loadW - pvW);
    expect(await device(0, 1).readMeter()).to.include({
      serial: "home1-meter",
      importWh: 1_000_000,
      exportWh: 500_000,
      powerW: 0,
    });
    await device(0, 3).writeBatterySetpoint({ powerW: 1_000, revertAfterSeconds: 600 });
    expect((await device(0, 1).readMeter()).powerW).to.equal(loadW - pvW - 1_000);
    const headClient = createModbusClient({ host: simulator.info.host, port: simulator.info.heads[0]!.port });
    clients.push(headClient);
    const others =
      series.loadWh[3]![index]! * 4 - series.pvWh[3]![index]! * 4 - (await device(3, 3).readBattery()).powerW!;
    expect((await createSunSpecDevice(headClient, 1).readMeter()).powerW).to.be.closeTo(
      loadW - pvW - 1_000 + others,
      10,
    );
  });

  it("holds a set-point until its time is over, then follows its own rule", async () => {
    await start();
    await device(0, 3).writeBatterySetpoint({ powerW: -2_000, revertAfterSeconds: 330 });
    await simulator.tick(START + 120);
    expect(await device(0, 3).readBattery()).to.include({ controlled: true, powerW: -2_000 });
    await simulator.tick(START + 330);
    expect((await device(0, 3).readBattery()).controlled).to.equal(false);
    await simulator.tick(START + 900);
    const { homes } = await registers();
    const net = netWh(homes[0]!);
    const index = (START - series.times[0]!) / 900;
    const need = series.loadWh[0]![index]! - series.pvWh[0]![index]!;
    expect(net).to.be.closeTo(Math.round(((need * 4 + 2_000) * 330) / 3600), 1);
  });

  it("conserves energy exactly at every boundary, for homes and head meters", async () => {
    await start();
    await drive(11, instants);
    const { homes, heads } = await registers();
    expect(sum(heads.map(netWh))).to.not.equal(0);
    community.zones.forEach((zone, z) => {
      const inZone = homes.filter((_, i) => community.homes[i]!.zone === zone);
      expect(sum(inZone.map(netWh))).to.be.closeTo(netWh(heads[z]!), 1 + inZone.length);
    });
    type Boundary = {
      homes: { importWh: number; exportWh: number }[];
      heads: { importWh: number; exportWh: number }[];
    };
    for (let slot = START / 900; slot <= START / 900 + 11; slot++) {
      const { homes: meters, heads: tops } = await fetchJson<Boundary>(`${simulator.info.url}/boundaries/${slot}`);
      const first = await fetchJson<Boundary>(`${simulator.info.url}/boundaries/${START / 900}`);
      const net = (now: Boundary["homes"], then: Boundary["homes"]): number =>
        sum(now.map(({ importWh, exportWh }, i) => importWh - exportWh - then[i]!.importWh + then[i]!.exportWh));
      expect(net(meters, first.homes)).to.equal(net(tops, first.heads));
    }
  });

  it("after kill -9 goes on from its last commit and ends exactly where it would have ended", async () => {
    await start();
    await drive(23, instants);
    const expected = await registers();
    await simulator.stop();
    rmSync(join(dir, "state"), { recursive: true });

    await start();
    const { info } = simulator;
    await drive(23, instants, async (i) => {
      if (i % 7 !== 3) return;
      await simulator.kill();
      await start(info);
      expect(simulator.info.time).to.equal(instants[i]);
    });
    expect(await registers()).to.deep.equal(expected);
  });

  it("integrates a gap in which it was down", async () => {
    await start();
    await device(0, 3).writeBatterySetpoint({ powerW: 1_000, revertAfterSeconds: 0 });
    await simulator.tick(START + 120);
    const { info } = simulator;
    await simulator.kill();
    await start(info);
    expect((await device(0, 3).readBattery()).controlled).to.equal(true);
    await simulator.tick(START + 900);
    const { homes } = await registers();
    const index = (START - series.times[0]!) / 900;
    expect(netWh(homes[0]!)).to.equal(series.loadWh[0]![index]! - series.pvWh[0]![index]! - 250);
  });

  it("refuses the state of another community, an unknown home and a missing port", async () => {
    await start();
    await simulator.stop();
    const failure = (config: Record<string, unknown>): Promise<string> =>
      startSimulatorChild(dir, { ...configFor(), ...config }).then(
        () => "started",
        (error: Error) => error.message,
      );
    expect(await failure({ neighbourhood: { ...neighbourhood, seed: 6 } })).to.contain(
      "holds the state of another community",
    );
    expect(await failure({ homes: [{ id: "nobody", port: 0 }] })).to.contain('homes: "nobody" is not in the community');
    expect(await failure({ heads: [] })).to.contain('heads: "north" has no port: add it');
  });

  it("charges a car by its charger's set-point", async () => {
    const cars = { ...neighbourhood, cars: 1 };
    const home = createNeighbourhood(cars).community.homes[0]!;
    const arrival = START - (START % 86_400) + home.vehicle!.arrivalSecond;
    simulator = await startSimulatorChild(dir, { ...configFor(), neighbourhood: cars });
    expect((await device(0, 4).readCharger()).state).to.equal("away");
    await simulator.tick(arrival);
    const charger = device(0, 4);
    const arrived = await charger.readCharger();
    expect(arrived).to.include({
      state: "charging",
      powerW: home.vehicle!.maxChargeW,
      soc: home.vehicle!.arrivalSoc,
      arrival,
    });
    await charger.writeChargerSetpoint({ powerW: 3_000, revertAfterSeconds: 1_800 });
    expect((await charger.readCharger()).powerW).to.equal(3_000);
    await simulator.tick(arrival + 900);
    expect((await charger.readCharger()).chargedWh).to.equal(750);
    await simulator.tick(arrival + 1_800);
    expect((await charger.readCharger()).powerW).to.equal(home.vehicle!.maxChargeW);
  });
});
