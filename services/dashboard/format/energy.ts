import { decimal } from "./decimal.ts";

/** A number and its unit, kept apart so that the unit can be set smaller. */
export interface Quantity {
  readonly value: string;
  readonly unit: string;
}

/** Energy in Wh below 10 kWh, else in kWh. Exact in Wh; two decimals in kWh. */
export const energy = (energyWh: number): Quantity =>
  Math.abs(energyWh) < 10_000
    ? { value: decimal(BigInt(Math.round(energyWh)), 0, 0), unit: "Wh" }
    : { value: decimal(BigInt(Math.round(energyWh)), 3, 2), unit: "kWh" };

/** Energy of a day: always in kWh, so that a column has one unit. */
export const dayEnergy = (energyWh: number): Quantity => ({ value: decimal(BigInt(energyWh), 3, 2), unit: "kWh" });

/** Live power: always in kW, so that the unit and the width stay still. */
export const power = (powerW: number, digits = 1): Quantity => ({
  value: decimal(BigInt(Math.round(powerW)), 3, digits),
  unit: "kW",
});

/** Plain text of a quantity with a no-break space. */
export const text = ({ value, unit }: Quantity): string => `${value}\u00a0${unit}`;
