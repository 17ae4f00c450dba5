/**
 * Who gets the certificates of green energy that a connection sold, as contracts/libraries/GreenSales.sol shares it: within an island both sides
 * meet in order of their points.
 */
export interface GreenShare {
  point: number;
  wh: bigint;
}

interface Sale {
  point: number;
  root: number;
  wh: bigint;
}

const ENTRY_HEX = 18;

const decodeSales = (list: string): Sale[] =>
  (list.slice(2).match(/.{18}/g) ?? []).map((entry) => {
    const raw = BigInt(`0x${entry.slice(10, ENTRY_HEX)}`);
    const wh = raw & 0xffffffn;
    return {
      point: Number.parseInt(entry.slice(0, 8), 16),
      root: Number.parseInt(entry.slice(8, 10), 16),
      wh: raw >> 31n === 1n ? -wh : wh,
    };
  });

const sum = (sales: readonly Sale[]): bigint => sales.reduce((total, { wh }) => total + (wh < 0n ? -wh : wh), 0n);

/**
 * Buyers' shares of what is certified for a slot of a connection; the rest is the producer's.
 * @param list `salesList` of the slot
 */
export const greenShares = (list: string, connection: number, certifiedWh: bigint): GreenShare[] => {
  const all = decodeSales(list);
  const own = all.find(({ point, wh }) => point === connection && wh > 0n);
  if (!own) return [];
  const island = all.filter(({ root }) => root === own.root);
  const sellers = island.filter(({ wh }) => wh > 0n);
  const buyers = island.filter(({ wh }) => wh < 0n);
  const [soldWh, boughtWh] = [sum(sellers), sum(buyers)];
  const before = sum(sellers.filter(({ point }) => point < connection));
  const from = (before * boughtWh) / soldWh;
  const through = ((before + own.wh) * boughtWh) / soldWh;
  const owed = through - from;
  const delivered = certifiedWh < owed ? certifiedWh : owed;
  if (delivered === 0n) return [];
  let row = 0n;
  return buyers.flatMap(({ point, wh }) => {
    const start = row > from ? row : from;
    row -= wh;
    const end = row < through ? row : through;
    if (end <= start) return [];
    const piece = ((end - from) * delivered) / owed - ((start - from) * delivered) / owed;
    return piece === 0n ? [] : [{ point, wh: piece }];
  });
};
