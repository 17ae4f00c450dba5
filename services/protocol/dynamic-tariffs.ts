import { concat, type TypedDataDomain } from "ethers";
import type { TableEntry, TariffParameters } from "../core/tariffs/dynamic.ts";
import { hexOf } from "./words.ts";

/** Weather index of a day by hour, as a quorum of the committee signs it (contracts/interfaces/IDynamicTariffs.sol). */
export interface Weather {
  /** UTC day: slot / 96. */
  day: number;
  version: number;
  /** 24 signed bytes, percent. */
  percentByHour: string;
}

export const weatherTypes = {
  Weather: [
    { name: "day", type: "uint32" },
    { name: "version", type: "uint8" },
    { name: "percentByHour", type: "bytes24" },
  ],
};

export const weatherDomain = (addresses: { chainId: number | bigint; dynamicTariffs: string }): TypedDataDomain => ({
  name: "DAEG",
  version: "1",
  chainId: addresses.chainId,
  verifyingContract: addresses.dynamicTariffs,
});

/** The 24 bytes of an index of every hour, in percent from -128 to 127; beyond 100 it counts as 100. */
export const packWeather = (percents: readonly number[]): string =>
  concat(Array.from({ length: 24 }, (_, hour) => `0x${hexOf((percents[hour] ?? 0) & 0xff, 1)}`));

/** Parameters as the contract takes them: the table as bytes. */
export const encodeParameters = ({ weekday, weekend, ...rest }: TariffParameters) => ({
  ...rest,
  table: concat([...weekday, ...weekend].map(entryBytes)),
});

const entryBytes = ({ importTariff, exportTariff }: TableEntry): string =>
  `0x${hexOf(importTariff >>> 0, 4)}${hexOf(exportTariff >>> 0, 4)}`;
