import { expect } from "chai";
import type { Production } from "./support.ts";

/** From events alone: balances, and that nothing was issued that was not metered, nor twice, nor vanished. */
export const checkInvariants = async (p: Production): Promise<void> => {
  const { certificates, generators } = p.c;
  const issued = new Map<bigint, bigint>();
  const burned = new Map<bigint, bigint>();
  const held = new Map<string, bigint>();
  const add = <K>(map: Map<K, bigint>, key: K, wh: bigint): void => void map.set(key, (map.get(key) ?? 0n) + wh);
  const none = "0x0000000000000000000000000000000000000000";
  const moved = (from: string, to: string, ids: bigint[], values: bigint[]): void => {
    for (const [i, id] of ids.entries()) {
      const wh = values[i] as bigint;
      if (from === none) add(issued, id, wh);
      else add(held, `${from} ${id}`, -wh);
      if (to === none) add(burned, id, wh);
      else add(held, `${to} ${id}`, wh);
    }
  };
  for (const log of await p.provider.getLogs({ address: p.addresses.certificates, fromBlock: 0 })) {
    const event = certificates.interface.parseLog(log);
    if (event?.name === "TransferSingle") moved(event.args.from, event.args.to, [event.args.id], [event.args.value]);
    if (event?.name === "TransferBatch")
      moved(event.args.from, event.args.to, [...event.args.ids], [...event.args.getValue("values")]);
  }
  for (const [key, wh] of held) {
    const [account, id] = key.split(" ") as [string, string];
    expect(await certificates.balanceOf(account, BigInt(id)), key).to.equal(wh);
  }
  for (const [id, wh] of issued) {
    const mine = [...held].filter(([key]) => key.endsWith(` ${id}`)).reduce((sum, [, part]) => sum + part, 0n);
    expect(mine + (burned.get(id) ?? 0n), `all of ${id}`).to.equal(wh);
    const { meter } = await generators.generatorOf(id >> 32n);
    const { readings = "0x", ownMeters = "0x" } = p.slotAt(Number(id & 0xffffffffn));
    const own = Number(meter) - p.FIRST_OWN_METER;
    const bytes = own < 0 ? readings : ownMeters;
    const at = 2 + 16 * (own < 0 ? Number(meter) : own);
    const metered = BigInt(`0x${bytes.slice(at, at + 16)}`) & 0x7fffffffn;
    expect(wh <= metered, `${id}: ${wh} of ${metered} Wh`).to.equal(true);
  }
  const through = new Map<bigint, bigint>();
  const certifiedWh = new Map<bigint, bigint>();
  for (const { args } of await generators.queryFilter(generators.filters.Metered())) {
    expect(args.firstSlot > (through.get(args.generator) ?? 0n), "issued-through only rises").to.equal(true);
    through.set(args.generator, args.throughSlot);
    add(certifiedWh, args.generator, args.certifiedWh);
  }
  for (const [generator, wh] of certifiedWh) {
    const all = [...issued].filter(([id]) => id >> 32n === generator).reduce((sum, [, part]) => sum + part, 0n);
    expect(all, `generator ${generator}`).to.equal(wh);
    expect((await generators.stateOf(generator)).certifiedWh).to.equal(wh);
  }
};
