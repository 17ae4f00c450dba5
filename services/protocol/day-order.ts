import { concat, dataLength, TypedDataEncoder, ZeroAddress, type TypedDataDomain } from "ethers";
import { wrongInput } from "../platform/errors.ts";
import type { DayOrderBody } from "./day-schema.ts";
import type { OrderSigner, OrderStep } from "./order.ts";

/**
 * Many slots under one signature: the day order of contracts/interfaces/IOrderBook.sol as its signer sees it. Unlike a single order
 * in a sealed batch it is public from the start.
 */
export interface DayOrder {
  point: number;
  /** The order covers `energyWh.length / stepsPerSlot` slots from this one on, at most 120. */
  firstSlot: number;
  /** 1..8 */
  stepsPerSlot: number;
  /** 1..15, for all slots; a slot that holds as high a one for the point is skipped. */
  sequence: number;
  /** Bids take certified renewable energy only; offers are certified. For all steps. */
  green: boolean;
  /** Per slot and step, Wh: positive sells, negative buys, 0 = no step. A slot without a step cancels the point's order there. */
  energyWh: number[];
  /** Limit of each step, micro-token per kWh. */
  priceMicroPerKwh: number[];
}

/** A day order as `OrderBook.appendDays` takes it. */
export interface SignedDayOrder extends DayOrder {
  /** The zero address when the owner signed. */
  delegate: string;
  /** Signed as the bytes that the book takes, which costs less, instead of lists that a wallet shows. */
  packed: boolean;
  /** "0x" when the owner or delegate sends it himself. */
  signature: string;
}

export const MAX_DAY_SLOTS = 120;
export const MAX_DAY_STEPS = 8;

export const dayOrderTypes = {
  DayOrder: [
    { name: "point", type: "uint32" },
    { name: "firstSlot", type: "uint32" },
    { name: "stepsPerSlot", type: "uint8" },
    { name: "sequence", type: "uint8" },
    { name: "green", type: "bool" },
    { name: "energyWh", type: "int24[]" },
    { name: "priceMicroPerKwh", type: "int40[]" },
  ],
};

export const packedDayOrderTypes = { PackedDayOrder: [{ name: "order", type: "bytes" }] };

/** EIP-712 digest that the day order's signer signs; the domain is that of single orders. */
export const dayOrderDigest = (domain: TypedDataDomain, order: Omit<SignedDayOrder, "signature">): string =>
  order.packed
    ? TypedDataEncoder.hash(domain, packedDayOrderTypes, { order: contentOf(order, 0) })
    : TypedDataEncoder.hash(domain, dayOrderTypes, messageOf(order));

/** Signs as the owner; with `delegate` (the signer's own address) as a registered delegate; `packed` where nobody is shown it. */
export const signDayOrder = async (
  signer: OrderSigner,
  domain: TypedDataDomain,
  order: DayOrder,
  delegate: string = ZeroAddress,
  packed = false,
): Promise<SignedDayOrder> => {
  const unsigned = { ...messageOf(order), delegate, packed };
  const signature = packed
    ? await signer.signTypedData(domain, packedDayOrderTypes, { order: contentOf(unsigned, 0) })
    : await signer.signTypedData(domain, dayOrderTypes, { ...messageOf(order) });
  return { ...unsigned, signature };
};

/** The HTTP body of a signed day order, and back. */
export const bodyOfDayOrder = (order: SignedDayOrder): DayOrderBody => ({
  ...order,
  delegate: order.delegate === ZeroAddress ? null : order.delegate,
});

export const dayOrderOfBody = (body: DayOrderBody): SignedDayOrder => ({
  ...body,
  delegate: body.delegate ?? ZeroAddress,
});

export const slotsOf = ({ energyWh, stepsPerSlot }: DayOrder): number => energyWh.length / stepsPerSlot;

/**
 * Steps of each slot, in order, as a single order of that slot would have them.
 * @throws DaegError exit 1 when the numbers of steps do not fit together
 */
export const stepsBySlot = (order: DayOrder): OrderStep[][] => {
  const { stepsPerSlot, green, energyWh, priceMicroPerKwh } = order;
  checkShape(order);
  return Array.from({ length: slotsOf(order) }, (_, slot) =>
    Array.from({ length: stepsPerSlot }, (_unused, step) => {
      const at = slot * stepsPerSlot + step;
      const wh = energyWh[at] as number;
      return { sell: wh > 0, green, energyWh: Math.abs(wh), priceMicroPerKwh: priceMicroPerKwh[at] as number };
    }).filter((step) => step.energyWh !== 0),
  );
};

