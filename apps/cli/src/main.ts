#!/usr/bin/env node
/** The oldest Node that has what Holdfast needs: node:sqlite above all. */
const OLDEST = 24;

// Nothing else is imported before this is known: older versions fail on the imports themselves.
if (Number(process.versions.node.split('.')[0]) < OLDEST) {
  process.stderr.write(
    `holdfast: found Node ${process.versions.node}, expected ${OLDEST} or newer; npm ci brings it: call npx holdfast or npm run\n`,
  );
  process.exitCode = 3;
} else await import('./command-line.ts');
