import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Community, CommunityData, Series } from "../core/community/community.ts";
import { readJson } from "../platform/config.ts";
import { wrongInput } from "../platform/errors.ts";
import { formatCommunity, parseCommunity, toMicro } from "./community-schema.ts";

const FIXED_COLUMNS = ["time", "import_price", "export_price", "co2_kg_per_kwh"] as const;
const HIGHEST_PRICE = 1000;
const MOST_WH_PER_STEP = 2_000_000_000;

/**
 * Reads a community folder: DIR/community.json and DIR/series.csv (formats.md, "A community").
 * @throws DaegError exit 1, one sentence naming file, line or field, and the fix
 */
export function loadCommunity(dir: string): CommunityData {
  const folder = statSync(dir, { throwIfNoEntry: false });
  if (!folder)
    throw wrongInput(`community folder ${dir} does not exist: check the path, or make one with "daeg example ${dir}"`);
  if (!folder.isDirectory())
    throw wrongInput(`${dir} is a file: give the folder that holds community.json and series.csv`);
  const path = join(dir, "community.json");
  const community = parseCommunity(readJson(path, "community file"), path);
  return { community, series: loadSeries(join(dir, "series.csv"), community) };
}

function loadSeries(path: string, community: Community): Series {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT")
      throw wrongInput(`series file ${path} does not exist: put the community's time series there`);
    throw wrongInput(`series file ${path} cannot be read (${code}): check its permissions`, { cause: error });
  }
  return parseSeries(text, community, path);
}

/** Parses the text of a series.csv; `what` names it in errors. */
export function parseSeries(text: string, community: Community, what: string): Series {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  while (lines.length > 0 && lines.at(-1)!.trim() === "") lines.pop();
  const columns = (lines[0] ?? "").split(",").map((column) => column.trim());
  const at = columnIndex(columns, community, what);
  const rows = lines.length - 1;
  if (rows < 1) throw wrongInput(`${what}: has no rows: add at least one below the header`);

  const energy = (): Int32Array[] => community.homes.map(() => new Int32Array(rows));
  const series = {
    stepSeconds: community.stepSeconds,
    times: new Float64Array(rows),
    importPriceMicroPerKwh: new Int32Array(rows),
    exportPriceMicroPerKwh: new Int32Array(rows),
    co2KgPerKwh: new Float64Array(rows),
    loadWh: energy(),
    pvWh: energy(),
  };
  for (let row = 0; row < rows; row++) {
    const where = `${what} line ${row + 2}`;
    const cells = lines[row + 1]!.split(",");
    if (cells.length !== columns.length) {
      throw wrongInput(
        `${where}: has ${cells.length} cells where the header has ${columns.length}: add or remove cells`,
      );
    }
    const number = (column: string, index: number): number => {
      const cell = cells[index]!.trim();
      const value = Number(cell);
      if (cell === "" || !Number.isFinite(value)) throw wrongInput(`${where}: ${column} is "${cell}": give a number`);
      return value;
    };
    const price = (column: (typeof FIXED_COLUMNS)[number]): number => {
      const value = number(column, at.fixed[column]);
      if (Math.abs(value) > HIGHEST_PRICE)
        throw wrongInput(`${where}: ${column} is ${value}: give a price per kWh within +-${HIGHEST_PRICE}`);
      return toMicro(value);
    };
    const wh = (column: string, index: number): number => {
      const value = number(column, index);
      if (!Number.isInteger(value) || value < 0 || value > MOST_WH_PER_STEP) {
        throw wrongInput(`${where}: ${column} is ${value}: give whole Wh, not negative`);
      }
      return value;
    };
    series.times[row] = timeOf(
      cells[at.fixed.time]!.trim(),
      row === 0 ? null : series.times[row - 1]!,
      community.stepSeconds,
      where,
    );
    series.importPriceMicroPerKwh[row] = price("import_price");
    series.exportPriceMicroPerKwh[row] = price("export_price");
    if (series.exportPriceMicroPerKwh[row]! >= series.importPriceMicroPerKwh[row]! - community.feeMicroPerKwh) {
      throw wrongInput(
        `${where}: export_price must be below import_price less the community's feePerKwh: correct one of them`,
      );
    }
    series.co2KgPerKwh[row] = number("co2_kg_per_kwh", at.fixed.co2_kg_per_kwh);
    community.homes.forEach(({ id }, home) => {
      series.loadWh[home]![row] = wh(`${id}.load_wh`, at.load[home]!);
      if (at.pv[home]! >= 0) series.pvWh[home]![row] = wh(`${id}.pv_wh`, at.pv[home]!);
    });
  }
  return series;
}

