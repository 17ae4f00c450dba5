export const SLOT_SECONDS = 900;

/** Where local labels of chain time are read: the browser's own zone, or a fixed one in tests. */
export type TimeZone = string | undefined;

/** "08:15": the local time of a chain instant. */
export const clockLabel = (unixSeconds: number, timeZone?: TimeZone): string =>
  new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(unixSeconds * 1000);

/** "Sat 14 Jun": the local day of a chain instant. */
export const dayLabel = (unixSeconds: number, timeZone?: TimeZone): string =>
  new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "numeric",
    month: "short",
    ...(timeZone === undefined ? {} : { timeZone }),
  }).format(unixSeconds * 1000);

/** Local start of a slot: "08:15". */
export const slotLabel = (slot: number, timeZone?: TimeZone): string => clockLabel(slot * SLOT_SECONDS, timeZone);

/** Local start and end of a slot: "08:15 to 08:30". */
export const slotSpan = (slot: number, timeZone?: TimeZone): string =>
  `${slotLabel(slot, timeZone)} to ${slotLabel(slot + 1, timeZone)}`;

/** True when two slots start on the same local day. */
export const sameDay = (a: number, b: number, timeZone?: TimeZone): boolean =>
  dayLabel(a * SLOT_SECONDS, timeZone) === dayLabel(b * SLOT_SECONDS, timeZone) && Math.abs(a - b) < 100;

/** "5 s", "3 min", "2 h": how long ago something was, in wall seconds. */
export const age = (seconds: number): string =>
  seconds < 90
    ? `${Math.round(seconds)}\u00a0s`
    : seconds < 5400
      ? `${Math.round(seconds / 60)}\u00a0min`
      : `${Math.round(seconds / 3600)}\u00a0h`;

/** "4:05": minutes and seconds of chain time that are left, never negative. */
export const countdown = (seconds: number): string => {
  const left = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
};