const checkShape = ({ stepsPerSlot, energyWh, priceMicroPerKwh }: DayOrder): void => {
  if (!Number.isInteger(stepsPerSlot) || stepsPerSlot < 1 || stepsPerSlot > MAX_DAY_STEPS)
    throw wrongInput(`stepsPerSlot: ${stepsPerSlot} must be from 1 to ${MAX_DAY_STEPS}`);
  if (priceMicroPerKwh.length !== energyWh.length)
    throw wrongInput(`priceMicroPerKwh: ${priceMicroPerKwh.length} prices for ${energyWh.length} energies`);
  const slots = energyWh.length / stepsPerSlot;
  if (!Number.isInteger(slots) || slots < 1 || slots > MAX_DAY_SLOTS)
    throw wrongInput(`energyWh: ${energyWh.length} steps are not 1 to ${MAX_DAY_SLOTS} slots of ${stepsPerSlot}`);
};

/**
 * Day orders as `OrderBook.appendDays` takes them (contracts/libraries/PackedDays), prices in the narrowest bytes, from three on,
 * that hold them all. Sort them by point: neighbours share storage words.
 */
export const packDayOrders = (orders: readonly SignedDayOrder[]): string => concat(orders.map(packDayOrder));

const packDayOrder = (order: SignedDayOrder): string => {
  const { delegate, signature } = order;
  return concat([contentOf(order, dataLength(signature)), ...(delegate === ZeroAddress ? [] : [delegate]), signature]);
};

/** Head and steps. */
const contentOf = (order: Omit<SignedDayOrder, "signature">, signatureLength: number): string => {
  checkShape(order);
  const { point, firstSlot, stepsPerSlot, sequence, green, energyWh, priceMicroPerKwh, delegate, packed } = order;
  // Prices of three bytes are checked four at a time, which saves more than a byte costs.
  const priceBytes = Math.max(3, widthOf(priceMicroPerKwh));
  const shape = stepsPerSlot | (delegate === ZeroAddress ? 0 : 128) | (green ? 64 : 0) | (packed ? 32 : 0);
  const head = [
    hexOf(point, 4),
    hexOf(firstSlot, 4),
    hexOf(slotsOf(order), 1),
    hexOf(shape, 1),
    hexOf(sequence, 1),
    hexOf(priceBytes, 1),
    hexOf(signatureLength, 2),
  ].join("");
  const steps = energyWh.map((wh, at) => hexOf(wh, ENERGY_BYTES) + hexOf(priceMicroPerKwh[at] as number, priceBytes));
  return `0x${head}${steps.join("")}`;
};

/** Head of a packed day order, and one of its energies. */
const HEAD_HEX = 28;
const ENERGY_BYTES = 3;

/** Packed day orders up to their last steps, one behind the other as `DaysAppended` tells them. */
export const splitDayOrders = (packed: string): string[] => {
  const orders: string[] = [];
  for (let at = 2; at < packed.length;) {
    const byte = (index: number): number => parseInt(packed.slice(at + 2 * index, at + 2 * index + 2), 16);
    const entries = byte(8) * (byte(9) & 15);
    const end = at + HEAD_HEX + 2 * entries * (ENERGY_BYTES + byte(11));
    orders.push(`0x${packed.slice(at, end)}`);
    at = end;
  }
  return orders;
};

/** One of them. */
export const unpackDayOrder = (packed: string): DayOrder => {
  const hex = packed.slice(2);
  const field = (from: number, bytes: number): number => parseInt(hex.slice(2 * from, 2 * (from + bytes)), 16);
  const shape = field(9, 1);
  const priceBytes = field(11, 1);
  const order: DayOrder = {
    point: field(0, 4),
    firstSlot: field(4, 4),
    stepsPerSlot: shape & 15,
    sequence: field(10, 1),
    green: (shape & 64) !== 0,
    energyWh: [],
    priceMicroPerKwh: [],
  };
  const [energyHex, priceHex] = [2 * ENERGY_BYTES, 2 * priceBytes];
  for (let at = HEAD_HEX; at < hex.length; at += energyHex + priceHex) {
    order.energyWh.push(signed(hex.slice(at, at + energyHex)));
    order.priceMicroPerKwh.push(signed(hex.slice(at + energyHex, at + energyHex + priceHex)));
  }
  return order;
};

/** Bytes of two's complement that hold every value. */
const widthOf = (values: readonly number[]): number => {
  let bytes = 1;
  for (const value of values) while (value < -(2 ** (8 * bytes - 1)) || value >= 2 ** (8 * bytes - 1)) bytes += 1;
  return bytes;
};

const signed = (hex: string): number => {
  const raw = parseInt(hex, 16);
  const bits = 4 * hex.length;
  return raw >= 2 ** (bits - 1) ? raw - 2 ** bits : raw;
};

const hexOf = (value: number, bytes: number): string =>
  (value < 0 ? value + 2 ** (8 * bytes) : value).toString(16).padStart(2 * bytes, "0");

const messageOf = ({
  point,
  firstSlot,
  stepsPerSlot,
  sequence,
  green,
  energyWh,
  priceMicroPerKwh,
}: DayOrder): DayOrder => ({
  point,
  firstSlot,
  stepsPerSlot,
  sequence,
  green,
  energyWh: [...energyWh],
  priceMicroPerKwh: [...priceMicroPerKwh],
});
