import { useEffect, useRef, useState } from "preact/hooks";
import type { SlotStory } from "../../protocol/api.ts";
import { sameDay } from "../format/time.ts";
import { useStore } from "./context.ts";

const AT_ONCE = 4;
const DAY_SLOTS = 100;

/** Stories of today's settled slots, read once each and again when an event changed one. */
export const useTodaysStories = (): { stories: readonly SlotStory[]; error: string | null } => {
  const store = useStore();
  const cache = useRef(new Map<number, { version: number; story: SlotStory }>());
  const [, bump] = useState(0);
  const [error, setError] = useState<string | null>(null);
  const today = store.market.value!.slot;
  const changes = store.changes.value;
  useEffect(() => {
    let current = true;
    const load = async (): Promise<void> => {
      const slots = await store.client.slots(DAY_SLOTS);
      const wanted = slots
        .filter((slot) => sameDay(slot.slot, today) && (slot.phase === "settled" || slot.phase === "final"))
        .map((slot) => slot.slot)
        .filter((slot) => cache.current.get(slot)?.version !== (changes.get(slot) ?? 0));
      for (let at = 0; at < wanted.length && current; at += AT_ONCE)
        await Promise.all(
          wanted.slice(at, at + AT_ONCE).map(async (slot) => {
            cache.current.set(slot, { version: changes.get(slot) ?? 0, story: await store.client.slot(slot) });
          }),
        );
      for (const slot of cache.current.keys()) if (!sameDay(slot, today)) cache.current.delete(slot);
    };
    load().then(
      () => {
        if (!current) return;
        setError(null);
        bump((n) => n + 1);
      },
      (reason: unknown) => current && setError(reason instanceof Error ? reason.message : String(reason)),
    );
    return () => {
      current = false;
    };
  }, [today, changes]);
  return { stories: [...cache.current.values()].map(({ story }) => story), error };
};
