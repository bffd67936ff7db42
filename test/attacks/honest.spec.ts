import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Home } from '#apps/runner';
import { copyExamples, type ExamplesCopy } from '../support/examples.ts';
import { openTestHome } from '../support/follow.ts';
import { temporaryFolder } from '../support/prepared.ts';
import { makeBesiegedStudy } from './attack-study.ts';
import { HONEST, REFUSED_PER_HUNDRED, type HonestEdit } from './honest.ts';
import { takePost, type Judged, type Post } from './post.ts';

const PATIENCE = 300_000;

let examples: ExamplesCopy;
let root: string;
let homes: Home[];
let posts: Record<keyof typeof HONEST, Post>;
beforeAll(async () => {
  examples = await copyExamples();
  root = await temporaryFolder();
  const besieged = join(root, 'study');
  await makeBesiegedStudy(besieged);
  const studies = {
    pay: examples.study('pay'),
    lending: examples.study('lending'),
    besieged,
  };
  homes = [];
  const post = async (study: string): Promise<Post> => {
    const home = await openTestHome({ folder: join(root, `home-${homes.length}`) });
    homes.push(home);
    return takePost(home, study);
  };
  posts = {
    pay: await post(studies.pay),
    lending: await post(studies.lending),
    besieged: await post(studies.besieged),
  };
}, PATIENCE);
afterAll(async () => {
  for (const home of homes) await home.close();
  await examples.remove();
  await rm(root, { recursive: true, force: true });
}, PATIENCE);

const EDITS = Object.entries(HONEST).flatMap(([study, edits]) =>
  edits.map((edit) => ({ study: study as keyof typeof HONEST, edit })),
);

describe('honest mutations', () => {
  const judged: {
    readonly edit: HonestEdit;
    readonly judged: Judged;
    readonly study: keyof typeof HONEST;
  }[] = [];

  it('are more than a hundred, each of its own', () => {
    expect(EDITS.length).toBeGreaterThan(110);
    expect(new Set(EDITS.map(({ edit }) => edit.id)).size).toBe(EDITS.length);
  });

  it(
    'pass the gate; at most two in a hundred are refused',
    async () => {
      for (const { study, edit } of EDITS) {
        const post = posts[study];
        judged.push({ study, edit, judged: await post.judge(edit.edits(post.base)) });
      }
      const refused = judged.filter((one) => one.judged.verdict !== 'passes');
      for (const one of refused)
        process.stdout.write(`refused though honest | ${one.edit.id} | ${one.judged.why}\n`);
      process.stdout.write(`${refused.length} of ${judged.length} honest mutations refused\n`);
      expect((refused.length / judged.length) * 100).toBeLessThanOrEqual(REFUSED_PER_HUNDRED);
    },
    PATIENCE,
  );

  it(
    'train, a good sample of them, to predictions that can be scored',
    async () => {
      const sample = judged.filter(({ study }, place) =>
        study === 'besieged' ? place % 3 === 0 : place % 10 === 0,
      );
      expect(sample.length).toBeGreaterThan(25);
      for (const { study, edit, judged: one } of sample) {
        const trained = await posts[study].train(one.tree ?? '');
        expect(
          ['as-honest', 'as-predicted'],
          `${edit.id}: ${trained.out.slice(0, 1500)}`,
        ).toContain(trained.end);
        expect(trained.observation?.metric.value, edit.id).toBeLessThan(1);
      }
    },
    PATIENCE,
  );
});
