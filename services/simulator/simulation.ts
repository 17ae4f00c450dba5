import type { Community } from "../core/community/community.ts";
import {
  closeHomeSlot,
  createHomeModel,
  createHomeState,
  presentPower,
  runHome,
  type HomeModel,
  type HomeState,
  type PresentPower,
  type SlotPower,
} from "../core/community/home-model.ts";
import { closeMeterSlot, countEnergy, type MeterState } from "../core/community/meter-model.ts";
import { slotIndex, type SlotSeries } from "../core/community/slots.ts";
import { SLOT_SECONDS, slotAt, slotStart } from "../platform/clock.ts";

/** Everything that changes in the simulated neighbourhood, as plain JSON: this is what is stored. */
export interface SimulationState {
  time: number;
  homes: HomeState[];
  /** Head meters, in the order of the community's zones. */
  heads: MeterState[];
}

export interface Simulation {
  readonly community: Community;
  readonly models: readonly HomeModel[];
  readonly state: SimulationState;
  /** Runs everything to chain time `until`; `onSlotEnd(slot)` is called after each slot that ends on the way. */
  advance(until: number, onSlotEnd: (slot: number) => void): void;
  /** What flows at home `index` now. */
  present(index: number): PresentPower;
}

/** Registers of real meters do not start at zero either; every meter starts somewhere else. */
const firstRegisters = (index: number): { importWh: number; exportWh: number } => ({
  importWh: 1_000_000 + 10_007 * index,
  exportWh: 500_000 + 5_003 * index,
});

/** The state at the start of a run: `time` is the start of a slot. */
export function createSimulationState(community: Community, time: number): SimulationState {
  return {
    time,
    homes: community.homes.map((home, i) => createHomeState(createHomeModel(home), time, firstRegisters(i))),
    heads: community.zones.map((_, i) => ({ ...firstRegisters(1_000 + i), importJ: 0, exportJ: 0 })),
  };
}

/** Brings a state to life; the state object is changed in place. */
export function createSimulation(community: Community, series: SlotSeries, state: SimulationState): Simulation {
  const models = community.homes.map(createHomeModel);
  const zoneOf = community.homes.map(({ zone }) => community.zones.indexOf(zone));
  const powerOf = (home: number, slot: number): SlotPower => {
    const index = slotIndex(series, slot);
    // A Wh per slot is 4 W: 3600 J in 900 s.
    return { loadW: series.loadWh[home]![index]! * 4, pvW: series.pvWh[home]![index]! * 4 };
  };

  const advance: Simulation["advance"] = (until, onSlotEnd) => {
    while (state.time < until) {
      const slot = slotAt(state.time);
      const end = Math.min(until, slotStart(slot + 1));
      const zoneJ = community.zones.map(() => 0);
      models.forEach((model, i) => {
        zoneJ[zoneOf[i]!]! += runHome(model, state.homes[i]!, powerOf(i, slot), end);
      });
      zoneJ.forEach((energyJ, zone) => countEnergy(state.heads[zone]!, energyJ));
      state.time = end;
      if (end % SLOT_SECONDS === 0) {
        closeSlot();
        onSlotEnd(slot);
      }
    }
  };

  /** Rounding at a home's devices moves its net; the head meter counts the same joules, so both stay equal exactly. */
  const closeSlot = (): void => {
    const grownJ = community.zones.map(() => 0);
    models.forEach((model, i) => {
      grownJ[zoneOf[i]!]! += closeHomeSlot(model, state.homes[i]!);
    });
    grownJ.forEach((energyJ, zone) => {
      countEnergy(state.heads[zone]!, energyJ);
      closeMeterSlot(state.heads[zone]!);
    });
  };

  return {
    community,
    models,
    state,
    advance,
    present: (index) => presentPower(models[index]!, state.homes[index]!, powerOf(index, slotAt(state.time))),
  };
}
