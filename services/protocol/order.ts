import { AbiCoder, concat, keccak256, TypedDataEncoder, type TypedDataDomain } from "ethers";
import type { z } from "zod";
import { orderBodySchema } from "./api.ts";

/** The order of contracts/interfaces/IOrderBook.sol as its signer sees it. Energy Wh, price micro-token per kWh. */
export interface Order {
  point: number;
  slot: number;
  /** 1..15, above the one that the book holds for the point and the slot (0 before the first order). */
  sequence: number;
  /** At most 8; none cancels the live order. */
  steps: OrderStep[];
}

export interface OrderStep {
  sell: boolean;
  green: boolean;
  energyWh: number;
  priceMicroPerKwh: number;
}

/** An order as `OrderBook.append` takes it. */
export interface SignedOrder extends Order {
  /** The zero address when the owner signed. */
  delegate: string;
  signature: string;
}

/** Body of `POST /orders`; `delegate` null when the owner signed. */
export const orderSchema = orderBodySchema;
export type OrderBody = z.infer<typeof orderBodySchema>;

/** Whoever signs typed data: an ethers wallet, or a browser's. */
export interface OrderSigner {
  signTypedData(
    domain: TypedDataDomain,
    types: Record<string, { name: string; type: string }[]>,
    value: Record<string, unknown>,
  ): Promise<string>;
}

export const orderTypes = {
  Order: [
    { name: "point", type: "uint32" },
    { name: "slot", type: "uint32" },
    { name: "sequence", type: "uint8" },
    { name: "steps", type: "Step[]" },
  ],
  Step: [
    { name: "sell", type: "bool" },
    { name: "green", type: "bool" },
    { name: "energyWh", type: "uint32" },
    { name: "priceMicroPerKwh", type: "int40" },
  ],
};

const NO_DELEGATE = "0x0000000000000000000000000000000000000000";

export const orderDomain = (addresses: { chainId: number | bigint; orderBook: string }): TypedDataDomain => ({
  name: "DAEG",
  version: "1",
  chainId: addresses.chainId,
  verifyingContract: addresses.orderBook,
});

/** EIP-712 digest that the order's signer signs. */
export const orderDigest = (domain: TypedDataDomain, order: Order): string =>
  TypedDataEncoder.hash(domain, orderTypes, messageOf(order));

/** Signs as the owner; with `delegate` (the signer's own address) as a registered delegate. */
export const signOrder = async (
  signer: OrderSigner,
  domain: TypedDataDomain,
  order: Order,
  delegate: string = NO_DELEGATE,
): Promise<SignedOrder> => ({
  ...messageOf(order),
  delegate,
  signature: await signer.signTypedData(domain, orderTypes, { ...messageOf(order) }),
});

/** The HTTP body of a signed order, and back. */
export const bodyOfOrder = (order: SignedOrder): OrderBody => ({
  ...order,
  delegate: order.delegate === NO_DELEGATE ? null : order.delegate,
});

export const orderOfBody = (body: OrderBody): SignedOrder => ({ ...body, delegate: body.delegate ?? NO_DELEGATE });

/** The 64-byte form (EIP-2098) of a 65-byte signature: 31 zero bytes of calldata less. */
export const compactSignature = (signature: string): string => {
  const bytes = signature.slice(2);
  if (bytes.length !== 130) return signature;
  const s = BigInt(`0x${bytes.slice(64, 128)}`);
  const parity = parseInt(bytes.slice(128), 16) === 28 ? 1n << 255n : 0n;
  return concat([`0x${bytes.slice(0, 64)}`, `0x${(s | parity).toString(16).padStart(64, "0")}`]);
};

/**
 * Orders of one slot as `OrderBook.appendPacked` takes them: a third of the calldata of `append` (contracts/libraries/PackedOrder).
 * Sort them by point: neighbours share storage words.
 */
export const packOrders = (orders: readonly SignedOrder[]): string => concat(orders.map(packOrder));

/** What `SealedBatches.seal` takes for packed orders that are to be opened with this salt. */
export const sealedCommitment = ({
  slot,
  relayer,
  orders,
  salt,
}: {
  slot: number;
  relayer: string;
  orders: string;
  salt: string;
}): string =>
  keccak256(
    AbiCoder.defaultAbiCoder().encode(["uint32", "address", "bytes", "bytes32"], [slot, relayer, orders, salt]),
  );

const packOrder = ({ point, sequence, steps, delegate, signature }: SignedOrder): string => {
  const delegated = delegate !== NO_DELEGATE;
  const length = (signature.length - 2) / 2;
  return concat([
    `0x${hexOf(point, 4)}${hexOf(sequence, 1)}${hexOf(steps.length | (delegated ? 128 : 0), 1)}${hexOf(length, 2)}`,
    delegated ? delegate : "0x",
    ...steps.map(packStep),
    signature,
  ]);
};

const packStep = ({ sell, green, energyWh, priceMicroPerKwh: price }: OrderStep): string =>
  `0x${hexOf((sell ? 1 : 0) | (green ? 2 : 0), 1)}${hexOf(energyWh, 4)}${hexOf(price < 0 ? price + 2 ** 40 : price, 5)}`;

const hexOf = (value: number, bytes: number): string => value.toString(16).padStart(2 * bytes, "0");

const messageOf = ({ point, slot, sequence, steps }: Order): Order => ({ point, slot, sequence, steps });
