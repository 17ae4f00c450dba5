import type { LogEvent } from "./log-events.ts";

/** Free deposits of relayers that seal batches, token base units. What is bound by a sealed batch is not in it. */
export const createBonds = () => {
  const free = new Map<string, bigint>();
  let bond = 0n;
  const add = (relayer: string, amount: bigint): void => {
    free.set(relayer, (free.get(relayer) ?? 0n) + amount);
  };
  const apply = ({ module }: LogEvent): void => {
    if (module?.contract !== "sealedBatches") return;
    const { name, args } = module;
    if (name === "BondSet") bond = args.big("bond");
    if (name === "Deposited") add(args.text("relayer"), args.big("amount"));
    if (name === "Withdrawn") add(args.text("relayer"), -args.big("amount"));
    if (name === "Sealed") add(args.text("relayer"), -bond);
    if (name === "Opened") add(args.text("relayer"), bond);
  };
  return { free, apply };
};