interface Columns {
  fixed: Record<(typeof FIXED_COLUMNS)[number], number>;
  load: number[];
  /** -1 where a home without solar power has no column. */
  pv: number[];
}

function columnIndex(columns: readonly string[], community: Community, what: string): Columns {
  const where = `${what} line 1`;
  const wanted = new Set<string>([
    ...FIXED_COLUMNS,
    ...community.homes.flatMap(({ id }) => [`${id}.load_wh`, `${id}.pv_wh`]),
  ]);
  columns.forEach((column, i) => {
    if (!wanted.has(column))
      throw wrongInput(`${where}: column "${column}" belongs to no home of community.json: remove or rename it`);
    if (columns.indexOf(column) !== i) throw wrongInput(`${where}: column "${column}" is there twice: remove one`);
  });
  const index = (column: string): number => {
    const found = columns.indexOf(column);
    if (found < 0) throw wrongInput(`${where}: column "${column}" is missing: add it`);
    return found;
  };
  return {
    fixed: Object.fromEntries(FIXED_COLUMNS.map((column) => [column, index(column)])) as Columns["fixed"],
    load: community.homes.map(({ id }) => index(`${id}.load_wh`)),
    pv: community.homes.map(({ id, pvW }) => (pvW === 0 ? columns.indexOf(`${id}.pv_wh`) : index(`${id}.pv_wh`))),
  };
}

function timeOf(cell: string, previous: number | null, stepSeconds: number, where: string): number {
  const seconds = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.0+)?)?Z$/.test(cell) ? Date.parse(cell) / 1000 : Number.NaN;
  if (!Number.isInteger(seconds))
    throw wrongInput(`${where}: time is "${cell}": give ISO-8601 UTC such as 2026-01-01T00:00:00Z`);
  if (seconds % 900 !== 0)
    throw wrongInput(`${where}: time ${cell} does not start on a quarter of an hour: shift the series`);
  if (previous !== null && seconds - previous !== stepSeconds) {
    throw wrongInput(
      `${where}: time ${cell} is ${seconds - previous} s after the row before, not stepSeconds ${stepSeconds}: make steps equal`,
    );
  }
  return seconds;
}

/**
 * Writes a community folder that `loadCommunity` reads back equal. Creates the folder; refuses one that already holds a
 * community.
 */
export function writeCommunity(dir: string, { community, series }: CommunityData): void {
  const path = join(dir, "community.json");
  if (statSync(path, { throwIfNoEntry: false })) throw wrongInput(`${path} is there already: choose another folder`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(path, `${JSON.stringify(formatCommunity(community), null, 2)}\n`);
  writeFileSync(join(dir, "series.csv"), formatSeries(community, series));
}

/** The text of a series.csv. */
export function formatSeries(community: Community, series: Series): string {
  const header = [...FIXED_COLUMNS, ...community.homes.flatMap(({ id }) => [`${id}.load_wh`, `${id}.pv_wh`])];
  const lines = [header.join(",")];
  series.times.forEach((time, row) => {
    const iso = new Date(time * 1000).toISOString().replace(".000Z", "Z");
    const energy = community.homes.flatMap((_, home) => [series.loadWh[home]![row]!, series.pvWh[home]![row]!]);
    const prices = [series.importPriceMicroPerKwh[row]! / 1e6, series.exportPriceMicroPerKwh[row]! / 1e6];
    lines.push([iso, ...prices, series.co2KgPerKwh[row]!, ...energy].join(","));
  });
  return `${lines.join("\n")}\n`;
}
