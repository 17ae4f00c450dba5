import { tryAgain } from "../../platform/errors.ts";
import { outcomeOf, type Cheat } from "./bench.ts";

/** Sends the committee's last report a second time, with all its valid signatures. */
export const doubledReport: Cheat = async ({ context, send }) => {
  const last = context.store.get<{ slot: number; tx: string }>(
    "SELECT slot, tx FROM reports ORDER BY block DESC, log DESC LIMIT 1",
  );
  const original = last && (await context.provider.getTransaction(last.tx));
  if (!original) throw tryAgain("no slot is reported yet: try again in a moment");
  return outcomeOf(
    `The committee's report of slot ${last.slot} once more, signatures and all.`,
    await send({ to: context.addresses.meterOracle, data: original.data }),
  );
};
