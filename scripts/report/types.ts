/** DAY report (../shared/formats.md): money in the community's currency, rounded to 1e-6 for display; the chain keeps nano. */
export interface DayReport {
  community: string;
  currency: string;
  start: string;
  slots: number;
  homes: number;
  wallSeconds: number;
  bills: Bill[];
  totals: Totals;
  chain: ChainFigures;
  oracle: { nodes: number; faultsTolerated: number; modbusReads: number; reports: number };
  conservation: { moneyNano: string; energyWh: number };
}

export interface Bill {
  home: string;
  passive: number;
  selfish: number;
  market: number;
  tariff: number;
  imbalanceCost: number;
}

export interface Totals {
  passiveCost: number;
  selfishCost: number;
  marketCost: number;
  boundCost: number;
  savingVsPassivePercent: number;
  savingVsSelfishPercent: number;
  returnedToMembers: number;
  overloadSlots: { passive: number; selfish: number; market: number };
  unservedWh: number;
  importKwh: number;
  exportKwh: number;
  localTradeKwh: number;
  selfSufficiency: number;
  selfConsumption: number;
  peakImportKw: number;
  selfishPeakImportKw: number;
  co2Kg: number;
  passiveCo2Kg: number;
  selfishCo2Kg: number;
}

export interface ChainFigures {
  transactions: number;
  orders: number;
  gasPerOrderAppended: number;
  gasPerOrderCleared: number;
  gasPerMeterSlotSettled: number;
  gasPerMeterSlotTotal: number;
  slotsCleared: number;
  slotsSettled: number;
  slotsEstimated: number;
  maxGapNano: string;
}
