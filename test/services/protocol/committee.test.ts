import { expect } from "chai";
import { keccak256, TypedDataEncoder } from "ethers";
import fc from "fast-check";
import {
  createObservationDigest,
  packObservation,
  unpackObservation,
  type MeterObservation,
} from "../../../services/protocol/committee.ts";

const registers = fc.record({
  importWh: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  exportWh: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
  quality: fc.constantFrom(0 as const, 1 as const),
});
const meter: fc.Arbitrary<MeterObservation> = fc.record({
  start: fc.option(registers, { nil: null }),
  end: fc.option(registers, { nil: null }),
});

describe("observations as bytes", () => {
  it("pack and unpack", () => {
    fc.assert(
      fc.property(fc.array(meter, { maxLength: 20 }), (meters) => {
        expect(unpackObservation(packObservation(meters))).to.deep.equal(meters);
      }),
    );
  });

  it("have one form only", () => {
    const packed = packObservation([{ start: null, end: { importWh: 1, exportWh: 2, quality: 0 } }]);
    expect(unpackObservation(packed)).to.not.equal(undefined);
    expect(unpackObservation(packed.replace(/^0x03/, "0x02")), "unknown quality").to.equal(undefined);
    expect(unpackObservation(packed.replace(/^0x03/, "0x13")), "unused bits").to.equal(undefined);
    expect(unpackObservation(`${packed.slice(0, 4)}01${packed.slice(6)}`), "numbers without a value").to.equal(
      undefined,
    );
    expect(unpackObservation(packed.slice(0, -2)), "cut short").to.equal(undefined);
    expect(unpackObservation(packed.replace("0x", "")), "no prefix").to.equal(undefined);
  });

  it("are signed as EIP-712 says", () => {
    const domain = { name: "DAEG", version: "1", chainId: 31_337, verifyingContract: `0x${"12".repeat(20)}` };
    const digest = createObservationDigest(domain);
    const types = {
      Observation: [
        { name: "slot", type: "uint32" },
        { name: "revision", type: "uint8" },
        { name: "registersHash", type: "bytes32" },
      ],
    };
    const observation = { slot: 1_982_016, revision: 3, registers: packObservation([{ start: null, end: null }]) };
    expect(digest(observation)).to.equal(
      TypedDataEncoder.hash(domain, types, {
        slot: observation.slot,
        revision: observation.revision,
        registersHash: keccak256(observation.registers),
      }),
    );
  });
});
