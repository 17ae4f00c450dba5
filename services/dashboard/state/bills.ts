import type { SlotStory } from "../../protocol/api.ts";

/** A home's day: nano-token (positive = earned) and metered Wh, exact sums. */
export interface Bill {
  readonly marketNano: bigint;
  readonly tariffNano: bigint;
  readonly importWh: number;
  readonly exportWh: number;
  readonly soldWh: number;
  readonly boughtWh: number;
}

const nothing: Bill = { marketNano: 0n, tariffNano: 0n, importWh: 0, exportWh: 0, soldWh: 0, boughtWh: 0 };

/** Bills by point over settled slots; slots without a settlement count nothing. */
export const billsOf = (stories: readonly SlotStory[]): Map<number, Bill> => {
  const bills = new Map<number, Bill>();
  for (const story of stories)
    for (const payment of story.settlement?.payments ?? []) {
      const bill = bills.get(payment.point) ?? nothing;
      bills.set(payment.point, {
        marketNano: bill.marketNano + BigInt(payment.paymentNano),
        tariffNano: bill.tariffNano + BigInt(payment.tariffNano),
        importWh: bill.importWh + payment.importWh,
        exportWh: bill.exportWh + payment.exportWh,
        soldWh: bill.soldWh + Math.max(0, payment.positionWh),
        boughtWh: bill.boughtWh + Math.max(0, -payment.positionWh),
      });
    }
  return bills;
};

/** The sum of all bills. */
export const totalBill = (bills: Iterable<Bill>): Bill => {
  let sum = nothing;
  for (const bill of bills)
    sum = {
      marketNano: sum.marketNano + bill.marketNano,
      tariffNano: sum.tariffNano + bill.tariffNano,
      importWh: sum.importWh + bill.importWh,
      exportWh: sum.exportWh + bill.exportWh,
      soldWh: sum.soldWh + bill.soldWh,
      boughtWh: sum.boughtWh + bill.boughtWh,
    };
  return sum;
};
