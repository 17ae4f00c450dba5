import type { ComponentChildren } from "preact";

export const Panel = ({
  title,
  hint,
  aside,
  children,
  id,
}: {
  title: string;
  hint?: ComponentChildren;
  aside?: ComponentChildren;
  children: ComponentChildren;
  id?: string;
}) => (
  <section class="panel" id={id} aria-label={title}>
    <header class="panel-head">
      <div>
        <h2>{title}</h2>
        {hint && <p class="hint">{hint}</p>}
      </div>
      {aside}
    </header>
    {children}
  </section>
);

/** The question that a screen answers, and its answer so far. `live`: it changes, so room is kept for two lines. */
export const ScreenHead = ({
  question,
  answer,
  aside,
  live = false,
}: {
  question: string;
  answer?: ComponentChildren;
  aside?: ComponentChildren;
  live?: boolean;
}) => (
  <header class={`screen-head${live ? " is-live" : ""}`}>
    <div class="screen-words">
      <p class="question">{question}</p>
      <h1>{answer}</h1>
    </div>
    {aside}
  </header>
);

/** What stands where there is nothing yet: what it will be, and what it waits for. */
export const Empty = ({ title, children }: { title: string; children?: ComponentChildren }) => (
  <div class="empty">
    <p class="empty-title">{title}</p>
    {children && <p>{children}</p>}
  </div>
);

export const Failure = ({ message }: { message: string }) => (
  <div class="failure" role="alert">
    <strong>This could not be read.</strong> {message}
  </div>
);

/** Buy or sell as a word with its mark: the colour is never alone. */
export const Side = ({ sell, words }: { sell: boolean; words?: string }) => (
  <span class={`side ${sell ? "tone-sell" : "tone-buy"}`}>
    <svg class="side-mark" viewBox="0 0 10 10" aria-hidden="true">
      <path d={sell ? "M5 1 9 8.5H1z" : "M5 9 1 1.5h8z"} />
    </svg>
    <span class="side-word">{words ?? (sell ? "Sell" : "Buy")}</span>
  </span>
);
