import { join } from "node:path";
import { shownExportWh, shownImportWh, type MeterState } from "../core/community/meter-model.ts";
import type { CommunityData } from "../core/community/community.ts";
import { toSlots } from "../core/community/slots.ts";
import { createModbusServer, type ModbusServer } from "../devices/modbus-server.ts";
import { slotStart } from "../platform/clock.ts";
import { wrongInput } from "../platform/errors.ts";
import { serve } from "../platform/http.ts";
import type { Log } from "../platform/log.ts";
import type { Running } from "../platform/process.ts";
import { loadCommunity } from "../protocol/community-file.ts";
import type { SimulatorConfig } from "./config.ts";
import { createHomeUnits } from "./home-units.ts";
import { createRegistersApp } from "./http.ts";
import { createMeterUnit } from "./meter-unit.ts";
import { createNeighbourhood } from "./neighbourhood.ts";
import { createSimulation, createSimulationState } from "./simulation.ts";
import { openSimulatorStore } from "./simulator-store.ts";

const HEAD_UNIT = 1;

/**
 * Starts all devices. Each tick runs them to chain time `now` and commits; a set-point is committed before its write is
 * answered. So after `kill -9` it goes on from its last commit: the next tick integrates the gap, with the set-points that
 * were acknowledged (those run out after their reversion time as always; one whose answer never came may be lost).
 */
export async function startSimulator({ config, log }: { config: SimulatorConfig; log: Log }): Promise<Running> {
  const { community, series } = communityOf(config);
  const store = openSimulatorStore(join(config.stateDir, "simulator.sqlite"), {
    fingerprint: JSON.stringify([community.name, community.zones, community.homes]),
    fresh: () => createSimulationState(community, config.start),
  });
  const simulation = createSimulation(community, toSlots(series), store.state);
  const { state } = simulation;
  const homes = simulation.models.map(createHomeUnits);
  const heads = community.zones.map((zone) =>
    createMeterUnit(`head-${zone}`, community.gridCapacityW + headRoomW(community, zone)),
  );

  const refreshHome = (i: number): void => homes[i]!.refresh(state.homes[i]!, simulation.present(i));
  const refreshHeads = (): void => {
    community.zones.forEach((zone, z) => {
      const inZone = community.homes.flatMap((home, i) => (home.zone === zone ? [simulation.present(i).gridW] : []));
      heads[z]!.refresh({ ...shown(state.heads[z]!), powerW: inZone.reduce((sum, watts) => sum + watts, 0) });
    });
  };
  const refresh = (): void => {
    homes.forEach((_, i) => refreshHome(i));
    refreshHeads();
  };
  homes.forEach((units, i) => units.restore(state.homes[i]!));
  refresh();

  const servers: ModbusServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
    await http?.close();
    store.close();
  };
  let http: Awaited<ReturnType<typeof serve>> | undefined;
  try {
    const homePorts = portsOf(
      config.homes,
      "homes",
      ({ id }) => id,
      community.homes.map(({ id }) => id),
    );
    const headPorts = portsOf(config.heads, "heads", ({ zone }) => zone, community.zones);
    const homeInfo: { id: string; port: number; units: number[] }[] = [];
    for (const [i, { id }] of community.homes.entries()) {
      const { units } = homes[i]!;
      const server = await createModbusServer({
        host: config.host,
        port: homePorts.get(id)!,
        units,
        onWrite: (unit, address, values) => {
          const refusal = homes[i]!.write(state.homes[i]!, unit, address, values);
          if (refusal !== undefined) return refusal;
          refreshHome(i);
          refreshHeads();
          return store.commitSoon().then(() => undefined);
        },
      });
      servers.push(server);
      homeInfo.push({ id, port: server.port, units: [...units.keys()] });
    }
    const headInfo: { zone: string; port: number }[] = [];
    for (const [z, zone] of community.zones.entries()) {
      const units = new Map([[HEAD_UNIT, heads[z]!.unit]]);
      const server = await createModbusServer({ host: config.host, port: headPorts.get(zone)!, units });
      servers.push(server);
      headInfo.push({ zone, port: server.port });
    }
    http = await serve({ app: createRegistersApp(simulation, store), hostname: config.host, port: config.httpPort });
    log.info({ time: state.time, homes: homeInfo.length }, "devices are up");
    return {
      info: { url: http.url, host: config.host, homes: homeInfo, heads: headInfo, time: state.time },
      tick: async (now) => {
        if (now <= state.time) return;
        simulation.advance(now, (slot) => store.keepBoundary(slot + 1, slotStart(slot + 1)));
        store.commit();
        refresh();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const shown = (meter: MeterState): { importWh: number; exportWh: number } => ({
  importWh: shownImportWh(meter),
  exportWh: shownExportWh(meter),
});

function communityOf({ communityDir, neighbourhood }: SimulatorConfig): CommunityData {
  if (communityDir !== undefined && neighbourhood)
    throw wrongInput("config: give communityDir or neighbourhood, not both");
  if (communityDir !== undefined) return loadCommunity(communityDir);
  if (!neighbourhood)
    throw wrongInput("config: communityDir is missing: name a community folder, or give neighbourhood");
  return createNeighbourhood(neighbourhood);
}

/** The most a zone can draw or feed, for the resolution of its head meter's power register. */
function headRoomW(community: CommunityData["community"], zone: string): number {
  const inZone = community.homes.filter((home) => home.zone === zone);
  return inZone.reduce((sum, home) => sum + Math.max(home.importRatingW, home.exportRatingW), 0);
}

function portsOf<T extends { port: number }>(
  entries: readonly T[],
  field: string,
  nameOf: (entry: T) => string,
  names: readonly string[],
): Map<string, number> {
  const ports = new Map(entries.map((entry) => [nameOf(entry), entry.port]));
  const unknown = [...ports.keys()].find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw wrongInput(`config: ${field}: "${unknown}" is not in the community: remove or correct it`);
  const missing = names.find((name) => !ports.has(name));
  if (missing !== undefined) throw wrongInput(`config: ${field}: "${missing}" has no port: add it (0 takes any)`);
  return ports;
}
