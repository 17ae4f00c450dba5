import { WarnIcon } from "../picture/icons.tsx";
import { useStore } from "../state/context.ts";

/** Before the first answer of the API: still connecting, or nobody there. */
export const Starting = () => {
  const state = useStore().connection.value;
  return state.kind === "lost" ? (
    <div class="starting" role="alert">
      <WarnIcon />
      <h1>The market is not there</h1>
      <p>{state.reason ?? "The connection was lost before the first answer."}</p>
      <p>
        Start it with <code>npm start</code>. This page tries again every 2 seconds and continues by itself.
      </p>
    </div>
  ) : (
    <div class="starting" role="status">
      <span class="pulse" aria-hidden="true" />
      <h1>Connecting to the market</h1>
      <p>Homes, meters and oracle nodes start first; the first slot follows within seconds.</p>
    </div>
  );
};
