/**
 * Meters without a SunSpec map, as data: where their registers are and what they mean. Adding a meter is adding an entry.
 */

export type RegisterType = "float32" | "uint16" | "int16" | "uint32" | "int32";

export interface RegisterSpec {
  readonly table: "holding" | "input";
  readonly address: number;
  readonly type: RegisterType;
  /** Low word first (high word first is usual). */
  readonly swapped?: boolean;
  /** The register's unit in Wh or W: 1000 for kWh, 0.1 for tenths. */
  readonly factor: number;
}

export interface MeterProfile {
  readonly name: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly importWh: RegisterSpec;
  readonly exportWh: RegisterSpec;
  /** Positive = import. */
  readonly powerW: RegisterSpec;
  readonly serial?: RegisterSpec;
}

const eastron = (address: number, factor: number): RegisterSpec => ({
  table: "input",
  address,
  type: "float32",
  factor,
});
const eastronSerial: RegisterSpec = { table: "holding", address: 0xfc00, type: "uint32", factor: 1 };

export const meterProfiles: readonly MeterProfile[] = [
  {
    name: "sdm630",
    manufacturer: "Eastron",
    model: "SDM630",
    powerW: eastron(0x34, 1),
    importWh: eastron(0x48, 1000),
    exportWh: eastron(0x4a, 1000),
    serial: eastronSerial,
  },
  {
    name: "sdm230",
    manufacturer: "Eastron",
    model: "SDM230",
    powerW: eastron(0x0c, 1),
    importWh: eastron(0x48, 1000),
    exportWh: eastron(0x4a, 1000),
    serial: eastronSerial,
  },
];
