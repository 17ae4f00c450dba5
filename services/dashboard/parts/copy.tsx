import { useState } from "preact/hooks";
import { CheckIcon, CopyIcon } from "../picture/icons.tsx";

/** A button that copies a text and says so. */
export const Copy = ({ text, what }: { text: string; what: string }) => {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={done ? `${what} copied` : `Copy ${what}`}
      title={done ? "Copied" : `Copy ${what}`}
      onClick={() => {
        void navigator.clipboard?.writeText(text).then(
          () => {
            setDone(true);
            setTimeout(() => setDone(false), 1_500);
          },
          () => undefined,
        );
      }}
    >
      {done ? <CheckIcon /> : <CopyIcon />}
    </button>
  );
};
