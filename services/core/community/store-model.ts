/**
 * A battery (of a house or a car) in exact integers: AC energy in joules, stored energy in microjoules, so that nothing is
 * ever rounded while it runs. Efficiencies are whole parts per million: charging 1 J stores `storePerJoule` uJ, discharging
 * 1 J takes `drawPerJoule` uJ.
 */
export interface StoreModel {
  readonly capacityMicroJ: number;
  readonly maxChargeW: number;
  readonly maxDischargeW: number;
  readonly storePerJoule: number;
  readonly drawPerJoule: number;
}

/** What changes in it. Microjoules stay safe integers up to 2.5 MWh. */
export interface StoreState {
  storedMicroJ: number;
  /** AC energy since the slot began, positive = discharged. */
  slotJ: number;
}

export const JOULE_PER_WH = 3600;
const MICRO = 1e6;

export function createStoreModel({
  capacityWh,
  maxChargeW,
  maxDischargeW,
  oneWayEfficiency,
}: {
  capacityWh: number;
  maxChargeW: number;
  maxDischargeW: number;
  oneWayEfficiency: number;
}): StoreModel {
  return {
    capacityMicroJ: capacityWh * JOULE_PER_WH * MICRO,
    maxChargeW,
    maxDischargeW,
    storePerJoule: Math.round(oneWayEfficiency * MICRO),
    drawPerJoule: Math.round(MICRO / oneWayEfficiency),
  };
}

/** The power it can really take or give from now on, for whole seconds. */
export interface Piece {
  /** Positive = discharge. */
  readonly powerW: number;
  readonly seconds: number;
}

/**
 * Limits a wanted power to the ratings and to the energy that is there.
 * @param wantedW whole W, positive = discharge
 * @param seconds how long it is wanted, whole
 * @param fullMicroJ where charging ends (the capacity, or a car's target)
 * @returns a constant power and for how much of the time it holds; the last second before empty or full may be partial
 */
export function feasiblePiece(
  model: StoreModel,
  state: StoreState,
  wantedW: number,
  seconds: number,
  fullMicroJ = model.capacityMicroJ,
): Piece {
  const powerW = Math.max(-model.maxChargeW, Math.min(model.maxDischargeW, wantedW));
  if (powerW === 0) return { powerW: 0, seconds };
  const limitJ =
    powerW > 0
      ? Math.floor(Math.max(0, state.storedMicroJ) / model.drawPerJoule)
      : Math.floor(Math.max(0, fullMicroJ - state.storedMicroJ) / model.storePerJoule);
  if (limitJ === 0) return { powerW: 0, seconds };
  const whole = Math.floor(limitJ / Math.abs(powerW));
  if (whole > 0) return { powerW, seconds: Math.min(seconds, whole) };
  return { powerW: Math.sign(powerW) * limitJ, seconds: 1 };
}

/** Moves energy: positive = discharged at the AC terminals. */
export function moveEnergy(model: StoreModel, state: StoreState, energyJ: number): void {
  state.storedMicroJ -= energyJ > 0 ? energyJ * model.drawPerJoule : energyJ * model.storePerJoule;
  state.slotJ += energyJ;
}

/**
 * Ends a slot: the AC energy of the slot becomes whole Wh, rounded toward zero; the rest goes back to where it came from (so
 * stored energy may stand up to a Wh outside empty and full).
 * @returns the joules given back: positive = discharged less, negative = charged less
 */
export function closeStoreSlot(model: StoreModel, state: StoreState): number {
  const restJ = state.slotJ % JOULE_PER_WH;
  state.storedMicroJ += restJ > 0 ? restJ * model.drawPerJoule : restJ * model.storePerJoule;
  state.slotJ = 0;
  return restJ;
}

/** State of charge in hundredths of a percent, 0 to 10000. */
export function socOf(model: StoreModel, state: StoreState): number {
  const part = Math.floor((state.storedMicroJ / model.capacityMicroJ) * 10_000);
  return Math.max(0, Math.min(10_000, part));
}

/** Whole Wh in it, never below zero or above the capacity. */
export function storedWh(model: StoreModel, state: StoreState): number {
  const microJ = Math.max(0, Math.min(model.capacityMicroJ, state.storedMicroJ));
  return Math.floor(microJ / (JOULE_PER_WH * MICRO));
}
