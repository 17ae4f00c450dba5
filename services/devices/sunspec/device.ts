import { tryAgain, wrongInput } from "../../platform/errors.ts";
import type { ModbusClient } from "../modbus-client.ts";
import { discoverSunSpec, type SunSpecMap } from "./discovery.ts";
import type { PlacedModel } from "./map.ts";
import { battery, charger, inverter, meter, storage, storageCapacity } from "./models.ts";
import { decodeNumber, decodeRaw, pointOf, scaleBy, type Model } from "./points.ts";

/** Cumulative registers of a meter as they stand; they wrap at `wrapsAtWh` (see `unwrapCounter`). */
export interface MeterReading {
  readonly manufacturer: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  /** Taken from the grid. */
  readonly importWh: number;
  /** Fed into the grid. */
  readonly exportWh: number;
  /** Present power, positive = import; null where the meter does not tell. */
  readonly powerW: number | null;
  readonly wrapsAtWh: number;
}

export interface BatteryReading {
  /** State of charge, 0 to 1. */
  readonly soc: number;
  readonly capacityWh: number;
  /** Energy in the battery. */
  readonly storedWh: number;
  /** Present AC power, positive = discharge; null where the device does not tell. */
  readonly powerW: number | null;
  readonly maxChargeW: number;
  readonly maxDischargeW: number;
  /** True while a written set-point holds. */
  readonly controlled: boolean;
}

export interface InverterReading {
  readonly powerW: number | null;
  /** Generated so far; wraps at 2^32 times the scale. */
  readonly energyWh: number | null;
}

export interface BatterySetpoint {
  /** AC power at the terminals, positive = discharge. */
  readonly powerW: number;
  /** After so many seconds without a new set-point the device goes back to its own mode; 0 = never. */
  readonly revertAfterSeconds: number;
}

export interface ChargerReading {
  readonly state: "away" | "waiting" | "charging";
  readonly powerW: number;
  readonly maxChargeW: number;
  /** The car's; null while it is away. */
  readonly soc: number | null;
  readonly targetSoc: number;
  readonly capacityWh: number;
  readonly efficiency: number;
  /** Unix seconds; null while it is away. */
  readonly arrival: number | null;
  readonly departure: number | null;
  /** Charged at the AC terminals so far. */
  readonly chargedWh: number;
}

/** One unit with a SunSpec map. The map is discovered once and then remembered. */
export interface SunSpecDevice {
  readonly unit: number;
  discover(): Promise<SunSpecMap>;
  /** Models 201 to 204; one Modbus request once discovered. */
  readMeter(): Promise<MeterReading>;
  /** Models 124 with 713 or 802; one Modbus request where they follow each other. */
  readBattery(): Promise<BatteryReading>;
  /** Models 101 to 103. */
  readInverter(): Promise<InverterReading>;
  /** Charges or discharges with exactly this power through model 124: both limits are set to it, then switched on. */
  writeBatterySetpoint(setpoint: BatterySetpoint): Promise<void>;
  /** DAEG's charger model. */
  readCharger(): Promise<ChargerReading>;
  /** Charging power in W, null = the charger's own rule (full power until the target). */
  writeChargerSetpoint(setpoint: { powerW: number | null; revertAfterSeconds: number }): Promise<void>;
}

const ACC32_TURN = 2 ** 32;
const LONGEST_READ = 125;
const CHARGE_AND_DISCHARGE = 3;
/** Single-phase, split-phase, wye and delta variants share their points. */
const meterIds = [203, 201, 202, 204];
const inverterIds = [103, 101, 102];

