import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSourceTree } from './open-source-tree.ts';
import { git, good, makeStudy, temporaryFolder } from './testing.ts';

/** Writes attempts and artefacts without end; says each that is done. */
const WRITER = `
  const [dir, commit, tree] = process.argv.slice(1);
  const { openSourceTree } = await import('#libs/source-tree');
  const trees = await openSourceTree({ dir });
  for (let number = 0; ; number++) {
    const attempt = await trees.writeAttempt({
      runId: 'r', number, base: { commit, tree },
      edits: [{ path: 'features/deep/new.txt', content: 'x'.repeat(50000) + number }],
      message: 'Try', trailers: {}, time: '2026-11-23T10:00:00Z',
    });
    const artefacts = await trees.writeArtefacts({
      ref: 'runs/r/trainings/' + number,
      files: { a: new TextEncoder().encode('a'.repeat(50000) + number), b: Uint8Array.of(number) },
    });
    process.stdout.write(JSON.stringify([number, attempt.value.commit, artefacts.value.tree]) + '\\n');
  }
`;

it('kill -9 at random points leaves a sound repository in which everything acknowledged is there', async () => {
  const home = temporaryFolder();
  const dir = join(home.path, 'objects.git');
  const trees = await openSourceTree({ dir });
  const { folder } = makeStudy(home.path);
  const pin = good(await trees.pinStudy({ folder, program: 'program' }));
  try {
    for (let round = 0; round < 4; round++) {
      const writer = spawn(
        process.execPath,
        ['--conditions=source', '--input-type=module', '-e', WRITER, dir, pin.pinCommit, pin.tree],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      let said = '';
      writer.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      await once(writer.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 60));
      writer.kill('SIGKILL');
      await once(writer, 'close');
      git(dir, 'fsck', '--full', '--strict');
      const done = said.split('\n').slice(0, -1);
      expect(done.length).toBeGreaterThan(0);
      for (const line of done) {
        const [number, commit, tree] = JSON.parse(line) as [number, string, string];
        expect(await trees.readRef(`runs/r/attempts/${number}`)).toBe(commit);
        expect(await trees.readRef(`runs/r/trainings/${number}`)).toBe(tree);
      }
    }
  } finally {
    home.remove();
  }
});
