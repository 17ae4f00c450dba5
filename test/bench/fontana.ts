import { existsSync, readFileSync } from "node:fs";
import { splitWh } from "../../services/core/community/slots.ts";

const FOLDER = process.env["DAEG_FONTANA"] ?? new URL("../../../shared/data/fontana", import.meta.url).pathname;

/** The reference community in slots; null, with the reason on stderr, where the data folder is absent. */
export const loadFontana = (folder = FOLDER): Fontana | null => {
  if (!existsSync(`${folder}/series.csv`)) {
    console.error(`fontana data are absent (${folder}): skipped`);
    return null;
  }
  const community = JSON.parse(readFileSync(`${folder}/community.json`, "utf8")) as Fontana["community"];
  const [header, ...rows] = readFileSync(`${folder}/series.csv`, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(","));
  const column = (name: string): number[] => {
    const index = header!.indexOf(name);
    return rows.map((row) => Number(row[index]));
  };
  const energy = (name: string): Int32Array => Int32Array.from(column(name).flatMap((value) => splitWh(value, 4)));
  const price = (name: string): Int32Array =>
    Int32Array.from(column(name).flatMap((value) => new Array<number>(4).fill(Math.round(value * 1e6))));
  return {
    community,
    firstSlot: Date.parse(rows[0]![0]!) / 900_000,
    importMicroPerKwh: price("import_price"),
    exportMicroPerKwh: price("export_price"),
    homes: community.homes.map((home) => ({
      ...home,
      loadWh: energy(`${home.id}.load_wh`),
      pvWh: energy(`${home.id}.pv_wh`),
    })),
  };
};

interface FontanaHome {
  id: string;
  zone: string;
  importRatingW: number;
  exportRatingW: number;
  pvW: number;
  battery: { capacityWh: number; powerW: number; efficiency: number };
}

export interface Fontana {
  community: {
    zones: string[];
    lines: { id: string; from: string; to: string; capacityW: number }[];
    gridZone: string;
    gridCapacityW: number;
    feePerKwh: number;
    homes: FontanaHome[];
  };
  firstSlot: number;
  importMicroPerKwh: Int32Array;
  exportMicroPerKwh: Int32Array;
  homes: (FontanaHome & { loadWh: Int32Array; pvWh: Int32Array })[];
}
