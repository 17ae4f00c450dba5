import { concat, Contract, ZeroAddress, type Wallet } from "ethers";
import { adminOf } from "../../../scripts/deploy/safe.ts";
import type { Week } from "./week.ts";

const SAFE_ABI = [
  "function nonce() view returns (uint256)",
  "function execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes signatures) returns (bool)",
];
const uint = (name: string) => ({ name, type: "uint256" });
const address = (name: string) => ({ name, type: "address" });
const SAFE_TX = {
  SafeTx: [
    ...[address("to"), uint("value"), { name: "data", type: "bytes" }, { name: "operation", type: "uint8" }],
    ...[
      uint("safeTxGas"),
      uint("baseGas"),
      uint("gasPrice"),
      address("gasToken"),
      address("refundReceiver"),
      uint("nonce"),
    ],
  ],
};

/** The account of three of whom two sign: the admin. */
export const safeOf = (week: Week) => {
  const { addresses } = week;
  const safe = new Contract(adminOf(week.market.terms, week.market.plan.at), SAFE_ABI, week.market.provider);
  /** A transaction of the multi-signature account to the access manager, signed by these two owners, sent by anybody. */
  const bySafe = async (data: string, signers: Wallet[]) => {
    const content = {
      ...{ to: addresses.accessManager, value: 0, data, operation: 0, safeTxGas: 0, baseGas: 0, gasPrice: 0 },
      ...{ gasToken: ZeroAddress, refundReceiver: ZeroAddress, nonce: (await safe["nonce"]!()) as bigint },
    };
    const domain = { chainId: week.market.chainId, verifyingContract: await safe.getAddress() };
    const sorted = [...signers].sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
    const signatures = concat(await Promise.all(sorted.map((one) => one.signTypedData(domain, SAFE_TX, content))));
    const { nonce: _, ...call } = content;
    return safe["execTransaction"]!.populateTransaction(...Object.values(call), signatures) as Promise<{
      to: string;
      data: string;
    }>;
  };
  return { safe, bySafe };
};
