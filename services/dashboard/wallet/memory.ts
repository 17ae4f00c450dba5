import type { Placed } from "./journey.ts";

const KEEP = 6;
const keyOf = (chain: string): string => `daeg-orders:${chain}`;

/** Orders that this browser placed on a chain, newest first. A browser without storage simply forgets them. */
export const loadPlaced = (chain: string): Placed[] => {
  try {
    return JSON.parse(localStorage.getItem(keyOf(chain)) ?? "[]") as Placed[];
  } catch {
    return [];
  }
};

export const savePlaced = (chain: string, placed: readonly Placed[]): void => {
  try {
    localStorage.setItem(keyOf(chain), JSON.stringify(placed.slice(0, KEEP)));
  } catch {
    /* private mode: the list lives as long as the page */
  }
};
