import { oneWayEfficiency } from "../battery/battery.ts";
import type { Home } from "./community.ts";
import { closeMeterSlot, countEnergy, type MeterState } from "./meter-model.ts";
import {
  closeStoreSlot,
  createStoreModel,
  feasiblePiece,
  moveEnergy,
  type StoreModel,
  type StoreState,
} from "./store-model.ts";
import { SLOT_SECONDS } from "./slots.ts";
import { stayAt } from "./vehicle.ts";

/** Power of a home's series, constant within a slot: whole W. */
export interface SlotPower {
  readonly loadW: number;
  readonly pvW: number;
}

/** Limits written to the battery (SunSpec 124): discharge stays within [lowerW, upperW]; null = no such limit. */
export interface BatteryControl {
  lowerW: number | null;
  upperW: number | null;
  /** Chain time at which both end and the battery follows its own rule again; null = never. */
  revertAt: number | null;
}

/** Power written to the car's charger; null = its own rule: full power until the target. */
export interface ChargerControl {
  powerW: number | null;
  revertAt: number | null;
}

/** Everything about a home that changes; plain JSON. Times are unix seconds. */
export interface HomeState {
  time: number;
  meter: MeterState;
  /** Solar energy up to the slot's start, and within it. */
  generatedWh: number;
  generatedJ: number;
  /** What the home's load got, alike: the rest of meter, sun and storage, not what it asked for. */
  servedWh: number;
  servedJ: number;
  battery: (StoreState & { control: BatteryControl }) | null;
  /** `storedMicroJ` of the last stay while the car is away. */
  vehicle: (StoreState & { control: ChargerControl; connected: boolean; chargedWh: number }) | null;
}

/** The parts of a home that do not change. */
export interface HomeModel {
  readonly home: Home;
  readonly battery: StoreModel | null;
  readonly vehicle: (StoreModel & { readonly targetMicroJ: number; readonly arrivalMicroJ: number }) | null;
}

/** Powers at one moment, W. */
export interface PresentPower {
  readonly loadW: number;
  readonly pvW: number;
  /** Positive = discharge. */
  readonly batteryW: number;
  readonly vehicleW: number;
  /** Positive = import. */
  readonly gridW: number;
}

export function createHomeModel(home: Home): HomeModel {
  const { battery, vehicle } = home;
  const car =
    vehicle &&
    createStoreModel({
      capacityWh: vehicle.capacityWh,
      maxChargeW: vehicle.maxChargeW,
      maxDischargeW: 0,
      oneWayEfficiency: vehicle.chargeEfficiency,
    });
  return {
    home,
    battery: battery
      ? createStoreModel({
          capacityWh: battery.capacityWh,
          maxChargeW: battery.powerW,
          maxDischargeW: battery.powerW,
          oneWayEfficiency: oneWayEfficiency(battery),
        })
      : null,
    vehicle:
      vehicle && car
        ? {
            ...car,
            targetMicroJ: Math.round(car.capacityMicroJ * vehicle.targetSoc),
            arrivalMicroJ: Math.round(car.capacityMicroJ * vehicle.arrivalSoc),
          }
        : null,
  };
}

/** A home at the start of a slot: battery half full, registers as given, car present if its hours say so. */
export function createHomeState(model: HomeModel, time: number, registers = { importWh: 0, exportWh: 0 }): HomeState {
  const connected = model.home.vehicle ? stayAt(model.home.vehicle, time) !== null : false;
  return {
    time,
    meter: { ...registers, importJ: 0, exportJ: 0 },
    generatedWh: 0,
    generatedJ: 0,
    servedWh: 0,
    servedJ: 0,
    battery: model.battery && {
      storedMicroJ: model.battery.capacityMicroJ / 2,
      slotJ: 0,
      control: { lowerW: null, upperW: null, revertAt: null },
    },
    vehicle: model.vehicle && {
      storedMicroJ: model.vehicle.arrivalMicroJ,
      slotJ: 0,
      control: { powerW: null, revertAt: null },
      connected,
      chargedWh: 0,
    },
  };
}

