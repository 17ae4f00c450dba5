import { InvalidArgumentError, type Command } from "commander";
import { createMeter, meterProfileNames } from "../../services/devices/meter.ts";
import { createModbusClient, type ModbusClient } from "../../services/devices/modbus-client.ts";
import { ModbusError } from "../../services/devices/modbus-error.ts";
import { discoverSunSpec } from "../../services/devices/sunspec/discovery.ts";
import { models } from "../../services/devices/sunspec/models.ts";
import { DaegError, isRetryable, tryAgain, wrongInput } from "../../services/platform/errors.ts";

interface Address {
  host: string;
  port: number;
  timeout: number;
}

const whole =
  (name: string, least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`${name} must be a whole number from ${least} to ${most}.`);
    }
    return value;
  };

const unitOption = ["--unit <U>", "Modbus unit id, 1 to 247", whole("unit", 1, 247), 1] as const;

/** `daeg meter read|probe|scan`: look at one meter over Modbus TCP. JSON on stdout (formats.md). */
export const registerMeter = (program: Command): void => {
  const meter = program
    .command("meter")
    .description("read a meter, look into a device or scan a gateway over Modbus TCP");
  const addressed = (name: string, description: string, example: string): Command =>
    meter
      .command(name)
      .description(description)
      .option("--host <H>", "address of the device or gateway", "127.0.0.1")
      .option("--port <P>", "Modbus TCP port", whole("port", 1, 65_535), 502)
      .option("--timeout <MS>", "time-out of one request", whole("timeout", 10, 60_000), 2_000)
      .addHelpText("after", `\nExample:\n  ${example}`);

  addressed("read", "read energy and power once", "daeg meter read --host 127.0.0.1 --port 5020 --unit 1")
    .option(...unitOption)
    .option("--profile <NAME>", `how to read it: ${meterProfileNames.join(", ")}`, "sunspec")
    .action(async ({ unit, profile, ...address }: Address & { unit: number; profile: string }) => {
      const { wrapsAtWh: _, ...reading } = await withClient(address, (client) =>
        createMeter(client, unit, profile).read(),
      );
      print({
        time: new Date().toISOString(),
        ...reading,
        quality: "measured",
        source: source(address, unit, profile),
      });
    });

  addressed("probe", "list the SunSpec models of one unit", "daeg meter probe --host 127.0.0.1 --port 5020 --unit 3")
    .option(...unitOption)
    .action(async ({ unit, ...address }: Address & { unit: number }) => {
      const map = await withClient(address, (client) => discoverSunSpec(client, unit));
      const named = map.models.map((model) => ({ ...model, name: models.get(model.id)?.name ?? null }));
      print({ source: source(address, unit, "sunspec"), base: map.base, ...map.identity, models: named });
    });

  addressed("scan", "find the SunSpec units behind a gateway", "daeg meter scan --host 127.0.0.1 --port 5020 --to 10")
    .option("--from <U>", "first unit id", whole("from", 1, 247), 1)
    .option("--to <U>", "last unit id", whole("to", 1, 247), 247)
    .action(async ({ from, to, ...address }: Address & { from: number; to: number }) => {
      if (from > to) throw wrongInput(`--from ${from} is above --to ${to}: exchange them`);
      print(await withClient(address, (client) => scan(client, from, to)));
    });
};

const source = ({ host, port }: Address, unit: number, profile: string): string =>
  `modbus-tcp://${host}:${port}/${unit} (${profile})`;

const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

async function withClient<T>({ host, port, timeout }: Address, work: (client: ModbusClient) => Promise<T>): Promise<T> {
  const client = createModbusClient({ host, port, timeoutMs: timeout, connections: 4, patient: false });
  try {
    return await work(client);
  } catch (error) {
    // Whatever may pass by itself ends with 75, as everywhere on the command line.
    if (isRetryable(error) && !(error instanceof DaegError)) throw tryAgain((error as Error).message, { cause: error });
    throw error;
  } finally {
    await client.close();
  }
}

interface Found {
  unit: number;
  manufacturer: string | null;
  model: string | null;
  serial: string | null;
  models: number[];
}

/** Asks every unit; those that are silent or have no SunSpec map are counted, not listed. */
async function scan(
  client: ModbusClient,
  from: number,
  to: number,
): Promise<{ units: Found[]; silent: number; other: number }> {
  const units: Found[] = [];
  let silent = 0;
  let other = 0;
  const ids = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  await Promise.all(
    ids.map(async (unit) => {
      try {
        const { identity, models: found } = await discoverSunSpec(client, unit);
        const { manufacturer, model, serial } = identity;
        units.push({ unit, manufacturer, model, serial, models: found.map(({ id }) => id) });
      } catch (error) {
        if (error instanceof ModbusError && error.kind === "connection") throw error;
        if (error instanceof ModbusError && error.retryable) silent += 1;
        else other += 1;
      }
    }),
  );
  return { units: units.sort((a, b) => a.unit - b.unit), silent, other };
}
