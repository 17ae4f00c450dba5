import type { HomeModel, HomeState, PresentPower } from "../core/community/home-model.ts";
import { shownExportWh, shownImportWh } from "../core/community/meter-model.ts";
import { socOf, storedWh } from "../core/community/store-model.ts";
import { stayAt } from "../core/community/vehicle.ts";
import type { ModbusUnit } from "../devices/modbus-server.ts";
import { createSunSpecImage, type SunSpecImage } from "../devices/sunspec/map.ts";
import { battery, charger, common, inverter, storage, storageCapacity } from "../devices/sunspec/models.ts";
import { createMeterUnit, fillIdentity, scaleFor } from "./meter-unit.ts";

/** Unit ids of a simulated home. */
export const METER_UNIT = 1;
export const INVERTER_UNIT = 2;
export const BATTERY_UNIT = 3;
export const CHARGER_UNIT = 4;

/** The registers of a home's devices. */
export interface HomeUnits {
  readonly units: ReadonlyMap<number, ModbusUnit>;
  /** Puts the controls of a stored state back into the registers that were written. */
  restore(state: HomeState): void;
  /** Shows the state in the registers. */
  refresh(state: HomeState, present: PresentPower): void;
  /** Takes a written set-point into the state; it acts from `state.time` on. Returns a Modbus exception code or undefined. */
  write(state: HomeState, unit: number, address: number, values: readonly number[]): number | undefined;
}

/** Rates of model 124 in hundredths of a percent of the rated power. */
const RATE_SCALE = -2;
const FULL_RATE = 10_000;
const CHARGE_LIMIT = 1;
const DISCHARGE_LIMIT = 2;
const ILLEGAL_VALUE = 3;

export function createHomeUnits(model: HomeModel): HomeUnits {
  const { home } = model;
  const meterUnit = createMeterUnit(`${home.id}-meter`, Math.max(home.importRatingW, home.exportRatingW));
  const units = new Map<number, ModbusUnit>([[METER_UNIT, meterUnit.unit]]);
  const solar = home.pvW > 0 ? createSolar(home.id, home.pvW) : undefined;
  if (solar) units.set(INVERTER_UNIT, { holding: [solar] });
  const store = home.battery && model.battery ? createStorage(home.id, home.battery) : undefined;
  if (store) {
    const first = store.addressOf(storage, "OutWRte");
    const mode = store.addressOf(storage, "StorCtl_Mod");
    units.set(BATTERY_UNIT, { holding: [store], writable: (at) => at === mode || (at >= first && at < first + 4) });
  }
  const car = home.vehicle && model.vehicle ? createCharger(home.id, home.vehicle) : undefined;
  if (car) {
    const first = car.addressOf(charger, "WSet");
    units.set(CHARGER_UNIT, { holding: [car], writable: (at) => at === first || at === first + 1 });
  }

  const refreshStorage = (image: SunSpecImage, { battery: state }: HomeState, powerW: number): void => {
    if (!state || !model.battery) return;
    const soc = socOf(model.battery, state) / 100;
    const activity = powerW > 0 ? 3 : powerW < 0 ? 4 : soc <= 0 ? 2 : soc >= 100 ? 5 : 6;
    image.set(storage, "ChaState", soc);
    image.set(storage, "ChaSt", activity);
    image.set(storageCapacity, "WHAvail", storedWh(model.battery, state));
    image.set(storageCapacity, "SoC", soc);
    image.set(battery, "SoC", soc);
    image.set(battery, "ChaSt", activity);
    image.set(battery, "W", powerW);
    if (state.control.lowerW === null && state.control.upperW === null) image.set(storage, "StorCtl_Mod", 0);
  };

  const refreshCharger = (image: SunSpecImage, { vehicle: state, time }: HomeState, powerW: number): void => {
    if (!state || !model.vehicle || !home.vehicle) return;
    const stay = stayAt(home.vehicle, time);
    image.set(charger, "St", !stay ? 1 : powerW > 0 ? 3 : 2);
    image.set(charger, "W", powerW);
    image.set(charger, "SoC", stay ? socOf(model.vehicle, state) / 100 : null);
    image.set(charger, "TotWh", state.chargedWh);
    image.set(charger, "ArrTm", stay?.arrival ?? null);
    image.set(charger, "DepTm", stay?.departure ?? null);
    if (state.control.powerW === null) image.set(charger, "WSet", null);
  };

  const writeStorage = (
    image: SunSpecImage,
    state: HomeState,
    address: number,
    values: readonly number[],
  ): number | undefined => {
    if (!state.battery || !home.battery) return ILLEGAL_VALUE;
    image.registers.set(values, address - image.start);
    state.battery.control = controlOf(image, home.battery.powerW, state.time);
    return undefined;
  };

  const writeCharger = (
    image: SunSpecImage,
    state: HomeState,
    address: number,
    values: readonly number[],
  ): number | undefined => {
    if (!state.vehicle?.connected) return ILLEGAL_VALUE;
    image.registers.set(values, address - image.start);
    const register = (name: string): number => image.registers[image.addressOf(charger, name) - image.start]!;
    const seconds = register("RvrtTms");
    const powerW = register("WSet") === 0xffff ? null : register("WSet") * 10 ** scaleFor(home.vehicle!.maxChargeW);
    state.vehicle.control = { powerW, revertAt: powerW === null || seconds === 0 ? null : state.time + seconds };
    return undefined;
  };

  return {
    units,
    refresh(state, present) {
      meterUnit.refresh({
        importWh: shownImportWh(state.meter),
        exportWh: shownExportWh(state.meter),
        powerW: present.gridW,
      });
      if (solar) {
        solar.set(inverter, "W", present.pvW);
        solar.set(inverter, "WH", state.generatedWh + Math.floor(state.generatedJ / 3600));
        solar.set(inverter, "St", present.pvW > 0 ? 4 : 2);
      }
      if (store) refreshStorage(store, state, present.batteryW);
      if (car) refreshCharger(car, state, present.vehicleW);
    },
    restore({ battery: stored, vehicle: parked, time }) {
      const remaining = (revertAt: number | null): number => (revertAt === null ? 0 : Math.max(1, revertAt - time));
      if (store && stored && home.battery) {
        const { lowerW, upperW, revertAt } = stored.control;
        const percent = (watts: number): number => (watts / home.battery!.powerW) * 100;
        if (upperW !== null) store.set(storage, "OutWRte", percent(upperW));
        if (lowerW !== null) store.set(storage, "InWRte", percent(-lowerW));
        store.set(storage, "InOutWRte_RvrtTms", remaining(revertAt));
        store.set(
          storage,
          "StorCtl_Mod",
          (lowerW === null ? 0 : CHARGE_LIMIT) | (upperW === null ? 0 : DISCHARGE_LIMIT),
        );
      }
      if (car && parked) {
        car.set(charger, "WSet", parked.control.powerW);
        car.set(charger, "RvrtTms", remaining(parked.control.revertAt));
      }
    },
    write(state, unit, address, values) {
      if (unit === BATTERY_UNIT && store) return writeStorage(store, state, address, values);
      if (unit === CHARGER_UNIT && car) return writeCharger(car, state, address, values);
      return ILLEGAL_VALUE;
    },
  };
}

