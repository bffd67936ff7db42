import { describe, expect, it } from 'vitest';
import { messageOf, redisConnection, redisKeys, sparing } from './connection.ts';

describe('a Redis URL', () => {
  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379 }],
    ['redis://10.0.0.7:7000/3', { host: '10.0.0.7', port: 7000, db: 3 }],
    [
      'rediss://worker:p%40ss%2F@redis.internal:6380',
      { host: 'redis.internal', port: 6380, username: 'worker', password: 'p@ss/', tls: {} },
    ],
    ['redis://:only@[::1]', { host: '::1', port: 6379, password: 'only' }],
  ])('%s is read', (url, value) => {
    expect(redisConnection(url)).toEqual({ ok: true, value });
  });

  it.each([
    ['nonsense', 'a form that is no URL'],
    ['http://worker:secret@host', 'the protocol http:'],
    ['redis://', 'no host'],
    ['redis://worker:secret@host/x', 'a path'],
    ['redis://worker:secret@host?tls=1', 'parameters'],
    ['redis://worker:%E0%A4%A@host', 'percent-encoded'],
  ])('%s is refused, and nothing of it repeated', (url, says) => {
    const refusal = redisConnection(url);
    expect(refusal).toMatchObject({ ok: false, error: { code: 'redis-url-invalid' } });
    const said = refusal.ok ? '' : refusal.error.message;
    expect(said).toContain(says);
    expect(said).not.toContain('secret');
  });
});

it('takes no prefix that could meet other keys', () => {
  expect(redisKeys('{holdfast}').fleet).toBe('{holdfast}:fleet');
  for (const prefix of ['', 'a:b', 'a b', '*', 'x'.repeat(51)])
    expect(() => redisKeys(prefix)).toThrow('prefix');
});

it('says the words of an error and nothing else of it', () => {
  const error = Object.assign(new Error('WRONGPASS'), { command: { args: ['secret'] } });
  expect(messageOf(error)).toBe('WRONGPASS');
  expect(messageOf(Object.assign(new Error(''), { code: 'ECONNRESET' }))).toBe('ECONNRESET');
  expect(messageOf(new Error('x'.repeat(5000)))).toHaveLength(1000);
});

it('says the same thing once a while', () => {
  const said: string[] = [];
  const notice = sparing((text) => said.push(text));
  for (const text of ['a', 'a', 'b', 'a']) notice(text);
  expect(said).toEqual(['a', 'b', 'a']);
});
