import { expect } from "chai";
import { createMeter } from "../../../services/devices/meter.ts";
import { createModbusClient, type ModbusClient } from "../../../services/devices/modbus-client.ts";
import { createModbusServer, type ModbusServer, type ModbusUnit } from "../../../services/devices/modbus-server.ts";
import { createSunSpecDevice } from "../../../services/devices/sunspec/device.ts";
import { createSunSpecImage, type SunSpecImage } from "../../../services/devices/sunspec/map.ts";
import { common, meter, storage, storageCapacity } from "../../../services/devices/sunspec/models.ts";

const meterImage = (start?: number): SunSpecImage => {
  const image = createSunSpecImage([common, meter], start);
  image.set(common, "Mn", "Acme");
  image.set(common, "Md", "M3");
  image.set(common, "SN", "0001");
  image.set(meter, "TotWhImp", 123_456);
  image.set(meter, "TotWhExp", 789);
  image.set(meter, "W", -1_500);
  return image;
};

describe("SunSpec devices over Modbus TCP", () => {
  let server: ModbusServer;
  let client: ModbusClient;
  const open = async (
    units: Map<number, ModbusUnit>,
    onWrite?: Parameters<typeof createModbusServer>[0]["onWrite"],
  ): Promise<void> => {
    server = await createModbusServer({ port: 0, units, ...(onWrite ? { onWrite } : {}) });
    client = createModbusClient({ host: server.host, port: server.port });
  };
  afterEach(async () => {
    await client.close();
    await server.close();
  });
  const messageOf = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => "no error",
      (error: Error) => error.message,
    );

  it("finds the map at 40000, 50000 or 0 and reads a meter with one request", async () => {
    await open(new Map([40_000, 50_000, 0].map((start, i) => [i + 1, { holding: [meterImage(start)] }])));
    for (const unit of [1, 2, 3]) {
      const device = createSunSpecDevice(client, unit);
      await device.discover();
      const before = client.requests();
      expect(await device.readMeter()).to.deep.equal({
        manufacturer: "Acme",
        model: "M3",
        serial: "0001",
        importWh: 123_456,
        exportWh: 789,
        powerW: -1_500,
        wrapsAtWh: 2 ** 32,
      });
      expect(client.requests() - before).to.equal(1);
    }
  });

  it("applies scale factors and finds a meter behind models it does not know", async () => {
    const image = meterImage();
    image.set(meter, "TotWh_SF", 2);
    image.set(meter, "W_SF", -1);
    const strange = new Uint16Array(image.registers.length + 12);
    const commonEnd = 2 + common.size;
    strange.set(image.registers.subarray(0, commonEnd));
    strange.set([64_001, 10], commonEnd);
    strange.set(image.registers.subarray(commonEnd), commonEnd + 12);
    await open(new Map([[1, { holding: [{ start: 40_000, registers: strange }] }]]));
    const reading = await createSunSpecDevice(client, 1).readMeter();
    expect(reading).to.include({ importWh: 12_345_600, exportWh: 78_900, powerW: -150, wrapsAtWh: 2 ** 32 * 100 });
  });

  it("says what a unit is not", async () => {
    const plain = createSunSpecImage([common]);
    await open(
      new Map<number, ModbusUnit>([
        [1, { holding: [plain] }],
        [2, { holding: [{ start: 0, registers: new Uint16Array(9) }] }],
      ]),
    );
    expect(await messageOf(createSunSpecDevice(client, 1).readMeter())).to.contain(
      "is no meter: it has the SunSpec models 1, not 203",
    );
    expect(await messageOf(createSunSpecDevice(client, 2).discover())).to.contain(
      "has no SunSpec map at 40000, 50000, 0",
    );
    expect(await messageOf(createSunSpecDevice(client, 3).discover())).to.contain("no such unit");
    expect(() => createMeter(client, 1, "abc")).to.throw('profile "abc" is not known: use one of sunspec, sdm630');
  });

  it("reads and sets a battery through models 124 and 713", async () => {
    const image = createSunSpecImage([common, storage, storageCapacity]);
    image.set(storage, "InOutWRte_SF", -2);
    image.set(storage, "WChaMax", 5_000);
    image.set(storageCapacity, "Pct_SF", -2);
    image.set(storageCapacity, "WHRtg", 6_400);
    image.set(storageCapacity, "WHAvail", 3_200);
    image.set(storageCapacity, "SoC", 50);
    const writes: [number, readonly number[]][] = [];
    await open(new Map([[3, { holding: [image], writable: () => true }]]), (_, address, values) => {
      writes.push([address, values]);
      return undefined;
    });
    const device = createSunSpecDevice(client, 3);
    expect(await device.readBattery()).to.deep.include({
      soc: 0.5,
      capacityWh: 6_400,
      storedWh: 3_200,
      maxChargeW: 5_000,
      maxDischargeW: 5_000,
      powerW: null,
    });
    await device.writeBatterySetpoint({ powerW: -1_250, revertAfterSeconds: 1_200 });
    expect(writes).to.deep.equal([
      [image.addressOf(storage, "OutWRte"), [0x10000 - 2_500, 2_500, 0, 1_200]],
      [image.addressOf(storage, "StorCtl_Mod"), [3]],
    ]);
  });

  it("reads an Eastron SDM630 by its profile", async () => {
    const registers = new Uint16Array(100);
    const float = (address: number, value: number): void => {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatBE(value);
      registers.set([bytes.readUInt16BE(0), bytes.readUInt16BE(2)], address);
    };
    float(0x34, -432.6);
    float(0x48, 1_234.567);
    float(0x4a, 89.001);
    await open(
      new Map([
        [
          5,
          { input: [{ start: 0, registers }], holding: [{ start: 0xfc00, registers: Uint16Array.of(0x12, 0x3456) }] },
        ],
      ]),
    );
    expect(await createMeter(client, 5, "sdm630").read()).to.include({
      manufacturer: "Eastron",
      serial: "1193046",
      importWh: 1_234_567,
      exportWh: 89_001,
      powerW: -433,
    });
  });
});
