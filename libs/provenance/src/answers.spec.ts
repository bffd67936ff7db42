import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { answersInTurn } from './answers.ts';

/** An answer that comes when it is told to. */
const later = () => {
  let answer: (holds: boolean) => void = () => undefined;
  const promise = new Promise<boolean>((resolve) => {
    answer = resolve;
  });
  return { promise, answer };
};

it('takes each answer once, for what it was asked for, in the order of the questions', async () => {
  const answers = answersInTurn();
  const taken: string[] = [];
  const [slow, quick] = [later(), later()];
  answers.ask(slow.promise, (holds) => taken.push(`slow ${holds}`));
  answers.ask(quick.promise, (holds) => taken.push(`quick ${holds}`));
  answers.ask(true, (holds) => taken.push(`at once ${holds}`));
  quick.answer(false);
  await answers.settle();
  expect(taken).toEqual([]);
  const settled = answers.settle();
  answers.ask(false, (holds) => taken.push(`meanwhile ${holds}`));
  slow.answer(true);
  await settled;
  expect(taken).toEqual(['slow true', 'quick false', 'at once true']);
  await answers.conclude();
  await answers.conclude();
  expect(taken.slice(3)).toEqual(['meanwhile false']);
});

it('has a promise that is broken heard where it is taken, and nowhere else', async () => {
  const answers = answersInTurn();
  answers.ask(Promise.reject(new Error('no answer')), () => undefined);
  // A rejection that nobody heard would end the process by now.
  await turn();
  await expect(answers.conclude()).rejects.toThrow('no answer');
});
