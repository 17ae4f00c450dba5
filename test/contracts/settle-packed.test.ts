import { expect } from "chai";
import { ZeroHash } from "ethers";
import { decodeLogs } from "../../services/protocol/day-events.ts";
import type { RawLog } from "../../services/protocol/events.ts";
import { packSlots } from "../../services/protocol/settling.ts";
import { packReadings } from "../../services/protocol/words.ts";
import {
  bid,
  createWorld,
  emptyRecord,
  offer,
  posting,
  reading,
  type SlotToSettle,
  type World,
} from "./support/world.ts";

const HOMES = 23;
const wanted = (home: number): number => 500 + home;
const missing = { importWh: 0, exportWh: 0, quality: 3 };

describe("Settlement of packed slots", () => {
  let world: World;
  let slot: number;
  /** Two cleared slots around one without a clearing. */
  let given: SlotToSettle[];

  beforeEach(async () => {
    world = await createWorld({ homes: HOMES });
    slot = world.genesisSlot + 1;
    const cleared = [await trade(slot), emptyRecord(slot + 1), await trade(slot + 2)];
    await world.goTo(world.startOf(slot + 3));
    given = [];
    for (const [at, record] of cleared.entries())
      given.push({ record, ...(await world.report(slot + at, meters(at))) });
  });

  /**
   * Home 2 sells what the others lack; home 5 replaces its order, and is packed apart from the others. Where many do, positions are
   * packed as they are.
   */
  const trade = async (of: number) => {
    const orders = await Promise.all(
      world.owners.map((_, home) => {
        if (home === 2) return world.order(home, of, [offer(4_000, 110_000)]);
        return world.order(home, of, home % 2 ? [bid(wanted(home), 250_000)] : [offer(400 + home, 100_000)]);
      }),
    );
    const again = await Promise.all(
      world.owners.flatMap((_, home) =>
        home === 5 || (of !== slot && home % 4 === 1) ? [world.order(home, of, [bid(wanted(home), 260_000)], 2)] : [],
      ),
    );
    const { words } = await world.append(of, [...orders, ...again]);
    await world.goTo(world.startOf(of) - 500);
    const marginalOfferWh = world.owners.reduce(
      (sum, _, home) => sum + (home % 2 ? wanted(home) : home === 2 ? 0 : -400 - home),
      0,
    );
    const { record } = await world.clear(of, words as string, [posting(110_000, { marginalOfferWh })]);
    return record;
  };

  /** Some in both directions, some beyond 11 bits, one estimated, one missing; a meter too few, then one too many, all in both. */
  const meters = (at: number) => {
    if (at === 2) return [...world.owners, undefined].map((_, home) => reading(home, 1_000 - home));
    const all = world.owners.map((_, home) => {
      if (home === 3) return reading(2_048 + at, 0);
      if (home === 7) return reading(300, 20 * at);
      if (home === 8 && at === 0) return missing;
      if (home === 9) return { importWh: 100, exportWh: 0, quality: 2 };
      return home % 2 ? reading(2_047 - home, 0) : reading(0, home === 2 ? 4_100 : 400 + at);
    });
    return at === 0 ? all : all.slice(0, -1);
  };

  const settled = async (send: () => Promise<{ wait(): Promise<{ logs: readonly unknown[] } | null> }>) => {
    const fork = await world.networkHelpers.takeSnapshot();
    const receipt = await (await send()).wait();
    const logs = receipt?.logs as { address: string; topics: string[]; data: string; index: number }[];
    const events = decodeLogs(
      logs.map(({ address, topics, data, index }): RawLog => {
        const at = { blockNumber: "1", blockHash: "", transactionHash: "", logIndex: String(index) };
        return { address, topics: [...topics], data, ...at };
      }),
    ).map((event) => ({ ...event, logIndex: 0 }));
    const statuses = await Promise.all(given.map(({ record }) => world.c.settlement.statusOf(record.slot)));
    const result = { events, statuses, balances: await world.balances(), fixed: await world.fixed() };
    await fork.restore();
    return result;
  };

  it("pays and tells what the same slots pay and tell unpacked", async () => {
    const packed = await settled(() => world.c.settlement.settlePacked(packSlots(given)));
    expect(packed).to.deep.equal(await settled(() => world.c.settlement.settle(given)));
    expect(packed.events.filter(({ name }) => name === "Settled")).to.have.length(3);
    expect(packed.events.map((event) => event.name === "Settled" && event.readings)).to.include(given[2]?.readings);
  });

  it("packs what is short, and what is not as it is", () => {
    const [first] = given as [SlotToSettle];
    const short = { ...first, record: emptyRecord(slot), readings: packReadings(Array(40).fill(reading(2_047, 0))) };
    // Heads, 32 bytes for twenty points, the root and no record.
    expect(packSlots([short])).to.have.length(2 + 2 * (10 + 7 + 64 + 33));
    const wide = given.map((each) => ({ ...each, readings: `0x${"7fffffffffffffff".repeat(HOMES)}` }));
    expect(packSlots(wide)).to.contain("7fffffffffffffff".repeat(HOMES));
    const odd = [{ ...first, readings: "0x00" }];
    expect(() => packSlots(odd)).to.throw("readings: must be 8 bytes per point");
  });

  it("refuses what is not the chain's, and what ends elsewhere", async () => {
    const { settlement } = world.c;
    const [first, second] = given as [SlotToSettle, SlotToSettle];
    const refused = (packed: string, error: string) =>
      expect(settlement.settlePacked(packed)).to.be.revertedWithCustomError(settlement, error);
    await refused("0x", "NothingToSettle");
    await refused(packSlots([]), "NothingToSettle");
    await refused(packSlots([second, first]), "SlotsNotAscending");
    await refused(packSlots([{ ...first, root: ZeroHash }]), "ReadingsMismatch");
    await refused(packSlots([{ ...first, readings: second.readings }]), "ReadingsMismatch");
    await refused(packSlots([{ ...first, record: { ...first.record, congestionNano: 1n } }]), "RecordMismatch");
    // A cleared slot is not settled as one without a clearing, not even behind one whose record is at hand.
    await refused(packSlots([{ ...first, record: emptyRecord(slot) }]), "RecordMismatch");
    await refused(
      packSlots([first, { ...(given[2] as SlotToSettle), record: emptyRecord(slot + 2) }]),
      "RecordMismatch",
    );
    await refused(`${packSlots(given)}00`, "WrongLength");
    const packed = packSlots([first]);
    const longer = (parseInt(packed.slice(6, 14), 16) + 1).toString(16).padStart(8, "0");
    const shifted = `${packed.slice(0, 6)}${longer}${packed.slice(14)}`;
    const readingsEnd = 22 + 2 * parseInt(packed.slice(6, 14), 16);
    await refused(`${shifted.slice(0, readingsEnd)}00${shifted.slice(readingsEnd)}`, "WrongLength");
    await settlement.settlePacked(packSlots(given));
    await refused(packed, "AlreadySettled");
    const unreported = { ...second, record: emptyRecord(slot + 3) };
    await refused(packSlots([unreported]), "NotReported");
  });

  it("ignores the record of a slot that was not cleared", async () => {
    const [first, second] = given as [SlotToSettle, SlotToSettle];
    const made = { ...second, record: { ...first.record, slot: second.record.slot } };
    given = [second];
    expect(await settled(() => world.c.settlement.settlePacked(packSlots([made])))).to.deep.equal(
      await settled(() => world.c.settlement.settle([second])),
    );
  });
});
