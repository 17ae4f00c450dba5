import { expect } from "chai";
import { attemptAfter } from "../../oracle/committee.ts";
import { configSchema } from "../../oracle/config.ts";
import { parseWith } from "../../services/platform/config.ts";

const address = "0x5384141c7B377fb34c18CE933Dc74179edE50630";
const base = {
  index: 0,
  privateKey: `0x${"11".repeat(32)}`,
  statePath: "state.sqlite",
  listen: { port: 0 },
  peers: [0, 1, 2, 3].map((index) => ({ index, url: "http://127.0.0.1:7100", address })),
  faults: 1,
  rpcUrls: ["http://127.0.0.1:8545"],
  addressesFile: "addresses.json",
  meters: [{ point: 0, host: "127.0.0.1", port: 502, unit: 1 }],
  firstSlot: 1,
};
const parse = (changes: object) => parseWith(configSchema, { ...base, ...changes }, "config");

describe("config of a node", () => {
  it("fills what is usual", () => {
    const config = parse({});
    expect(config.clock).to.equal("system");
    expect(config.listen.hostname).to.equal("127.0.0.1");
    expect(config.meters[0]?.profile).to.equal("sunspec");
    expect(config.timeouts).to.deep.equal({ modbusMs: 1_000, peerMs: 4_000, turnMs: 15_000, rpcMs: 10_000 });
    expect(config.gatherSlots).to.equal(1);
    expect(config.lie).to.equal(undefined);
  });

  const refusals: [string, object, string][] = [
    ["an unknown field", { pears: [] }, 'unknown field "pears"'],
    ["an unknown profile", { meters: [{ ...base.meters[0], profile: "abacus" }] }, "meters[0].profile: is not known"],
    ["no key", { privateKey: undefined }, "privateKeyFile: give either"],
    ["two keys", { privateKeyFile: "key" }, "privateKeyFile: give either"],
    ["too many faults", { faults: 2 }, "faults: is too high: 4 nodes tolerate 1"],
    ["no slot to gather", { gatherSlots: 0 }, "gatherSlots: "],
    ["more slots to gather than the deadline leaves time for", { gatherSlots: 7 }, "gatherSlots: "],
    ["an index outside the committee", { index: 4 }, "index: is not among peers"],
    ["a gap in the committee", { peers: base.peers.slice(1), index: 1, faults: 0 }, "peers: must hold each index"],
    ["a point twice", { meters: [base.meters[0], base.meters[0]] }, "meters: must name each point once"],
    [
      "no address",
      { peers: [{ ...base.peers[0], address: "0x12" }], faults: 0 },
      "peers[0].address: must be an address",
    ],
  ];
  for (const [what, changes, message] of refusals) {
    it(`refuses ${what}`, () => {
      expect(() => parse(changes)).to.throw(message);
    });
  }
});

describe("attempts at a slot", () => {
  it("rise every two minutes in the first hour, then once a slot, and stay within a byte", () => {
    expect([0, 119, 120, 330, 3_600, 4_499, 4_500].map(attemptAfter)).to.deep.equal([0, 0, 1, 2, 30, 30, 31]);
    expect(attemptAfter(10 ** 9)).to.equal(200);
  });
});
