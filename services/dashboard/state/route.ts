export type Screen = "grid" | "home" | "slots" | "cheat" | "homes" | "nodes";

export interface Route {
  readonly screen: Screen;
  /** Slot of the story; null = the newest settled one. */
  readonly slot: number | null;
}

const screens: readonly Screen[] = ["grid", "home", "slots", "cheat", "homes", "nodes"];

/** "#/slots/1982016" to a route; anything unknown is the grid. */
export const routeOf = (hash: string): Route => {
  const [name, argument] = hash.replace(/^#\/?/, "").split("/");
  const screen = screens.find((known) => known === name) ?? "grid";
  const slot = argument !== undefined && /^\d{1,10}$/.test(argument) ? Number(argument) : null;
  return { screen, slot: screen === "slots" ? slot : null };
};

/** The address of a screen. */
export const hashOf = (screen: Screen, slot?: number): string =>
  slot === undefined ? `#/${screen}` : `#/${screen}/${slot}`;