/** The limits that the registers of model 124 state; every write starts the reversion time again. */
function controlOf(
  image: SunSpecImage,
  ratedW: number,
  now: number,
): { lowerW: number | null; upperW: number | null; revertAt: number | null } {
  const register = (name: string): number => image.registers[image.addressOf(storage, name) - image.start]!;
  const watts = (name: string): number => Math.round((((register(name) << 16) >> 16) * ratedW) / FULL_RATE);
  const mode = register("StorCtl_Mod");
  const seconds = register("InOutWRte_RvrtTms");
  const lowerW = mode & CHARGE_LIMIT ? -watts("InWRte") : null;
  const upperW = mode & DISCHARGE_LIMIT ? watts("OutWRte") : null;
  const limited = lowerW !== null || upperW !== null;
  return { lowerW, upperW, revertAt: limited && seconds > 0 ? now + seconds : null };
}

function createSolar(id: string, pvW: number): SunSpecImage {
  const image = createSunSpecImage([common, inverter]);
  fillIdentity(image, "DAEG Solar", `${id}-inverter`);
  image.set(inverter, "W_SF", scaleFor(pvW));
  return image;
}

function createStorage(id: string, { capacityWh, powerW }: { capacityWh: number; powerW: number }): SunSpecImage {
  const image = createSunSpecImage([common, storage, storageCapacity, battery]);
  fillIdentity(image, "DAEG Battery", `${id}-battery`);
  const [watts, energy] = [scaleFor(powerW), scaleFor(capacityWh)];
  image.set(storage, "WChaMax_SF", watts);
  image.set(storage, "InOutWRte_SF", RATE_SCALE);
  image.set(storage, "ChaState_SF", RATE_SCALE);
  image.set(storage, "WChaMax", powerW);
  image.set(storage, "WChaGra", 100);
  image.set(storage, "WDisChaGra", 100);
  image.set(storage, "StorCtl_Mod", 0);
  image.set(storage, "OutWRte", 100);
  image.set(storage, "InWRte", 100);
  image.set(storage, "InOutWRte_WinTms", 0);
  image.set(storage, "InOutWRte_RvrtTms", 0);
  image.set(storage, "ChaGriSet", 1);
  image.set(storageCapacity, "WH_SF", energy);
  image.set(storageCapacity, "Pct_SF", RATE_SCALE);
  image.set(storageCapacity, "WHRtg", capacityWh);
  image.set(storageCapacity, "SoH", 100);
  image.set(storageCapacity, "Sta", 0);
  image.set(battery, "WHRtg_SF", energy);
  image.set(battery, "WChaDisChaMax_SF", watts);
  image.set(battery, "SoC_SF", RATE_SCALE);
  image.set(battery, "W_SF", watts);
  image.set(battery, "WHRtg", capacityWh);
  image.set(battery, "WChaRteMax", powerW);
  image.set(battery, "WDisChaRteMax", powerW);
  return image;
}

function createCharger(
  id: string,
  vehicle: { capacityWh: number; maxChargeW: number; targetSoc: number; chargeEfficiency: number },
): SunSpecImage {
  const image = createSunSpecImage([common, charger]);
  fillIdentity(image, "DAEG Charger", `${id}-charger`);
  image.set(charger, "W_SF", scaleFor(vehicle.maxChargeW));
  image.set(charger, "WH_SF", scaleFor(vehicle.capacityWh));
  image.set(charger, "Pct_SF", RATE_SCALE);
  image.set(charger, "WMax", vehicle.maxChargeW);
  image.set(charger, "RvrtTms", 0);
  image.set(charger, "TgtSoC", vehicle.targetSoc * 100);
  image.set(charger, "EffPct", vehicle.chargeEfficiency * 100);
  image.set(charger, "WHRtg", vehicle.capacityWh);
  return image;
}
