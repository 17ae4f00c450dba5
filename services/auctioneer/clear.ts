import { slotStart } from "../platform/clock.ts";
import { isRetryable } from "../platform/errors.ts";
import { checkBook, gateOf, solveSlot, submissionOf, zoneTermsOf } from "../protocol/clearing.ts";
import { postClearing } from "../protocol/parts.ts";
import { bookStart, encodeBatches } from "../protocol/words.ts";
import { contractErrorOf, reasonOf, type Context } from "./context.ts";
import { networkOf, type SlotView } from "./view.ts";

/** Clears every slot whose gate is closed, that has a book and that nobody cleared yet, before it starts. */
export const createClear = (context: Context): { run(now: number): Promise<void> } => {
  const { chainId, addresses, failures, provider, sender, send, log } = context;
  const givenUp = new Set<number>();

  const clearSlot = async (slot: number, book: SlotView): Promise<void> => {
    const trades = context.view().trades.of(slot);
    const appended = { words: `0x${book.words}`, batches: encodeBatches(book.batches), trades };
    const { orderBook } = addresses;
    checkBook({ chainId, orderBook, slot }, appended, book.book ?? bookStart(chainId, orderBook, slot));
    const terms = context.view().terms.get(slot);
    if (!terms) throw new Error(`the terms of slot ${slot} are not among the events`);
    const { zones: grid, limits } = networkOf(context.view(), slot);
    const clearing = await solveSlot({ ...appended, grid, limits, terms });
    const to = addresses.auction;
    const receipt = await postClearing({
      submission: submissionOf(slot, appended, clearing),
      zones: zoneTermsOf(grid, terms),
      clearing,
      bookStart: bookStart(chainId, orderBook, slot),
      call: (data) => provider.call({ from: sender, to, data }),
      send: (key, data) => send({ key, to, data }),
    });
    if (receipt.status !== 1) throw new Error(`transaction ${receipt.hash} reverted`);
    log.info({ slot, words: book.wordCount, gasUsed: Number(receipt.gasUsed) }, "cleared");
  };

  const run = async (now: number): Promise<void> => {
    if (context.view().marketState === "no clearing") return;
    for (const [slot, book] of context.view().slots) {
      if ((book.wordCount === 0 && context.view().trades.of(slot) === "0x") || book.record || givenUp.has(slot))
        continue;
      if (now <= gateOf(slot) || now >= slotStart(slot)) continue;
      try {
        await clearSlot(slot, book);
        failures.clear("clear", slot);
      } catch (error) {
        if (isRetryable(error)) throw error;
        // Somebody else was faster: every honest solver posts the same, so that is fine.
        if (contractErrorOf(error)?.name === "AlreadyCleared") givenUp.add(slot);
        else failures.add("clear", slot, reasonOf(error));
      }
    }
    for (const slot of givenUp) if (now >= slotStart(slot)) givenUp.delete(slot);
  };
  return { run };
};
