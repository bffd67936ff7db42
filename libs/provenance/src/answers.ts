interface Asked {
  readonly answer: boolean | Promise<boolean>;
  readonly take: (answer: boolean) => void;
}

/** Answers that may come later, taken in the order in which they were asked for. */
export interface Answers {
  readonly ask: (answer: boolean | Promise<boolean>, take: (answer: boolean) => void) => void;
  /** Takes what was asked for before the last call: what came since is under way while more events are read. */
  readonly settle: () => Promise<void>;
  /** Takes all of them. */
  readonly conclude: () => Promise<void>;
}

/** Waits for signatures so that what is wrong is said in the order of the chain, whoever verifies them and how fast. */
export const answersInTurn = (): Answers => {
  let before: Asked[] = [];
  let since: Asked[] = [];
  const settle = async (): Promise<void> => {
    const due = before;
    before = since;
    since = [];
    for (const { answer, take } of due) take(await answer);
  };
  return {
    ask: (answer, take) => {
      since.push({ answer, take });
      // One that is broken is heard when it is taken: until then nobody waits for it, which would end the process.
      if (typeof answer !== 'boolean') answer.catch(() => undefined);
    },
    settle,
    conclude: async () => {
      await settle();
      await settle();
    },
  };
};
