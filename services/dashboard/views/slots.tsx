import type { SlotStory, SlotSummary } from "../../protocol/api.ts";
import { energy, text } from "../format/energy.ts";
import { slotLabel, slotSpan } from "../format/time.ts";
import { count, phaseWord } from "../format/words.ts";
import { Empty, Failure, ScreenHead } from "../parts/panel.tsx";
import { LeftIcon, RightIcon } from "../picture/icons.tsx";
import { useFetched, useStore } from "../state/context.ts";
import { hashOf } from "../state/route.ts";
import { StoryBook } from "./story-book.tsx";
import { StoryPayments } from "./story-payments.tsx";
import { StoryProof } from "./story-proof.tsx";
import { StoryReadings } from "./story-readings.tsx";

const told = (slot: SlotSummary): boolean =>
  slot.phase === "settled" || slot.phase === "final" || slot.phase === "estimated";

/** What happened in this slot, and can I check it? */
export const SlotsView = ({ slot }: { slot: number | null }) => {
  const store = useStore();
  const slots = store.slots.value;
  const newest = slots.findLast(told) ?? slots.findLast((row) => Object.keys(row.prices).length > 0) ?? slots.at(-1);
  const shown = slot ?? newest?.slot ?? null;
  if (shown === null)
    return (
      <>
        <ScreenHead question="What happened in this slot?" answer="No slot yet" />
        <Empty title="The first slot is still to come">
          Its orders, proof, readings and payments will be told here.
        </Empty>
      </>
    );
  return <Story slot={shown} following={slot === null} slots={slots} />;
};

const Story = ({ slot, following, slots }: { slot: number; following: boolean; slots: readonly SlotSummary[] }) => {
  const store = useStore();
  const story = useFetched(
    () => store.client.slot(slot),
    [slot, store.changes.value.get(slot), store.market.value!.slot],
  );
  const data = story.data?.slot === slot ? story.data : null;
  return (
    <>
      <ScreenHead
        question="What happened in this slot?"
        answer={data ? answerOf(data) : `Slot ${slotSpan(slot)}`}
        aside={<Picker slot={slot} slots={slots} following={following} />}
      />
      {data && <Rail story={data} />}
      {story.error && !data && <Failure message={story.error} />}
      {data && (
        <div class="story">
          <StoryBook story={data} />
          <StoryProof story={data} />
          <StoryReadings story={data} />
          <StoryPayments story={data} />
        </div>
      )}
    </>
  );
};

const answerOf = (story: SlotStory): string => {
  const span = slotSpan(story.slot);
  const live = new Set(story.orders.filter((order) => order.live).map((order) => order.point)).size;
  if (story.phase === "void") return `${span}: nobody cleared it, so everything ran at the tariffs.`;
  if (!story.clearing) return `${span}: ${count(live, "home")} ${live === 1 ? "has" : "have"} placed orders so far.`;
  const local = story.clearing.boughtWh - story.clearing.backupBoughtWh;
  return `${span}: ${count(live, "home")} traded ${text(energy(Math.max(0, local)))}.`;
};

const Picker = ({ slot, slots, following }: { slot: number; slots: readonly SlotSummary[]; following: boolean }) => (
  <div class="picker">
    <a class="icon-button is-framed" href={hashOf("slots", slot - 1)} aria-label="Slot before">
      <LeftIcon />
    </a>
    <label>
      <span class="sr">Slot</span>
      <select
        value={String(slot)}
        onChange={(event) => (location.hash = hashOf("slots", Number(event.currentTarget.value)))}
      >
        {!slots.some((row) => row.slot === slot) && (
          <option value={String(slot)}>{`${slotLabel(slot)}  #${slot}`}</option>
        )}
        {slots.toReversed().map((row) => (
          <option
            key={row.slot}
            value={String(row.slot)}
          >{`${slotLabel(row.slot)}  #${row.slot}  ${phaseWord(row.phase)}`}</option>
        ))}
      </select>
    </label>
    <a class="icon-button is-framed" href={hashOf("slots", slot + 1)} aria-label="Slot after">
      <RightIcon />
    </a>
    {following ? (
      <span class="follow">newest settled</span>
    ) : (
      <a class="follow" href={hashOf("slots")}>
        newest settled
      </a>
    )}
  </div>
);

const Rail = ({ story }: { story: SlotStory }) => {
  const steps = [
    { name: "Orders", done: story.orders.length > 0, id: "orders" },
    { name: "Cleared", done: story.clearing !== null, id: "proof" },
    { name: "Metered", done: story.report !== null, id: "readings" },
    {
      name: story.settlement?.status === "estimated" ? "Estimated" : "Paid",
      done: story.settlement !== null,
      id: "payments",
    },
  ];
  return (
    <ol class="rail" aria-label="Life of the slot">
      {steps.map((step) => (
        <li key={step.id} class={step.done ? "is-done" : ""}>
          <button type="button" onClick={() => document.getElementById(step.id)?.scrollIntoView({ block: "start" })}>
            <span class="rail-dot" aria-hidden="true" />
            {step.name}
            <span class="sr">{step.done ? " done" : " not yet"}</span>
          </button>
        </li>
      ))}
    </ol>
  );
};