export function createSunSpecDevice(client: ModbusClient, unit: number): SunSpecDevice {
  const where = `${client.host}:${client.port} unit ${unit}`;
  let known: Promise<SunSpecMap> | undefined;
  let limits: { powerW: number; ratePower: number } | undefined;

  const discover = (): Promise<SunSpecMap> => {
    known ??= discoverSunSpec(client, unit).catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  };

  const placed = async (ids: readonly number[], what: string): Promise<PlacedModel> => {
    const map = await discover();
    const found = ids.map((id) => map.models.find((model) => model.id === id)).find((model) => model !== undefined);
    if (!found) {
      const has = map.models.map(({ id }) => id).join(", ");
      throw wrongInput(`${where} is no ${what}: it has the SunSpec models ${has}, not ${ids.join(" or ")}`);
    }
    return found;
  };

  /** Registers [from, to) in as few requests as the protocol allows. */
  const readRange = async (from: number, to: number): Promise<number[]> => {
    if (to - from <= LONGEST_READ) return client.readHolding(unit, from, to - from);
    const registers: number[] = [];
    for (let at = from; at < to; at += LONGEST_READ) {
      registers.push(...(await client.readHolding(unit, at, Math.min(LONGEST_READ, to - at))));
    }
    return registers;
  };

  const need = (value: number | null, model: Model, name: string): number => {
    if (value === null) throw tryAgain(`${where} does not give ${name} of SunSpec model ${model.id} now`);
    return value;
  };

  const W_AT = pointOf(meter, "W").offset;
  const METER_END = pointOf(meter, "TotWh_SF").offset + 1;

  const readMeter = async (): Promise<MeterReading> => {
    const found = await placed(meterIds, "meter");
    const { identity } = await discover();
    const registers = await client.readHolding(unit, found.address + W_AT, METER_END - W_AT);
    const value = (name: string): number | null => decodeNumber(meter, registers, -W_AT, name);
    const power = decodeRaw("sunssf", registers, pointOf(meter, "TotWh_SF").offset - W_AT);
    const energy = (name: string): number => {
      const wh = need(value(name), meter, name);
      if (wh > Number.MAX_SAFE_INTEGER)
        throw wrongInput(`${where}: ${name} with scale ${power} is beyond exact whole Wh`);
      return Math.floor(wh);
    };
    const watts = value("W");
    return {
      manufacturer: identity.manufacturer,
      model: identity.model,
      serial: identity.serial,
      importWh: energy("TotWhImp"),
      exportWh: energy("TotWhExp"),
      powerW: watts === null ? null : Math.round(watts),
      wrapsAtWh: Math.floor(ACC32_TURN * 10 ** (power ?? 0)),
    };
  };

  const readBattery = async (): Promise<BatteryReading> => {
    const control = await placed([storage.id], "battery");
    const { models } = await discover();
    const parts = [control, ...models.filter(({ id }) => id === storageCapacity.id || id === battery.id)];
    const from = Math.min(...parts.map(({ address }) => address));
    const to = Math.max(...parts.map(({ address, size }) => address + size));
    const registers = await readRange(from, to);
    const at = (model: Model): number | undefined => {
      const found = parts.find(({ id }) => id === model.id);
      return found && found.address - from;
    };
    const value = (model: Model, name: string): number | null => {
      const index = at(model);
      return index === undefined ? null : decodeNumber(model, registers, index, name);
    };
    const maxW = need(value(storage, "WChaMax"), storage, "WChaMax");
    const capacityWh = need(value(storageCapacity, "WHRtg") ?? value(battery, "WHRtg"), storageCapacity, "WHRtg");
    const percent = need(value(storageCapacity, "SoC") ?? value(battery, "SoC"), storageCapacity, "SoC");
    return {
      soc: percent / 100,
      capacityWh,
      storedWh: value(storageCapacity, "WHAvail") ?? Math.floor((capacityWh * percent) / 100),
      powerW: value(battery, "W"),
      maxChargeW: value(battery, "WChaRteMax") ?? maxW,
      maxDischargeW: value(battery, "WDisChaRteMax") ?? maxW,
      controlled: value(storage, "StorCtl_Mod") === CHARGE_AND_DISCHARGE,
    };
  };

  const readInverter = async (): Promise<InverterReading> => {
    const found = await placed(inverterIds, "inverter");
    const registers = await client.readHolding(unit, found.address, Math.min(found.size, inverter.size));
    const watts = decodeNumber(inverter, registers, 0, "W");
    const energyWh = decodeNumber(inverter, registers, 0, "WH");
    return {
      powerW: watts === null ? null : Math.round(watts),
      energyWh: energyWh === null ? null : Math.floor(energyWh),
    };
  };

  const checkRevert = (seconds: number): void => {
    if (Number.isInteger(seconds) && seconds >= 0 && seconds <= 0xfffe) return;
    throw wrongInput(`revertAfterSeconds is ${seconds}: give whole seconds from 0 to 65534`);
  };

  const writeBatterySetpoint = async ({ powerW, revertAfterSeconds }: BatterySetpoint): Promise<void> => {
    const { address } = await placed([storage.id], "battery");
    checkRevert(revertAfterSeconds);
    if (!limits) {
      const registers = await client.readHolding(unit, address, storage.size);
      limits = {
        powerW: need(decodeNumber(storage, registers, 0, "WChaMax"), storage, "WChaMax"),
        ratePower: need(
          decodeRaw("sunssf", registers, pointOf(storage, "InOutWRte_SF").offset),
          storage,
          "InOutWRte_SF",
        ),
      };
    }
    const full = 100 * 10 ** -limits.ratePower;
    const rate = Math.max(-full, Math.min(full, Math.round((powerW / limits.powerW) * full)));
    const register = (value: number): number => value & 0xffff;
    const at = (name: string): number => address + pointOf(storage, name).offset;
    // A discharge of at most P and a charge of at most -P leave exactly P. Rates first, so that the mode never acts on old ones.
    await client.write(unit, at("OutWRte"), [register(rate), register(-rate), 0, revertAfterSeconds]);
    await client.write(unit, at("StorCtl_Mod"), [CHARGE_AND_DISCHARGE]);
  };

  const readCharger = async (): Promise<ChargerReading> => {
    const { address } = await placed([charger.id], "charger");
    const registers = await client.readHolding(unit, address, charger.size);
    const value = (name: string): number | null => decodeNumber(charger, registers, 0, name);
    const soc = value("SoC");
    return {
      state: value("St") === 3 ? "charging" : value("St") === 2 ? "waiting" : "away",
      powerW: value("W") ?? 0,
      maxChargeW: need(value("WMax"), charger, "WMax"),
      soc: soc === null ? null : soc / 100,
      targetSoc: need(value("TgtSoC"), charger, "TgtSoC") / 100,
      capacityWh: need(value("WHRtg"), charger, "WHRtg"),
      efficiency: need(value("EffPct"), charger, "EffPct") / 100,
      arrival: value("ArrTm"),
      departure: value("DepTm"),
      chargedWh: value("TotWh") ?? 0,
    };
  };

  const writeChargerSetpoint: SunSpecDevice["writeChargerSetpoint"] = async ({ powerW, revertAfterSeconds }) => {
    const { address } = await placed([charger.id], "charger");
    checkRevert(revertAfterSeconds);
    const registers = [0, 0];
    if (powerW === null) registers[0] = 0xffff;
    else {
      const scale = await client.readHolding(unit, address + pointOf(charger, "W_SF").offset, 1);
      registers[0] = Math.max(0, Math.min(0xfffe, Math.round(scaleBy(powerW, -(decodeRaw("sunssf", scale, 0) ?? 0)))));
    }
    registers[1] = revertAfterSeconds;
    await client.write(unit, address + pointOf(charger, "WSet").offset, registers);
  };

  return {
    unit,
    discover,
    readCharger,
    writeChargerSetpoint,
    readMeter,
    readBattery,
    readInverter,
    writeBatterySetpoint,
  };
}
