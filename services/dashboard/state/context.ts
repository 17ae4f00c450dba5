import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import type { Store } from "./store.ts";

export const StoreContext = createContext<Store | null>(null);

/** The store of the page; every view is below its provider. */
export const useStore = (): Store => {
  const store = useContext(StoreContext);
  if (!store) throw new Error("a view was rendered outside the store");
  return store;
};

export interface Fetched<T> {
  readonly data: T | null;
  readonly error: string | null;
}

/** Loads when `keys` change and keeps what it had while it loads again; an answer that came too late is dropped. */
export const useFetched = <T>(load: () => Promise<T>, keys: readonly unknown[]): Fetched<T> => {
  const [result, setResult] = useState<Fetched<T>>({ data: null, error: null });
  useEffect(() => {
    let current = true;
    load().then(
      (data) => current && setResult({ data, error: null }),
      (error: unknown) =>
        current &&
        setResult((before) => ({ data: before.data, error: error instanceof Error ? error.message : String(error) })),
    );
    return () => {
      current = false;
    };
  }, keys);
  return result;
};

/** Renders again every `periodMs`: for clocks and ages. */
export const useTicker = (periodMs: number): void => {
  const [, setCount] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setCount((n) => n + 1), periodMs);
    return () => clearInterval(timer);
  }, [periodMs]);
};
