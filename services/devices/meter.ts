import { wrongInput } from "../platform/errors.ts";
import type { ModbusClient } from "./modbus-client.ts";
import { readProfileMeter } from "./profile-meter.ts";
import { meterProfiles } from "./profiles.ts";
import { createSunSpecDevice, type MeterReading } from "./sunspec/device.ts";

/** A meter whatever its make. */
export interface Meter {
  readonly unit: number;
  /** @throws ModbusError (retryable or not), DaegError exit 1 when the unit is no such meter */
  read(): Promise<MeterReading>;
}

/** Names accepted by `createMeter`. */
export const meterProfileNames: readonly string[] = ["sunspec", ...meterProfiles.map(({ name }) => name)];

/**
 * Opens a meter by profile name; nothing is sent before the first `read`.
 * @throws DaegError exit 1 for an unknown profile
 */
export function createMeter(client: ModbusClient, unit: number, profileName = "sunspec"): Meter {
  if (profileName === "sunspec") {
    const device = createSunSpecDevice(client, unit);
    return { unit, read: () => device.readMeter() };
  }
  const profile = meterProfiles.find(({ name }) => name === profileName);
  if (!profile) throw wrongInput(`profile "${profileName}" is not known: use one of ${meterProfileNames.join(", ")}`);
  return { unit, read: () => readProfileMeter(client, unit, profile) };
}
