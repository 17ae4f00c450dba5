import { expect } from "chai";
import fc from "fast-check";
import { createSunSpecImage } from "../../../services/devices/sunspec/map.ts";
import { common, meter, models, storage } from "../../../services/devices/sunspec/models.ts";
import { decodePoint, defineModel, encodePoint, unwrapCounter } from "../../../services/devices/sunspec/points.ts";

const everyType = defineModel(
  64_999,
  "every type",
  "SF:sunssf I16:int16@SF U16:uint16@SF I32:int32 U32:uint32@SF A32:acc32@SF E:enum16 B16:bitfield16 B32:bitfield32 S:string*4",
);

describe("SunSpec points", () => {
  it("have the sizes of the SunSpec Alliance's models", () => {
    const sizes = [...models.values()].map(({ id, size }) => [id, size - 2]);
    expect(sizes).to.deep.include.members([
      [1, 66],
      [203, 105],
      [103, 50],
      [124, 24],
      [713, 7],
      [802, 62],
    ]);
    expect(meter.points.get("W")!.offset).to.equal(18);
    expect(meter.points.get("TotWhImp")!.offset).to.equal(46);
    expect(meter.points.get("TotWh_SF")!.offset).to.equal(54);
    expect(storage.points.get("InOutWRte_RvrtTms")!.offset).to.equal(15);
  });

  it("keep values through registers, scale applied", () => {
    fc.assert(
      fc.property(fc.integer({ min: -4, max: 4 }), fc.integer({ min: -32_767, max: 32_767 }), (scale, raw) => {
        const registers = new Uint16Array(everyType.size);
        encodePoint(everyType, registers, 0, "SF", scale);
        const value = scale < 0 ? raw / 10 ** -scale : raw * 10 ** scale;
        encodePoint(everyType, registers, 0, "I16", value);
        expect(decodePoint(everyType, registers, 0, "I16")).to.equal(value);
      }),
    );
    const registers = new Uint16Array(everyType.size);
    encodePoint(everyType, registers, 0, "I32", -123_456);
    encodePoint(everyType, registers, 0, "U32", 4_000_000_000);
    encodePoint(everyType, registers, 0, "S", "Zähler");
    expect(decodePoint(everyType, registers, 0, "I32")).to.equal(-123_456);
    expect(decodePoint(everyType, registers, 0, "U32")).to.equal(4_000_000_000);
    expect(decodePoint(everyType, registers, 0, "S")).to.equal("Zähler");
  });

  it("are null where the device does not implement them", () => {
    const image = createSunSpecImage([common, everyType]);
    const at = image.models[1]!.address - image.start;
    for (const name of ["I16", "U16", "I32", "U32", "E", "B16", "B32", "S"]) {
      expect(decodePoint(everyType, image.registers, at, name), name).to.equal(null);
    }
    image.set(everyType, "I16", 5);
    image.registers[at + 2] = 0x8000;
    expect(decodePoint(everyType, image.registers, at, "I16"), "scale not implemented").to.equal(null);
    image.registers[at + 2] = 11;
    expect(decodePoint(everyType, image.registers, at, "I16"), "scale out of range").to.equal(null);
  });

  it("clamp to the register's range instead of wrapping", () => {
    const registers = new Uint16Array(everyType.size);
    encodePoint(everyType, registers, 0, "I16", 40_000);
    encodePoint(everyType, registers, 0, "U16", -5);
    expect(decodePoint(everyType, registers, 0, "I16")).to.equal(32_767);
    expect(decodePoint(everyType, registers, 0, "U16")).to.equal(0);
  });

  it("acc32 counters wrap and are continued", () => {
    const registers = new Uint16Array(everyType.size);
    encodePoint(everyType, registers, 0, "A32", 2 ** 32 + 17);
    expect(decodePoint(everyType, registers, 0, "A32")).to.equal(17);
    expect(unwrapCounter(2 ** 32 - 5, 17, 2 ** 32)).to.equal(2 ** 32 + 17);
    expect(unwrapCounter(1_000, 999, 2 ** 32)).to.equal(null);
    fc.assert(
      fc.property(fc.nat(2 ** 31), fc.array(fc.nat(2 ** 31 - 1), { maxLength: 20 }), (start, steps) => {
        let truth = start;
        let seen = start;
        for (const step of steps) {
          truth += step;
          seen = unwrapCounter(seen, truth % 2 ** 32, 2 ** 32)!;
          expect(seen).to.equal(truth);
        }
      }),
    );
  });
});
