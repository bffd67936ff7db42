import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readServiceConfig } from './service-config.ts';
import { VARIABLES } from './variables.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-config-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const message = (env: Record<string, string>): string => {
  const read = readServiceConfig(env);
  if (read.ok) throw new Error('the environment was taken');
  return read.error.message;
};

describe('the environment of a service', () => {
  it('is the embedded default where it says nothing', () => {
    const read = readServiceConfig({});
    expect(read).toMatchObject({
      ok: true,
      value: { eventStore: null, database: null, redis: null, host: '127.0.0.1', oidc: null },
    });
  });

  it('takes a secret from a file', () => {
    const file = join(folder, 'database');
    writeFileSync(file, 'postgres://holdfast:secret@127.0.0.1/holdfast\n');
    expect(readServiceConfig({ HOLDFAST_DATABASE_FILE: file })).toMatchObject({
      ok: true,
      value: { database: 'postgres://holdfast:secret@127.0.0.1/holdfast' },
    });
    expect(message({ HOLDFAST_DATABASE_FILE: join(folder, 'none') })).toContain('ENOENT');
    expect(message({ HOLDFAST_DATABASE_FILE: file, HOLDFAST_DATABASE: 'postgres://x' })).toContain(
      'one of them',
    );
  });

  it('lets plain HTTP leave this machine for a yes only', () => {
    const behind = (value: string) => readServiceConfig({ HOLDFAST_BEHIND_TLS_PROXY: value });
    for (const value of ['true', '1', 'TRUE'])
      expect(behind(value)).toMatchObject({ value: { behindTlsProxy: true } });
    for (const value of ['', 'false', '0'])
      expect(behind(value)).toMatchObject({ value: { behindTlsProxy: false } });
    expect(message({ HOLDFAST_BEHIND_TLS_PROXY: 'off' })).toContain('expected true or false');
  });

  it('takes witnesses and authorities by addresses that may be shown', () => {
    expect(
      readServiceConfig({
        HOLDFAST_WITNESSES: 'https://w.example/ w+key, https://x.example/a@b x+key',
        HOLDFAST_TIMESTAMP_AUTHORITIES: 'https://tsa.example /ca.pem',
      }),
    ).toMatchObject({
      value: {
        notary: {
          witnesses: [
            { url: 'https://w.example', verifierKey: 'w+key' },
            { url: 'https://x.example/a@b', verifierKey: 'x+key' },
          ],
          timestampAuthorities: [{ url: 'https://tsa.example', caFile: '/ca.pem' }],
        },
      },
    });
    for (const name of ['HOLDFAST_WITNESSES', 'HOLDFAST_TIMESTAMP_AUTHORITIES']) {
      const said = message({ [name]: 'https://user:hunter2@a.example /ca.pem' });
      expect(said).toContain('with a user or a password');
      expect(said).not.toContain('hunter2');
      expect(message({ [name]: 'ftp://a.example x' })).toContain('an http(s) address');
      for (const misspelled of [
        'HTTPS://user:hunter2@a.example x',
        'user:hunter2@a.example x',
        'https://user:up/hunter2@a.example x',
        'https://user:hunter2,more@a.example x',
      ])
        expect(message({ [name]: misspelled })).not.toContain('hunter2');
    }
  });

  it('names every problem at once and no secret', () => {
    const said = message({
      HOLDFAST_EVENT_STORE: 'http://admin:hunter2@127.0.0.1',
      HOLDFAST_REDIS: 'hunter3',
      HOLDFAST_PORT: '70000',
      HOLDFAST_EXECUTOR: 'docker',
      HOLDFAST_TRAINING_IMAGE: 'python:3',
      HOLDFAST_OIDC_ISSUER: 'https://issuer.example',
      HOLDFAST_STUDIES: 'here',
    });
    for (const name of [
      'EVENT_STORE',
      'REDIS',
      'PORT',
      'TRAINING_IMAGE',
      'OIDC_AUDIENCE',
      'STUDIES',
    ])
      expect(said).toContain(`HOLDFAST_${name}`);
    expect(said).not.toMatch(/hunter/);
  });

  it('opens the log to everybody for a yes only', () => {
    expect(readServiceConfig({})).toMatchObject({ value: { publicLog: false } });
    expect(readServiceConfig({ HOLDFAST_PUBLIC_LOG: 'true' })).toMatchObject({
      value: { publicLog: true },
    });
    expect(message({ HOLDFAST_PUBLIC_LOG: 'yes' })).toContain('expected true or false');
  });
});

it('reads the variables that the reference names, and no others', () => {
  const read = new Set<string>();
  for (const file of ['config.ts', 'service-config.ts']) {
    const source = readFileSync(new URL(file, import.meta.url), 'utf8');
    // Names in strings and after `env.`; a message that names two of them names both whole.
    for (const [, name] of source.matchAll(/(?:'|env\.|and )((?:HOLDFAST|OTEL|NO)_[A-Z_]+)/g))
      if (name !== undefined) read.add(name);
  }
  expect([...read].sort()).toEqual(VARIABLES.map(({ name }) => name).sort());
});
