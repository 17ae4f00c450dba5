import { tryAgain } from "../platform/errors.ts";
import type { ModbusClient } from "./modbus-client.ts";
import { ModbusError } from "./modbus-error.ts";
import type { MeterProfile, RegisterSpec, RegisterType } from "./profiles.ts";
import type { MeterReading } from "./sunspec/device.ts";

export const registerSizes: Record<RegisterType, number> = { float32: 2, uint32: 2, int32: 2, uint16: 1, int16: 1 };

/** Two specs of one table this near to each other are fetched in one request. */
const NEAR_REGISTERS = 60;

/** Value of a register in Wh or W, unrounded; null for a float that is no number. */
export function decodeRegister(spec: RegisterSpec, registers: readonly number[], at: number): number | null {
  const bytes = Buffer.alloc(4);
  const size = registerSizes[spec.type];
  if (size === 1) bytes.writeUInt16BE(registers[at]!, 0);
  else {
    bytes.writeUInt16BE(registers[at]!, spec.swapped ? 2 : 0);
    bytes.writeUInt16BE(registers[at + 1]!, spec.swapped ? 0 : 2);
  }
  const raw = {
    float32: () => bytes.readFloatBE(0),
    uint32: () => bytes.readUInt32BE(0),
    int32: () => bytes.readInt32BE(0),
    uint16: () => bytes.readUInt16BE(0),
    int16: () => bytes.readInt16BE(0),
  }[spec.type]();
  return Number.isFinite(raw) ? raw * spec.factor : null;
}

/** Reads a meter by its profile. A float counter does not wrap; it loses steps of a Wh beyond 16,777 kWh (24 bits). */
export async function readProfileMeter(
  client: ModbusClient,
  unit: number,
  profile: MeterProfile,
): Promise<MeterReading> {
  const specs = [profile.importWh, profile.exportWh, profile.powerW];
  const values = await readSpecs(client, unit, specs);
  const energy = (index: number): number => {
    const value = values[index];
    if (value === null || value === undefined) {
      throw tryAgain(
        `${client.host}:${client.port} unit ${unit} gives no energy where profile ${profile.name} expects it`,
      );
    }
    // A float of kWh is decimal: 1234.567 kWh must not become 1234566 Wh.
    return Math.floor(value + 1e-3);
  };
  const power = values[2];
  return {
    manufacturer: profile.manufacturer,
    model: profile.model,
    serial: await readSerial(client, unit, profile),
    importWh: energy(0),
    exportWh: energy(1),
    powerW: power === null || power === undefined ? null : Math.round(power),
    wrapsAtWh: Number.MAX_SAFE_INTEGER,
  };
}

async function readSpecs(
  client: ModbusClient,
  unit: number,
  specs: readonly RegisterSpec[],
): Promise<(number | null)[]> {
  const values: (number | null)[] = specs.map(() => null);
  const todo = specs.map((spec, index) => ({ spec, index })).sort((a, b) => a.spec.address - b.spec.address);
  while (todo.length > 0) {
    const first = todo[0]!.spec;
    const near = ({ spec }: { spec: RegisterSpec }): boolean =>
      spec.table === first.table && spec.address + registerSizes[spec.type] - first.address <= NEAR_REGISTERS;
    const together = todo.filter(near);
    const count = Math.max(...together.map(({ spec }) => spec.address + registerSizes[spec.type])) - first.address;
    const read = first.table === "input" ? client.readInput : client.readHolding;
    const registers = await read(unit, first.address, count);
    for (const { spec, index } of together)
      values[index] = decodeRegister(spec, registers, spec.address - first.address);
    todo.splice(0, todo.length, ...todo.filter((entry) => !together.includes(entry)));
  }
  return values;
}

async function readSerial(client: ModbusClient, unit: number, { serial }: MeterProfile): Promise<string | null> {
  if (!serial) return null;
  try {
    const [value] = await readSpecs(client, unit, [serial]);
    return value === null || value === undefined ? null : String(value);
  } catch (error) {
    // Older firmware has no serial number register; a meter without one can still be read.
    if (error instanceof ModbusError && error.kind === "exception") return null;
    throw error;
  }
}
