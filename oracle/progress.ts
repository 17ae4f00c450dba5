/** How far a node is, so that a request of another node can wait for it instead of being turned away. */
export interface Progress {
  /** Chain time of the tick under way, or of the last one. */
  now(): number;
  /** True while a tick is under way. */
  ticking(): boolean;
  /** Chain time up to which all meters were asked. */
  readThrough(): number;
  begin(now: number): void;
  /** The meters were asked at chain time `now`. */
  read(now: number): void;
  end(): void;
  /** Something changed: whoever waits looks again. */
  notify(): void;
  /** Waits until `condition` holds; false after `timeoutMs`. */
  until(condition: () => boolean, timeoutMs: number): Promise<boolean>;
}

export const createProgress = (): Progress => {
  let now = 0;
  let ticking = false;
  let readThrough = 0;
  const waiting = new Set<() => void>();
  const notify = (): void => {
    for (const look of [...waiting]) look();
  };
  return {
    now: () => now,
    ticking: () => ticking,
    readThrough: () => readThrough,
    begin: (time) => {
      now = time;
      ticking = true;
    },
    read: (time) => {
      readThrough = time;
      notify();
    },
    end: () => {
      ticking = false;
      notify();
    },
    notify,
    until: (condition, timeoutMs) => {
      if (condition()) return Promise.resolve(true);
      return new Promise((resolve) => {
        const finish = (held: boolean): void => {
          clearTimeout(timer);
          waiting.delete(look);
          resolve(held);
        };
        const look = (): void => {
          if (condition()) finish(true);
        };
        const timer = setTimeout(() => finish(false), timeoutMs);
        waiting.add(look);
      });
    },
  };
};
