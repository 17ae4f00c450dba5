import { useState } from "preact/hooks";
import type { CheatKind, CheatResult } from "../../protocol/api.ts";
import { errorTitle } from "../format/words.ts";
import { ScreenHead } from "../parts/panel.tsx";
import { Transaction } from "../parts/transaction.tsx";
import { useStore } from "../state/context.ts";

const cheats: readonly { kind: CheatKind; title: string; plan: string }[] = [
  {
    kind: "price-off-by-one",
    title: "A price one unit off",
    plan: "Clear a slot with a price that is a millionth of a token too high. Who would notice?",
  },
  { kind: "dropped-order", title: "A dropped order", plan: "Clear a slot but leave out a competitor's order." },
  {
    kind: "lying-node",
    title: "A lying node",
    plan: "Report far more energy than was measured, signed by one node alone.",
  },
  { kind: "doubled-report", title: "A doubled report", plan: "Land a valid report a second time, to be paid twice." },
  { kind: "replayed-order", title: "A replayed order", plan: "Send a signed order of somebody else again." },
];

type Attempt =
  | { readonly state: "idle" }
  | { readonly state: "busy" }
  | { readonly state: "failed"; readonly message: string }
  | { readonly state: "answered"; readonly result: CheatResult };

/** Can somebody cheat? */
export const CheatView = () => {
  const [attempts, setAttempts] = useState<Partial<Record<CheatKind, Attempt>>>({});
  const { client } = useStore();
  const send = async (kind: CheatKind): Promise<void> => {
    const put = (attempt: Attempt): void => setAttempts((before) => ({ ...before, [kind]: attempt }));
    put({ state: "busy" });
    try {
      put({ state: "answered", result: await client.cheat(kind) });
    } catch (error) {
      put({ state: "failed", message: error instanceof Error ? error.message : String(error) });
    }
  };
  const answered = Object.values(attempts).flatMap((attempt) =>
    attempt?.state === "answered" ? [attempt.result] : [],
  );
  const refused = answered.filter((result) => result.refused).length;
  return (
    <>
      <ScreenHead
        question="Can somebody cheat?"
        answer={
          answered.length === 0
            ? "Try it: five frauds, each really sent to the chain."
            : refused === answered.length
              ? `${refused} of ${answered.length} refused by the contracts.`
              : `${answered.length - refused} of ${answered.length} went through.`
        }
      />
      <ol class="cheats">
        {cheats.map(({ kind, title, plan }, at) => (
          <CheatCard
            key={kind}
            kind={kind}
            number={at + 1}
            title={title}
            plan={plan}
            attempt={attempts[kind] ?? { state: "idle" }}
            onSend={() => void send(kind)}
          />
        ))}
      </ol>
    </>
  );
};

const CheatCard = ({
  kind,
  number,
  title,
  plan,
  attempt,
  onSend,
}: {
  kind: CheatKind;
  number: number;
  title: string;
  plan: string;
  attempt: Attempt;
  onSend(): void;
}) => (
  <li class="cheat panel" data-cheat={kind}>
    <div class="cheat-head">
      <span class="cheat-number num" aria-hidden="true">
        {number}
      </span>
      <div>
        <h2>{title}</h2>
        <p class="hint">{plan}</p>
      </div>
      <button type="button" class="secondary" disabled={attempt.state === "busy"} onClick={onSend}>
        {attempt.state === "busy" ? "Sending" : attempt.state === "answered" ? "Send again" : "Send it"}
      </button>
    </div>
    <div aria-live="polite">
      {attempt.state === "answered" && <Answer result={attempt.result} />}
      {attempt.state === "failed" && <p class="form-note is-wrong">{attempt.message}</p>}
    </div>
  </li>
);

const Answer = ({ result }: { result: CheatResult }) => {
  const { error } = result;
  return (
    <div class="answer">
      <dl>
        <div>
          <dt>Sent</dt>
          <dd>{result.sent}</dd>
        </div>
        <div>
          <dt>The contract</dt>
          <dd>
            <span class={`verdict${result.refused ? "" : " is-through"}`}>
              {result.refused ? "Refused" : "Accepted"}
            </span>{" "}
            {result.words}
          </dd>
        </div>
        {error && (
          <div>
            <dt>Error</dt>
            <dd>
              <span class="error-title">{errorTitle(error.name)}</span> <code>{error.name}</code>
              {Object.keys(error.values).length > 0 && (
                <ul class="values">
                  {Object.entries(error.values).map(([name, value]) => (
                    <li key={name}>
                      <span class="label">{name.replace(/_$/, "")}</span> <code class="hash">{value}</code>
                    </li>
                  ))}
                </ul>
              )}
            </dd>
          </div>
        )}
        <div>
          <dt>Proof</dt>
          <dd>
            <Transaction hash={result.txHash} />
          </dd>
        </div>
      </dl>
    </div>
  );
};
