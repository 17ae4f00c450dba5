import { ZeroAddress } from "ethers";
import type { Arguments, LogEvent, Report } from "./log-events.ts";

/** Shares of the community battery, and what of its requests is open or not fetched. Tokens in base units. */
export interface RebuiltBattery {
  /** By holder; the vault itself keeps those of open redemptions and of deposits that nobody fetched yet. */
  shares: Map<string, bigint>;
  totalShares: bigint;
  pendingAssets: bigint;
  pendingShares: bigint;
  owedAssets: bigint;
}

export const createBattery = (report: Report) => {
  const battery: RebuiltBattery = {
    ...{ shares: new Map(), totalShares: 0n },
    ...{ pendingAssets: 0n, pendingShares: 0n, owedAssets: 0n },
  };
  const add = (holder: string, shares: bigint): void => {
    if (holder === ZeroAddress) {
      battery.totalShares -= shares;
      return;
    }
    const held = (battery.shares.get(holder) ?? 0n) + shares;
    battery.shares.set(holder, held);
    if (held < 0n) report(`${holder} holds ${held} shares of the battery`);
  };

  const executed = (args: Arguments): void => {
    const assets = args.big("assets");
    battery.pendingAssets -= assets;
    // Without shares the tokens go back.
    if (args.big("shares") === 0n) battery.owedAssets += assets;
  };
  const paid = (args: Arguments): void => {
    battery.pendingShares -= args.big("shares") + args.big("returned");
    battery.owedAssets += args.big("assets");
  };

  const steps: Record<string, (args: Arguments) => void> = {
    Transfer: (args) => {
      add(args.text("from"), -args.big("value"));
      add(args.text("to"), args.big("value"));
    },
    DepositRequested: (args) => (battery.pendingAssets += args.big("assets")),
    RedemptionRequested: (args) => (battery.pendingShares += args.big("shares")),
    Executed: executed,
    Paid: paid,
    Withdraw: (args) => (battery.owedAssets -= args.big("assets")),
    TakenBack: (args) => (battery.owedAssets -= args.big("assets")),
  };

  const apply = ({ module }: LogEvent): void => {
    if (module?.contract === "communityStorage") steps[module.name]?.(module.args);
  };
  const finish = (): void => {
    const { pendingAssets, pendingShares, owedAssets } = battery;
    if (pendingAssets < 0n || pendingShares < 0n || owedAssets < 0n)
      report(`the battery: ${pendingAssets} tokens and ${pendingShares} shares asked for, ${owedAssets} tokens owed`);
  };
  return { battery, apply, finish };
};
