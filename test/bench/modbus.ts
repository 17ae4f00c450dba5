import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createModbusClient, type ModbusClient } from "../../services/devices/modbus-client.ts";
import { createSunSpecDevice } from "../../services/devices/sunspec/device.ts";

export interface Row {
  what: string;
  /** What the design asks for (section 8). */
  figure: string;
  measured: number;
  unit: string;
}

type Readable = ReturnType<typeof createSunSpecDevice>;

const HOST = "127.0.0.1";
const WARM_MS = 1_000;
const MEASURED_MS = 3_000;

/** Full meter readings (identity known; import, export and power fresh) a second, every meter read again as soon as it answered. */
async function readingsPerSecond(devices: readonly Readable[]): Promise<number> {
  let readings = 0;
  const readAll = async (untilMs: number): Promise<void> => {
    await Promise.all(
      devices.map(async (device) => {
        while (performance.now() < untilMs) {
          await device.readMeter();
          readings += 1;
        }
      }),
    );
  };
  await readAll(performance.now() + WARM_MS);
  readings = 0;
  const start = performance.now();
  await readAll(start + MEASURED_MS);
  return Math.round((readings / (performance.now() - start)) * 1_000);
}

/** Readings a second of this process against meters in another process, over loopback. */
export async function measureModbus(): Promise<Row[]> {
  const child = fork(join(import.meta.dirname, "modbus-meters.ts"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const [{ ports, gateway }] = (await once(child, "message")) as [{ ports: number[]; gateway: number }];
  const clients: ModbusClient[] = [];
  const open = (port: number, connections: number): ModbusClient => {
    const client = createModbusClient({ host: HOST, port, connections, timeoutMs: 10_000 });
    clients.push(client);
    return client;
  };
  try {
    const single = await readingsPerSecond(ports.map((port) => createSunSpecDevice(open(port, 1), 1)));
    const units = Array.from({ length: 100 }, (_, i) => i + 1);
    const one = open(gateway, 1);
    const sequential = await readingsPerSecond(units.map((unit) => createSunSpecDevice(one, unit)));
    const four = open(gateway, 4);
    const parallel = await readingsPerSecond(units.map((unit) => createSunSpecDevice(four, unit)));
    return [
      {
        what: "Modbus TCP readings, 500 meters of their own",
        figure: ">= 10000",
        measured: single,
        unit: "readings/s",
      },
      { what: "one gateway, 100 unit ids, 1 connection", figure: ">= 500", measured: sequential, unit: "readings/s" },
      { what: "one gateway, 100 unit ids, 4 connections", figure: ">= 500", measured: parallel, unit: "readings/s" },
    ];
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    child.disconnect();
  }
}
