import { connect, createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { expect } from "chai";
import modbusSerial, { type ServerTCP as TheirServer } from "modbus-serial";
import { createModbusClient } from "../../../services/devices/modbus-client.ts";
import { ModbusError } from "../../../services/devices/modbus-error.ts";
import { createModbusServer, type ModbusServer, type ModbusUnit } from "../../../services/devices/modbus-server.ts";

const block = (start: number, ...values: number[]): ModbusUnit => ({
  holding: [{ start, registers: Uint16Array.from(values) }],
  writable: (address) => address < start + 2,
});

const failure = async (work: Promise<unknown>): Promise<ModbusError> => {
  try {
    await work;
  } catch (error) {
    expect(error).to.be.instanceOf(ModbusError);
    return error as ModbusError;
  }
  throw new Error("it did not fail");
};

describe("Modbus TCP", () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const serve = async (options: Parameters<typeof createModbusServer>[0]): Promise<ModbusServer> => {
    const server = await createModbusServer(options);
    closing.push(() => server.close());
    return server;
  };
  const client = (options: Parameters<typeof createModbusClient>[0]): ReturnType<typeof createModbusClient> => {
    const created = createModbusClient(options);
    closing.push(() => created.close());
    return created;
  };

  it("reads 247 units behind one gateway, each its own registers", async () => {
    const units = new Map(Array.from({ length: 247 }, (_, i) => [i + 1, block(100, i + 1, 7)]));
    const { host, port } = await serve({ port: 0, units });
    const reader = client({ host, port, connections: 3 });
    const all = await Promise.all([...units.keys()].map((unit) => reader.readHolding(unit, 100, 2)));
    expect(all).to.deep.equal([...units.keys()].map((unit) => [unit, 7]));
    expect(reader.requests()).to.equal(247);
  });

  it("writes what the owner accepts, refuses the rest with the proper exception", async () => {
    const unit = block(100, 1, 2, 3);
    const onWrite = async (_: number, address: number, values: readonly number[]): Promise<number | undefined> => {
      if (values[0] === 13) return 3;
      if (values[0] === 14) throw new Error("broken");
      unit.holding![0]!.registers.set(values, address - 100);
      return undefined;
    };
    const { host, port } = await serve({ port: 0, units: new Map([[1, unit]]), onWrite });
    const c = client({ host, port });
    await c.write(1, 100, [8, 9]);
    expect(await c.readHolding(1, 100, 3)).to.deep.equal([8, 9, 3]);
    const codes = await Promise.all([
      failure(c.write(1, 102, [1])),
      failure(c.write(1, 100, [13])),
      failure(c.write(1, 100, [14])),
      failure(c.readHolding(1, 99, 1)),
      failure(c.readInput(1, 100, 1)),
      failure(c.readHolding(9, 100, 1)),
    ]);
    expect(codes.map(({ code }) => code)).to.deep.equal([2, 3, 4, 2, 2, 11]);
    expect(codes.map(({ retryable }) => retryable)).to.deep.equal([false, false, true, false, false, true]);
  });

  it("answers unknown functions and malformed requests, and drops a stream out of step", async () => {
    const { host, port } = await serve({ port: 0, units: new Map([[1, block(0, 1)]]) });
    const socket = connect(port, host);
    await once(socket, "connect");
    const ask = async (hex: string): Promise<string> => {
      socket.write(Buffer.from(hex, "hex"));
      const [answer] = (await once(socket, "data")) as [Buffer];
      return answer.toString("hex");
    };
    expect(await ask("000100000002" + "0101")).to.equal("000100000003" + "018101");
    expect(await ask("000200000006" + "010300000000")).to.equal("000200000003" + "018303");
    expect(await ask("000300000005" + "0103000000")).to.equal("000300000003" + "018303");
    socket.write(Buffer.from("0004000000", "hex"));
    expect(await ask("06" + "010300000001")).to.equal("000400000005" + "0103020001");
    socket.write(Buffer.from("0005beef0006010300000001", "hex"));
    await once(socket, "close");
  });

  it("a mute unit does not hold up the others, and rests after two misses", async () => {
    const units = new Map([
      [1, block(0, 1)],
      [2, block(0, 2)],
    ]);
    const { host, port } = await serve({ port: 0, units, unknownUnit: "silence" });
    const c = client({ host, port, timeoutMs: 800 });
    const order: string[] = [];
    const mute = failure(c.readHolding(7, 0, 1)).then((error) => (order.push("mute"), error));
    for (let i = 0; i < 50; i++) await Promise.all([c.readHolding(1, 0, 1), c.readHolding(2, 0, 1)]);
    order.push("others");
    expect((await mute).kind).to.equal("timeout");
    expect(order).to.deep.equal(["others", "mute"]);
    expect((await failure(c.readHolding(7, 0, 1))).message).to.contain("did not answer within 800 ms");
    const sent = c.requests();
    const resting = await failure(c.readHolding(7, 0, 1));
    expect(resting.message).to.contain("tried again in");
    expect(resting.retryable).to.equal(true);
    expect(c.requests()).to.equal(sent);
    expect(await c.readHolding(1, 0, 1)).to.deep.equal([1]);
  });

  it("reconnects by itself after the server was away, and fails at once where it should not wait", async () => {
    const units = new Map([[1, block(0, 42)]]);
    const first = await createModbusServer({ port: 0, units, unknownUnit: "silence" });
    const { host, port } = first;
    const c = client({ host, port, timeoutMs: 3_000 });
    expect(await c.readHolding(1, 0, 1)).to.deep.equal([42]);
    const cut = failure(c.readHolding(5, 0, 1));
    await c.readHolding(1, 0, 1);
    await first.close();
    expect((await cut).kind).to.equal("connection");
    const impatient = await failure(client({ host, port, patient: false }).readHolding(1, 0, 1));
    expect(impatient.message).to.contain("connection refused");
    expect(impatient.exitCode).to.equal(75);
    const waiting = c.readHolding(1, 0, 1);
    await serve({ port, units });
    expect(await waiting).to.deep.equal([42]);
  });

  it("never takes a very late answer for another request's", async () => {
    // Answers every request with its address, the very first one only after 256 others.
    let held: Buffer | undefined;
    let seen = 0;
    const answer = (request: Buffer): Buffer =>
      Buffer.concat([request.subarray(0, 4), Buffer.from([0, 5, request[6]!, 3, 2]), request.subarray(8, 10)]);
    const late = createServer((socket) => {
      socket.on("data", (request) => {
        seen += 1;
        if (seen === 1) held = answer(request);
        else if (seen === 257) socket.write(Buffer.concat([held!, answer(request)]));
        else socket.write(answer(request));
      });
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => late.listen(0, "127.0.0.1", resolve));
    closing.push(() => new Promise((resolve) => late.close(() => resolve())));
    const c = client({ host: "127.0.0.1", port: (late.address() as AddressInfo).port, timeoutMs: 300, connections: 1 });
    expect((await failure(c.readHolding(1, 7, 1))).kind).to.equal("timeout");
    for (let address = 1_000; address < 1_400; address++)
      expect(await c.readHolding(1, address, 1)).to.deep.equal([address]);
  });

  it("opens a new connection when the old one only swallows requests", async () => {
    let connections = 0;
    const dead = createServer((socket) => {
      connections += 1;
      socket.resume();
      socket.on("error", () => undefined);
      if (connections > 1)
        socket.on("data", (request) =>
          socket.write(Buffer.concat([request.subarray(0, 4), Buffer.from([0, 5, request[6]!, 3, 2, 0, 9])])),
        );
    });
    await new Promise<void>((resolve) => dead.listen(0, "127.0.0.1", resolve));
    closing.push(() => new Promise((resolve) => dead.close(() => resolve())));
    const c = client({ host: "127.0.0.1", port: (dead.address() as AddressInfo).port, timeoutMs: 100, connections: 1 });
    for (const unit of [1, 2, 3]) await failure(c.readHolding(unit, 0, 1));
    expect(await c.readHolding(4, 0, 1)).to.deep.equal([9]);
    expect(connections).to.equal(2);
  });

  it("reports a busy port in one sentence", async () => {
    const { port } = await serve({ port: 0, units: new Map() });
    let message = "";
    await createModbusServer({ port, units: new Map() }).catch((error: Error) => (message = error.message));
    expect(message).to.equal(`port ${port} on 127.0.0.1 is busy: stop the program that uses it or choose another port`);
  });

  it("talks to modbus-serial's own client and server", async () => {
    const { host, port } = await serve({ port: 0, units: new Map([[3, block(10, 5, 6)]]) });
    const ModbusRTU = modbusSerial as unknown as typeof modbusSerial.default;
    const other = new ModbusRTU();
    await other.connectTCP(host, { port });
    other.setID(3);
    expect((await other.readHoldingRegisters(10, 2)).data).to.deep.equal([5, 6]);
    await new Promise<void>((resolve) => other.close(() => resolve()));

    const { ServerTCP } = modbusSerial as unknown as { ServerTCP: typeof TheirServer };
    const vector = { getHoldingRegister: (address: number, unit: number) => address + unit };
    const theirs = new ServerTCP(vector, { host, port: port === 65_535 ? port - 1 : port + 1, unitID: 255 });
    await once(theirs, "initialized");
    const c = client({ host, port: port === 65_535 ? port - 1 : port + 1 });
    expect(await c.readHolding(4, 20, 3)).to.deep.equal([24, 25, 26]);
    await new Promise<void>((resolve) => theirs.close(() => resolve()));
  });
});
