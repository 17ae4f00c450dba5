import { SigningKey } from "ethers/crypto";
import type { OrderBody } from "../../protocol/api.ts";
import { orderDigest, orderDomain, type Order } from "../../protocol/order.ts";

/** Signs an order with a local key as its owner: 65 bytes over the EIP-712 hash. */
export const signOrder = (
  order: Order,
  { chainId, orderBook, privateKey }: { chainId: number; orderBook: string; privateKey: string },
): OrderBody => ({
  ...order,
  delegate: null,
  signature: new SigningKey(privateKey).sign(orderDigest(orderDomain({ chainId, orderBook }), order)).serialized,
});
