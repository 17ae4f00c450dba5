import { wrongInput } from "../../platform/errors.ts";

export type PointType =
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "acc32"
  | "enum16"
  | "bitfield16"
  | "bitfield32"
  | "sunssf"
  | "pad"
  | "string";

/** A point of a SunSpec model: where it is from the model's ID register and how it is read. */
export interface Point {
  readonly name: string;
  readonly type: PointType;
  readonly offset: number;
  /** Length in registers. */
  readonly size: number;
  /** Name of the point that holds the power of ten, when scaled. */
  readonly scale?: string | undefined;
}

export interface Model {
  readonly id: number;
  readonly name: string;
  /** Registers of the whole model, ID and length included. */
  readonly size: number;
  readonly points: ReadonlyMap<string, Point>;
}

export type PointValue = number | string | null;

const sizes: Record<Exclude<PointType, "string">, number> = {
  int16: 1,
  uint16: 1,
  enum16: 1,
  bitfield16: 1,
  sunssf: 1,
  pad: 1,
  int32: 2,
  uint32: 2,
  acc32: 2,
  bitfield32: 2,
};

/**
 * Builds a model from its compact definition: points in order, each `name:type`, `name:string*LENGTH`, or
 * `name:type@SCALE`. `ID` and `L` are put in front.
 */
export function defineModel(id: number, name: string, definition: string): Model {
  const points = new Map<string, Point>();
  let offset = 0;
  for (const item of `ID:uint16 L:uint16 ${definition}`.trim().split(/\s+/)) {
    const parts = /^(\w+):(\w+?)(?:\*(\d+))?(?:@(\w+))?$/.exec(item);
    if (!parts) throw new Error(`model ${id}: cannot read point "${item}"`);
    const type = parts[2] as PointType;
    const size = type === "string" ? Number(parts[3]) : sizes[type];
    if (!size) throw new Error(`model ${id}: point "${item}" has no known type or length`);
    points.set(parts[1]!, { name: parts[1]!, type, offset, size, scale: parts[4] });
    offset += size;
  }
  return { id, name, size: offset, points };
}

/** The raw number of a point without its scale, or null where the device does not implement it. */
export function decodeRaw(type: PointType, registers: ArrayLike<number>, at: number): number | null {
  const high = registers[at]!;
  const wide = (): number => high * 0x10000 + registers[at + 1]!;
  switch (type) {
    case "int16":
    case "sunssf":
      return high === 0x8000 ? null : (high << 16) >> 16;
    case "uint16":
    case "enum16":
    case "bitfield16":
      return high === 0xffff ? null : high;
    case "int32":
      return wide() === 0x80000000 ? null : wide() | 0;
    case "uint32":
    case "bitfield32":
      return wide() === 0xffffffff ? null : wide();
    case "acc32":
      return wide();
    default:
      return null;
  }
}

/** Text up to the first NUL, without trailing blanks; null when the device left it empty. */
export function decodeString(registers: ArrayLike<number>, at: number, size: number): string | null {
  const bytes = Buffer.alloc(size * 2);
  for (let i = 0; i < size; i++) bytes.writeUInt16BE(registers[at + i]!, i * 2);
  const end = bytes.indexOf(0);
  const text = bytes.toString("utf8", 0, end < 0 ? bytes.length : end).trimEnd();
  return text === "" ? null : text;
}

/** Applies a power of ten without binary noise for whole results. */
export const scaleBy = (raw: number, power: number): number => (power < 0 ? raw / 10 ** -power : raw * 10 ** power);

/**
 * Value of a point in its unit (W, Wh, %, ...), scale applied; null where the device does not implement it.
 * @param registers a block that contains the model
 * @param at index in `registers` of the model's ID register
 */
export function decodePoint(model: Model, registers: ArrayLike<number>, at: number, name: string): PointValue {
  const point = pointOf(model, name);
  if (point.type === "string") return decodeString(registers, at + point.offset, point.size);
  const raw = decodeRaw(point.type, registers, at + point.offset);
  if (raw === null || point.scale === undefined) return raw;
  const power = decodeRaw("sunssf", registers, at + pointOf(model, point.scale).offset);
  if (power === null || power < -10 || power > 10) return null;
  return scaleBy(raw, power);
}

