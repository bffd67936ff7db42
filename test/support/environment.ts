import type { EnvironmentRecord } from '#libs/run';

/** What a replay of a fixture ran on. The golden log of replays holds it: it stays as it is. */
export const REPLAYED_ON = {
  holdfast: '0.3.0',
  runtime: { name: 'node', version: 'v24.21.0', sha256: 'ab'.repeat(32) },
  platform: 'linux',
  architecture: 'x64',
} as const satisfies EnvironmentRecord;
