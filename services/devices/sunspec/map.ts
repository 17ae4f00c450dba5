import { encodeRaw, pointOf, encodePoint, type Model, type PointValue } from "./points.ts";

/** "SunS", the mark at the start of every SunSpec map. */
export const SUNSPEC_MARK = [0x5375, 0x6e53] as const;
/** Where a map may start, most usual first. */
export const SUNSPEC_BASES = [40000, 50000, 0] as const;
export const END_MODEL_ID = 0xffff;

/** One model found in, or placed in, a device. */
export interface PlacedModel {
  readonly id: number;
  /** Register address of its ID. */
  readonly address: number;
  /** Registers with ID and length. */
  readonly size: number;
}

/** A register image of a device with the models one after the other, for servers. */
export interface SunSpecImage {
  readonly start: number;
  readonly registers: Uint16Array;
  readonly models: readonly PlacedModel[];
  set(model: Model, name: string, value: PointValue): void;
  /** Register address of a point. */
  addressOf(model: Model, name: string): number;
}

/** Lays models out from `start` on; every point begins as "not implemented", every scale as 0. */
export function createSunSpecImage(models: readonly Model[], start: number = SUNSPEC_BASES[0]): SunSpecImage {
  const size = models.reduce((sum, model) => sum + model.size, 4);
  const registers = new Uint16Array(size);
  registers.set(SUNSPEC_MARK, 0);
  const placed: PlacedModel[] = [];
  let at = 2;
  for (const model of models) {
    for (const point of model.points.values()) {
      if (point.type !== "string")
        encodeRaw(point.type, point.type === "sunssf" ? 0 : null, registers, at + point.offset);
    }
    registers[at] = model.id;
    registers[at + 1] = model.size - 2;
    placed.push({ id: model.id, address: start + at, size: model.size });
    at += model.size;
  }
  registers[at] = END_MODEL_ID;
  const where = (model: Model): number => {
    const found = placed.find((candidate) => candidate.id === model.id);
    if (!found) throw new Error(`the image has no model ${model.id}`);
    return found.address - start;
  };
  return {
    start,
    registers,
    models: placed,
    set: (model, name, value) => encodePoint(model, registers, where(model), name, value),
    addressOf: (model, name) => start + where(model) + pointOf(model, name).offset,
  };
}
