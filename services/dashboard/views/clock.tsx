import { clockLabel, countdown, slotLabel } from "../format/time.ts";
import { useStore, useTicker } from "../state/context.ts";
import { slotClock } from "../state/slot-clock.ts";

/** Chain time in the header. */
export const HeaderClock = () => {
  const store = useStore();
  useTicker(200);
  const state = store.market.value;
  if (!state) return <div class="header-clock" />;
  const now = store.now();
  return (
    <div class="header-clock" title="Time of the chain, shown in your time zone">
      <span class={`dot is-${store.connection.value.kind}`} aria-hidden="true" />
      <span class="num">{clockLabel(now)}</span>
      <span class="sr">{store.connection.value.kind === "live" ? "live" : "not live"}</span>
    </div>
  );
};

/** The slot that is delivered and what happens to the next one, as two bars on one axis of time. */
export const SlotClockView = () => {
  const store = useStore();
  useTicker(100);
  const clock = slotClock(store.now());
  const open = clock.nextPhase === "open";
  return (
    <section class="slot-clock" aria-label="Clock of the slots">
      <div class="clock-row">
        <span class="label">Delivering</span>
        <strong class="num">{slotLabel(clock.slot)}</strong>
        <span class="slot-number">#{clock.slot}</span>
      </div>
      <div class="clock-track" aria-hidden="true">
        <span class="clock-gate" />
        <span class="clock-fill" style={{ transform: `scaleX(${clock.progress.toFixed(4)})` }} />
      </div>
      <div class="clock-row">
        <span class="label">{open ? "Takes orders" : "Being cleared"}</span>
        <strong class="num">{slotLabel(clock.slot + 1)}</strong>
        <span class="clock-left num">
          {open ? "gate in " : "starts in "}
          {countdown(clock.secondsLeft)}
          <span class="unit">&nbsp;min</span>
        </span>
      </div>
    </section>
  );
};
