/** Readers that wait for what will be appended. */
export interface News {
  /** Wakes everybody who waits. */
  readonly announce: () => void;
  /** Resolves at the next announcement, when `signal` aborts, or after `milliseconds`. */
  readonly wait: (signal: AbortSignal, milliseconds: number) => Promise<void>;
}

export const news = (): News => {
  const waiting = new Set<() => void>();
  return {
    announce: () => {
      for (const wake of [...waiting]) wake();
    },
    wait: (signal, milliseconds) =>
      new Promise((resolve) => {
        const wake = () => {
          waiting.delete(wake);
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const timer = setTimeout(wake, milliseconds);
        waiting.add(wake);
        signal.addEventListener('abort', wake);
        if (signal.aborted) wake();
      }),
  };
};
