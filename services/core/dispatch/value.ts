/**
 * The value of stored energy of one battery, exactly: a concave, piecewise linear function of what is stored, carried
 * backwards over the horizon. One slot adds the segments of its own reward (discharging replaces import, then exports;
 * charging takes surplus, then imports); the best split between this slot and the later ones merges the two lists by slope.
 * It is the parametric solution of the LP in `home.ts` (a test compares them) for every state of charge at once.
 */

/** What a battery can do in one slot and what the slot pays. Energies Wh per slot at the terminals, prices per Wh. */
export interface Stage {
  /** Load less PV; negative = surplus. */
  readonly needWh: number;
  readonly importPrice: number;
  /** Not above `importPrice`. */
  readonly exportPrice: number;
  readonly chargeWh: number;
  readonly dischargeWh: number;
}

/** Value of stored energy from 0 Wh to the capacity: segments of falling slope (value per stored Wh). */
export interface ValueCurve {
  readonly base: number;
  readonly widths: readonly number[];
  readonly slopes: readonly number[];
}

const EMPTY = 1e-9;

export const linearValue = (capacityWh: number, slope: number): ValueCurve => ({
  base: 0,
  widths: [capacityWh],
  slopes: [slope],
});

/** Reward of taking energy out of storage in a slot: segments from the most charging to the most discharging. */
const rewardOf = (
  stage: Stage,
  efficiency: number,
): { start: number; base: number; widths: number[]; slopes: number[] } => {
  const { needWh, importPrice, exportPrice } = stage;
  const surplus = Math.max(0, -needWh);
  const need = Math.max(0, needWh);
  const fromSurplus = Math.min(stage.chargeWh, surplus);
  const fromGrid = Math.max(0, stage.chargeWh - fromSurplus);
  const toLoad = Math.min(stage.dischargeWh, need);
  const toGrid = Math.max(0, stage.dischargeWh - toLoad);
  const charged = fromSurplus + fromGrid;
  return {
    start: -charged * efficiency,
    base: (surplus - fromSurplus) * exportPrice - (need + fromGrid) * importPrice,
    widths: [fromGrid * efficiency, fromSurplus * efficiency, toLoad / efficiency, toGrid / efficiency],
    slopes: [importPrice / efficiency, exportPrice / efficiency, importPrice * efficiency, exportPrice * efficiency],
  };
};

/** Value at the start of a slot from the value at its end. `efficiency` one way. */
export const carryBack = (next: ValueCurve, stage: Stage, efficiency: number, capacityWh: number): ValueCurve => {
  const reward = rewardOf(stage, efficiency);
  const order = [0, 1, 2, 3].sort((a, b) => reward.slopes[b]! - reward.slopes[a]!);
  const widths: number[] = [];
  const slopes: number[] = [];
  let base = next.base + reward.base;
  let skip = -reward.start;
  let room = capacityWh;
  const push = (width: number, slope: number): void => {
    if (skip > 0) {
      const skipped = Math.min(skip, width);
      base += skipped * slope;
      skip -= skipped;
      width -= skipped;
    }
    const taken = Math.min(width, room);
    if (taken <= EMPTY) return;
    room -= taken;
    const last = slopes.length - 1;
    if (last >= 0 && slopes[last]! - slope < 1e-15) widths[last]! += taken;
    else {
      widths.push(taken);
      slopes.push(slope);
    }
  };
  let at = 0;
  for (const index of order) {
    const slope = reward.slopes[index]!;
    while (at < next.slopes.length && next.slopes[at]! >= slope) {
      push(next.widths[at]!, next.slopes[at]!);
      at += 1;
    }
    push(reward.widths[index]!, slope);
  }
  for (; at < next.slopes.length; at++) push(next.widths[at]!, next.slopes[at]!);
  return { base, widths, slopes };
};

/**
 * Value of stored energy at every slot boundary: entry 0 before the first stage, the last one is `final`.
 */
export const valueCurves = (
  stages: readonly Stage[],
  battery: { capacityWh: number; efficiency: number },
  final: ValueCurve,
): ValueCurve[] => {
  const curves: ValueCurve[] = new Array<ValueCurve>(stages.length + 1);
  curves[stages.length] = final;
  for (let t = stages.length - 1; t >= 0; t--) {
    curves[t] = carryBack(curves[t + 1]!, stages[t]!, battery.efficiency, battery.capacityWh);
  }
  return curves;
};

/** Value at a state of charge. */
export const valueAt = (curve: ValueCurve, storedWh: number): number => {
  let value = curve.base;
  let left = storedWh;
  for (let i = 0; i < curve.widths.length && left > 0; i++) {
    const taken = Math.min(left, curve.widths[i]!);
    value += taken * curve.slopes[i]!;
    left -= taken;
  }
  return value;
};

/** A piece of stored energy with its value per stored Wh. */
export interface Piece {
  readonly widthWh: number;
  readonly slope: number;
}

/** What lies below a state of charge, the least valuable first: what discharging gives up. */
export const piecesBelow = (curve: ValueCurve, storedWh: number): Piece[] => {
  const pieces: Piece[] = [];
  let start = 0;
  for (let i = 0; i < curve.widths.length && start < storedWh - EMPTY; i++) {
    pieces.push({ widthWh: Math.min(curve.widths[i]!, storedWh - start), slope: curve.slopes[i]! });
    start += curve.widths[i]!;
  }
  return pieces.reverse();
};

/** What lies above a state of charge, the most valuable first: what charging gains. */
export const piecesAbove = (curve: ValueCurve, storedWh: number): Piece[] => {
  const pieces: Piece[] = [];
  let start = 0;
  for (let i = 0; i < curve.widths.length; i++) {
    const end = start + curve.widths[i]!;
    if (end > storedWh + EMPTY) {
      pieces.push({ widthWh: end - Math.max(start, storedWh), slope: curve.slopes[i]! });
    }
    start = end;
  }
  return pieces;
};

/**
 * Best terminal energy of one slot (Wh, positive = discharge) given what is stored and what the rest will be worth after it.
 * Ties keep the battery still.
 */
export const bestAction = (after: ValueCurve, storedWh: number, stage: Stage, efficiency: number): number => {
  const { needWh, importPrice, exportPrice } = stage;
  let charged = 0;
  for (const piece of piecesAbove(after, storedWh)) {
    let left = piece.widthWh / efficiency;
    while (left > EMPTY) {
      const surplusLeft = Math.max(0, -needWh - charged);
      const price = surplusLeft > EMPTY ? exportPrice : importPrice;
      if (piece.slope * efficiency <= price) return charged > 0 ? -charged : discharge();
      const taken = Math.min(left, stage.chargeWh - charged, surplusLeft > EMPTY ? surplusLeft : Infinity);
      if (taken <= EMPTY) return -charged;
      charged += taken;
      left -= taken;
    }
  }
  return charged > 0 ? -charged : discharge();

  function discharge(): number {
    let given = 0;
    for (const piece of piecesBelow(after, storedWh)) {
      let left = piece.widthWh * efficiency;
      while (left > EMPTY) {
        const needLeft = Math.max(0, needWh - given);
        const price = needLeft > EMPTY ? importPrice : exportPrice;
        if (price * efficiency <= piece.slope) return given;
        const taken = Math.min(left, stage.dischargeWh - given, needLeft > EMPTY ? needLeft : Infinity);
        if (taken <= EMPTY) return given;
        given += taken;
        left -= taken;
      }
    }
    return given;
  }
};
