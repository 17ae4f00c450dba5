import { createModbusServer } from "../../services/devices/modbus-server.ts";
import { createMeterUnit } from "../../services/simulator/meter-unit.ts";

/** Child of the Modbus bench: 500 meters on servers of their own, and one gateway with 100 units. Tells its ports. */
const meter = (i: number) => {
  const { unit, refresh } = createMeterUnit(`bench-${i}`, 15_000);
  refresh({ importWh: 1_000_000 + i, exportWh: i, powerW: i });
  return unit;
};
const ports: number[] = [];
for (let i = 0; i < 500; i++) ports.push((await createModbusServer({ port: 0, units: new Map([[1, meter(i)]]) })).port);
const gateway = await createModbusServer({
  port: 0,
  units: new Map(Array.from({ length: 100 }, (_, i) => [i + 1, meter(i)])),
});
process.send!({ ports, gateway: gateway.port });
process.on("disconnect", () => process.exit(0));
