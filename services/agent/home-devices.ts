import { createModbusClient } from "../devices/modbus-client.ts";
import { createSunSpecDevice } from "../devices/sunspec/device.ts";
import type { Log } from "../platform/log.ts";
import type { HomeConfig } from "./config.ts";

/** All devices of a home at one moment. Registers count up; powers in W. */
export interface Snapshot {
  /** Chain time, unix seconds. */
  readonly time: number;
  readonly importWh: number;
  readonly exportWh: number;
  readonly wrapsAtWh: number;
  /** Positive = import; null where the meter does not tell. */
  readonly gridW: number | null;
  /** Generated so far; 0 without panels. */
  readonly pvWh: number;
  readonly pvW: number;
  readonly storedWh: number;
  /** Positive = discharge. */
  readonly batteryW: number;
}

export interface HomeDevices {
  /** @throws ModbusError or DaegError when a device does not answer or is not what it should be */
  read(now: number): Promise<Snapshot>;
  /** Power at the battery's terminals, positive = discharge; falls back to the device's own rule after `revertAfterSeconds`. */
  setBattery(powerW: number, revertAfterSeconds: number): Promise<void>;
  close(): Promise<void>;
}

export const openDevices = (home: HomeConfig, log: Log): HomeDevices => {
  const { host, port, meterUnit, inverterUnit, batteryUnit } = home.device;
  const client = createModbusClient({ host, port, log });
  const meter = createSunSpecDevice(client, meterUnit);
  const inverter = home.pvW > 0 ? createSunSpecDevice(client, inverterUnit) : null;
  const battery = home.battery ? createSunSpecDevice(client, batteryUnit) : null;
  return {
    read: async (now) => {
      const [grid, sun, store] = await Promise.all([
        meter.readMeter(),
        inverter?.readInverter(),
        battery?.readBattery(),
      ]);
      return {
        time: now,
        importWh: grid.importWh,
        exportWh: grid.exportWh,
        wrapsAtWh: grid.wrapsAtWh,
        gridW: grid.powerW,
        pvWh: sun?.energyWh ?? 0,
        pvW: sun?.powerW ?? 0,
        storedWh: store?.storedWh ?? 0,
        batteryW: store?.powerW ?? 0,
      };
    },
    setBattery: async (powerW, revertAfterSeconds) => battery?.writeBatterySetpoint({ powerW, revertAfterSeconds }),
    close: () => client.close(),
  };
};