/** `decodePoint` for numbers; null also where the point is a text. */
export function decodeNumber(model: Model, registers: ArrayLike<number>, at: number, name: string): number | null {
  const value = decodePoint(model, registers, at, name);
  return typeof value === "number" ? value : null;
}

/** Writes the registers of a raw number (scale not applied); null writes the "not implemented" value. */
export function encodeRaw(type: PointType, value: number | null, registers: Uint16Array | number[], at: number): void {
  const wide = type === "int32" || type === "uint32" || type === "acc32" || type === "bitfield32";
  const absent = { int16: 0x8000, sunssf: 0x8000, pad: 0x8000, int32: 0x80000000, acc32: 0 }[type as "int16"];
  const raw = value === null ? (absent ?? (wide ? 0xffffffff : 0xffff)) : type === "acc32" ? value % 2 ** 32 : value;
  const [low, high] =
    type.startsWith("int") || type === "sunssf"
      ? wide
        ? [-(2 ** 31), 2 ** 32]
        : [-(2 ** 15), 2 ** 16]
      : [0, wide ? 2 ** 32 : 2 ** 16];
  if (!Number.isInteger(raw) || raw < low || raw >= high) throw wrongInput(`${raw} does not fit a SunSpec ${type}`);
  if (!wide) registers[at] = raw & 0xffff;
  else {
    registers[at] = (raw >>> 16) & 0xffff;
    registers[at + 1] = raw & 0xffff;
  }
}

export function encodeString(text: string, registers: Uint16Array | number[], at: number, size: number): void {
  const bytes = Buffer.alloc(size * 2);
  bytes.write(text, "utf8");
  for (let i = 0; i < size; i++) registers[at + i] = bytes.readUInt16BE(i * 2);
}

/**
 * Sets a point to a value in its unit; the scale must already be in the registers. Rounds to the nearest step of the
 * scale and clamps to the type's range, as a device does.
 */
export function encodePoint(
  model: Model,
  registers: Uint16Array | number[],
  at: number,
  name: string,
  value: PointValue,
): void {
  const point = pointOf(model, name);
  if (point.type === "string") return encodeString(String(value ?? ""), registers, at + point.offset, point.size);
  if (value === null || typeof value === "string") return encodeRaw(point.type, null, registers, at + point.offset);
  const power = point.scale === undefined ? 0 : decodeRaw("sunssf", registers, at + pointOf(model, point.scale).offset);
  if (power === null) throw wrongInput(`model ${model.id}: set ${point.scale} before ${name}`);
  const scaled = scaleBy(value, -power);
  if (point.type === "acc32") return encodeRaw("acc32", Math.floor(scaled), registers, at + point.offset);
  const rounded = Math.round(scaled);
  const limit = { int16: [-32767, 32767], uint16: [0, 65534] }[point.type as "int16"];
  encodeRaw(
    point.type,
    limit ? Math.min(limit[1]!, Math.max(limit[0]!, rounded)) : rounded,
    registers,
    at + point.offset,
  );
}

export function pointOf(model: Model, name: string): Point {
  const point = model.points.get(name);
  if (!point) throw new Error(`model ${model.id} has no point ${name}`);
  return point;
}

/**
 * Continues a counter over the wrap of its register.
 * @param previousWh the count so far (not wrapped)
 * @param registerWh what the register shows now
 * @param wrapsAtWh where the register starts again from zero
 * @returns the smallest count from `previousWh` on that the register can mean, or null when that would be more than half a
 *   turn ahead: then the register ran backwards (meter replaced or reset)
 */
export function unwrapCounter(previousWh: number, registerWh: number, wrapsAtWh: number): number | null {
  const seen = previousWh % wrapsAtWh;
  const ahead = (registerWh - seen + wrapsAtWh) % wrapsAtWh;
  return ahead > wrapsAtWh / 2 ? null : previousWh + ahead;
}
