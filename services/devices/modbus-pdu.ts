/** Registers from an address on; the owner may change them at any time. */
export interface RegisterBlock {
  readonly start: number;
  readonly registers: Uint16Array;
}

/** What one unit id serves. */
export interface ModbusUnit {
  readonly holding?: readonly RegisterBlock[];
  readonly input?: readonly RegisterBlock[];
  /** Which holding registers may be written; none without it. */
  readonly writable?: (address: number) => boolean;
}

type Write = (address: number, values: readonly number[]) => Promise<number | undefined> | number | undefined;

const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_VALUE = 3;
const DEVICE_FAILURE = 4;

/**
 * Answers one request (function code and data, without unit and checksum): functions 3, 4, 6 and 16.
 * @returns the answer, a Modbus exception included; a promise where a write waits for its owner
 */
export function answerPdu(unit: ModbusUnit, pdu: Buffer, write: Write | undefined): Buffer | Promise<Buffer> {
  const code = pdu[0]!;
  switch (code) {
    case 3:
    case 4:
      return read(code, pdu, (code === 3 ? unit.holding : unit.input) ?? []);
    case 6:
    case 16:
      return change(code, pdu, unit, write);
    default:
      return exception(code, ILLEGAL_FUNCTION);
  }
}

const exception = (code: number, reason: number): Buffer => Buffer.from([code | 0x80, reason]);

function blockOf(blocks: readonly RegisterBlock[], address: number, count: number): RegisterBlock | undefined {
  return blocks.find(({ start, registers }) => address >= start && address + count <= start + registers.length);
}

function read(code: number, pdu: Buffer, blocks: readonly RegisterBlock[]): Buffer {
  if (pdu.length !== 5) return exception(code, ILLEGAL_VALUE);
  const address = pdu.readUInt16BE(1);
  const count = pdu.readUInt16BE(3);
  if (count < 1 || count > 125) return exception(code, ILLEGAL_VALUE);
  const block = blockOf(blocks, address, count);
  if (!block) return exception(code, ILLEGAL_ADDRESS);
  const out = Buffer.allocUnsafe(2 + 2 * count);
  out[0] = code;
  out[1] = 2 * count;
  const from = address - block.start;
  for (let i = 0; i < count; i++) out.writeUInt16BE(block.registers[from + i]!, 2 + 2 * i);
  return out;
}

function change(code: number, pdu: Buffer, unit: ModbusUnit, write: Write | undefined): Buffer | Promise<Buffer> {
  if (pdu.length < 5) return exception(code, ILLEGAL_VALUE);
  const address = pdu.readUInt16BE(1);
  const values: number[] = [];
  if (code === 6) {
    if (pdu.length !== 5) return exception(code, ILLEGAL_VALUE);
    values.push(pdu.readUInt16BE(3));
  } else {
    const count = pdu.readUInt16BE(3);
    if (count < 1 || count > 123 || pdu[5] !== 2 * count || pdu.length !== 6 + 2 * count)
      return exception(code, ILLEGAL_VALUE);
    for (let i = 0; i < count; i++) values.push(pdu.readUInt16BE(6 + 2 * i));
  }
  const known = blockOf(unit.holding ?? [], address, values.length);
  if (!known || !write || !values.every((_, i) => unit.writable?.(address + i)))
    return exception(code, ILLEGAL_ADDRESS);
  // Both functions answer with the first five bytes of the request: address and value, or address and count.
  const done = (refusal: number | undefined): Buffer => (refusal ? exception(code, refusal) : echo);
  const echo = Buffer.from(pdu.subarray(0, 5));
  try {
    const result = write(address, values);
    return result instanceof Promise ? result.then(done, () => exception(code, DEVICE_FAILURE)) : done(result);
  } catch {
    return exception(code, DEVICE_FAILURE);
  }
}
