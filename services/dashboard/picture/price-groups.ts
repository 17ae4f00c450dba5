/** Zones of one price, so that equal prices are told once; in the order of the zones. */
export const groupByPrice = (
  zones: readonly string[],
  prices: Readonly<Record<string, number>>,
): { readonly name: string; readonly micro: number }[] => {
  const groups = new Map<number, string[]>();
  for (const zone of zones) {
    const micro = prices[zone];
    if (micro !== undefined) groups.set(micro, [...(groups.get(micro) ?? []), zone]);
  }
  return [...groups].map(([micro, members]) => ({
    name: members.length === zones.length && zones.length > 1 ? "All zones" : members.join(", "),
    micro,
  }));
};