/** What flows from `state.time` on, if nothing changes, and for how many whole seconds (at most `seconds`). */
export function presentPower(
  model: HomeModel,
  state: HomeState,
  slot: SlotPower,
  seconds = 1,
): PresentPower & { seconds: number } {
  let vehicleW = 0;
  let lasts = seconds;
  if (model.vehicle && state.vehicle?.connected) {
    const { powerW } = state.vehicle.control;
    const wanted = powerW ?? model.vehicle.maxChargeW;
    const full = powerW === null ? model.vehicle.targetMicroJ : model.vehicle.capacityMicroJ;
    const piece = feasiblePiece(model.vehicle, state.vehicle, -wanted, lasts, full);
    vehicleW = piece.powerW === 0 ? 0 : -piece.powerW;
    lasts = piece.seconds;
  }
  let batteryW = 0;
  if (model.battery && state.battery) {
    // Its own rule is greedy self-consumption: cover what the home lacks, take what it has too much.
    const { lowerW, upperW } = state.battery.control;
    const own = slot.loadW + vehicleW - slot.pvW;
    const wanted = Math.max(lowerW ?? -Infinity, Math.min(upperW ?? Infinity, own));
    const piece = feasiblePiece(model.battery, state.battery, wanted, lasts);
    batteryW = piece.powerW;
    lasts = piece.seconds;
  }
  const gridW = slot.loadW + vehicleW - slot.pvW - batteryW;
  return { loadW: slot.loadW, pvW: slot.pvW, batteryW, vehicleW, gridW, seconds: lasts };
}

/**
 * Runs a home to `until` (unix seconds, within the slot that contains `state.time`, or its end), changing `state`.
 * Powers are constant between the moments when something happens: a control that ends, a battery full or empty.
 * @returns net energy taken from the grid, J
 */
export function runHome(model: HomeModel, state: HomeState, slot: SlotPower, until: number): number {
  let netJ = 0;
  while (state.time < until) {
    endControls(model, state);
    const stops = [until, state.battery?.control.revertAt, state.vehicle?.control.revertAt];
    const end = Math.min(
      ...stops.map((stop) => (stop !== null && stop !== undefined && stop > state.time ? stop : until)),
    );
    const power = presentPower(model, state, slot, end - state.time);
    const { seconds } = power;
    if (model.battery && state.battery) moveEnergy(model.battery, state.battery, power.batteryW * seconds);
    if (model.vehicle && state.vehicle) moveEnergy(model.vehicle, state.vehicle, -power.vehicleW * seconds);
    countEnergy(state.meter, power.gridW * seconds);
    state.generatedJ += power.pvW * seconds;
    state.servedJ += (power.gridW + power.pvW + power.batteryW - power.vehicleW) * seconds;
    netJ += power.gridW * seconds;
    state.time += seconds;
  }
  endControls(model, state);
  return netJ;
}

/**
 * Ends the slot at `state.time`: every device's energy becomes whole Wh, so the home's net is whole Wh too.
 * @returns joules by which the slot's net import grew through this rounding (negative: shrank)
 */
export function closeHomeSlot(model: HomeModel, state: HomeState): number {
  let grownJ = 0;
  if (model.battery && state.battery) {
    const rest = closeStoreSlot(model.battery, state.battery);
    countEnergy(state.meter, rest);
    grownJ += rest;
  }
  if (model.vehicle && state.vehicle) {
    const drawnJ = -state.vehicle.slotJ;
    const rest = closeStoreSlot(model.vehicle, state.vehicle);
    countEnergy(state.meter, rest);
    grownJ += rest;
    state.vehicle.chargedWh += Math.floor(drawnJ / 3600);
  }
  closeMeterSlot(state.meter);
  state.generatedWh += state.generatedJ / 3600;
  state.generatedJ = 0;
  state.servedWh += state.servedJ / 3600;
  state.servedJ = 0;
  endControls(model, state);
  return grownJ;
}

/** Net import of a home in one slot under its own rules alone (no control), Wh; `state` moves to the slot's end. */
export function runOwnSlot(model: HomeModel, state: HomeState, slot: SlotPower): number {
  const before = state.meter.importWh - state.meter.exportWh;
  runHome(model, state, slot, (Math.floor(state.time / SLOT_SECONDS) + 1) * SLOT_SECONDS);
  closeHomeSlot(model, state);
  return state.meter.importWh - state.meter.exportWh - before;
}

/** What is due at `state.time`: controls that ran out, a car that arrives or leaves. */
function endControls({ home, vehicle }: HomeModel, state: HomeState): void {
  const { battery, vehicle: car } = state;
  if (battery && battery.control.revertAt !== null && battery.control.revertAt <= state.time) {
    battery.control = { lowerW: null, upperW: null, revertAt: null };
  }
  if (!car || !vehicle || !home.vehicle) return;
  if (car.control.revertAt !== null && car.control.revertAt <= state.time)
    car.control = { powerW: null, revertAt: null };
  const here = stayAt(home.vehicle, state.time) !== null;
  if (here === car.connected) return;
  car.connected = here;
  car.control = { powerW: null, revertAt: null };
  if (here) car.storedMicroJ = vehicle.arrivalMicroJ;
}
