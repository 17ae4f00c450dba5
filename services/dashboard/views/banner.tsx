import { age } from "../format/time.ts";
import { WarnIcon } from "../picture/icons.tsx";
import { useStore, useTicker } from "../state/context.ts";

/** Says, with its age, that what stands below is no longer live. */
export const ConnectionBanner = () => {
  const { connection, market, live } = useStore();
  useTicker(1_000);
  const state = connection.value;
  if (state.kind === "lost" && market.value !== null)
    return (
      <div class="banner" role="status">
        <WarnIcon />
        <p>
          <strong>Connection to the market lost.</strong> Everything below is {age((Date.now() - state.sinceMs) / 1000)}{" "}
          old.
          {" Trying again."}
        </p>
      </div>
    );
  if (state.kind === "live" && live.value?.stale)
    return (
      <div class="banner is-mild" role="status">
        <WarnIcon />
        <p>
          <strong>No live readings right now.</strong> No oracle node answered lately, so the picture shows the last
          known flows. Trading goes on.
        </p>
      </div>
    );
  return null;
};
