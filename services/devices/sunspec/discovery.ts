import { wrongInput } from "../../platform/errors.ts";
import type { ModbusClient } from "../modbus-client.ts";
import { ModbusError } from "../modbus-error.ts";
import { common } from "./models.ts";
import { END_MODEL_ID, SUNSPEC_BASES, SUNSPEC_MARK, type PlacedModel } from "./map.ts";
import { decodeString, pointOf } from "./points.ts";

/** What a device says about itself. */
export interface SunSpecIdentity {
  readonly manufacturer: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  readonly version: string | null;
}

export interface SunSpecMap {
  /** Where "SunS" stands: 40000, 50000 or 0. */
  readonly base: number;
  readonly models: readonly PlacedModel[];
  readonly identity: SunSpecIdentity;
}

const MOST_MODELS = 100;

/**
 * Walks the models of a unit from its "SunS" mark.
 * @throws ModbusError when the unit cannot be read; DaegError exit 1 when it has no SunSpec map
 */
export async function discoverSunSpec(client: ModbusClient, unit: number): Promise<SunSpecMap> {
  const base = await findBase(client, unit);
  const models: PlacedModel[] = [];
  let address = base + SUNSPEC_MARK.length;
  while (models.length < MOST_MODELS) {
    const [id, length] = (await client.readHolding(unit, address, 2)) as [number, number];
    if (id === END_MODEL_ID || id === 0) break;
    models.push({ id, address, size: length + 2 });
    address += length + 2;
    if (address > 0xfffe) break;
  }
  const first = models.find(({ id }) => id === common.id);
  if (!first) {
    throw wrongInput(
      `${client.host}:${client.port} unit ${unit} has a SunSpec mark but no common model: its map is broken`,
    );
  }
  const size = Math.min(first.size, common.size);
  const registers = await client.readHolding(unit, first.address, size);
  const text = (name: string): string | null => {
    const point = pointOf(common, name);
    return decodeString(registers, point.offset, point.size);
  };
  return {
    base,
    models,
    identity: { manufacturer: text("Mn"), model: text("Md"), serial: text("SN"), version: text("Vr") },
  };
}

async function findBase(client: ModbusClient, unit: number): Promise<number> {
  for (const base of SUNSPEC_BASES) {
    try {
      const mark = await client.readHolding(unit, base, SUNSPEC_MARK.length);
      if (mark[0] === SUNSPEC_MARK[0] && mark[1] === SUNSPEC_MARK[1]) return base;
    } catch (error) {
      // A device without registers at this address refuses them; it may have its map elsewhere.
      if (!(error instanceof ModbusError && error.kind === "exception" && !error.retryable)) throw error;
    }
  }
  const where = `${client.host}:${client.port} unit ${unit}`;
  throw wrongInput(
    `${where} has no SunSpec map at ${SUNSPEC_BASES.join(", ")}: name the meter's profile with --profile`,
  );
}
