/** A measured figure beside what design section 8 asks for. */
export interface BenchRow {
  part: string;
  what: string;
  /** Upper or lower limit; null where the design names none. */
  asked: { atMost: number } | { atLeast: number } | null;
  /** How it was measured, where the part says so. */
  note: string;
  measured: number;
  unit: string;
  met: boolean | null;
}

export interface PartResult {
  part: string;
  seconds: number;
  /** Why the part has no figures; null when it has. */
  problem: string | null;
  rows: BenchRow[];
}

/** Figures of the design that a part states in words of its own. */
const DESIGN: { what: RegExp; asked: { atMost: number } | { atLeast: number } }[] = [
  { what: /^dispatch of one home, 96 steps, warm$/, asked: { atMost: 10 } },
];

/** Takes the limit out of a part's row ("< 60", ">= 500", 700) and says whether it is met. */
export const judge = (
  part: string,
  { what, figure, measured, unit }: { what: string; figure: string | number; measured: number; unit: string },
): BenchRow => {
  const asked = DESIGN.find((entry) => entry.what.test(what))?.asked ?? limitOf(figure);
  const note = typeof figure === "string" && limitOf(figure) === null ? figure : "";
  const met = asked === null ? null : "atMost" in asked ? measured <= asked.atMost : measured >= asked.atLeast;
  return { part, what, asked, note, measured: Number(measured.toPrecision(4)), unit, met };
};

const limitOf = (figure: string | number): BenchRow["asked"] => {
  if (typeof figure === "number") return figure > 0 ? { atMost: figure } : null;
  const [, sign, number] = /^(<=?|>=?) ?([\d.]+)$/.exec(figure) ?? [];
  if (sign === undefined) return null;
  return sign.startsWith("<") ? { atMost: Number(number) } : { atLeast: Number(number) };
};
