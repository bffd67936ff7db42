import { describe, expect, it } from 'vitest';
import type { SandboxOutcome } from '#libs/sandbox';
import { classify, crashSite } from './index.ts';

const ended = (outcome: Partial<SandboxOutcome>): SandboxOutcome =>
  ({
    ended: 'exited',
    exitCode: 0,
    signal: null,
    durationMs: 100,
    files: [],
    refusedFiles: [],
    stdout: '',
    stderr: '',
    truncated: false,
    ...outcome,
  }) as SandboxOutcome;

const crash = (stderr: string) => classify(ended({ exitCode: 1, stderr }));

const NODE_CRASH = `file:///program/model.js:12
    throw new TypeError('secret \u001b[31mcell 7');
    ^

TypeError: secret cell 7
    at train (file:///program/model.js:12:11)
    at file:///program/train.js:3:1

Node.js v24.0.0
`;

describe("a program's end", () => {
  it('is a result where it exited with 0', () => {
    expect(classify(ended({}))).toEqual({ kind: 'ran' });
  });

  it.each([
    ['timed-out', { kind: 'timed-out' }],
    [
      'output-too-large',
      { kind: 'failed', failure: 'too-much-output', detail: 'wrote more than allowed' },
    ],
    [
      'log-too-large',
      { kind: 'failed', failure: 'too-much-output', detail: 'printed more than allowed' },
    ],
    [
      'memory-exceeded',
      { kind: 'failed', failure: 'memory-exceeded', detail: 'used more memory than allowed' },
    ],
  ] as const)('%s is told as such, even with an exit code of 0', (how, expected) => {
    expect(classify(ended({ ended: how }))).toEqual(expected);
  });

  it('by a signal is a crash', () => {
    expect(classify(ended({ ended: 'signalled', exitCode: null, signal: 'SIGSEGV' }))).toEqual({
      kind: 'failed',
      failure: 'crashed',
      detail: 'ended by signal SIGSEGV',
    });
  });

  it('without an exit code is a crash', () => {
    expect(classify(ended({ exitCode: null }))).toMatchObject({ failure: 'crashed' });
  });

  it('that the harness itself brought about is no result', () => {
    expect(() => classify(ended({ ended: 'aborted' }))).toThrow('no result');
  });

  it('in a crash is told by the line that names the error', () => {
    expect(crash(NODE_CRASH)).toEqual({
      kind: 'failed',
      failure: 'crashed',
      detail: 'exit code 1: TypeError: secret cell 7',
    });
  });

  it.each([
    ['the last words', 'loading\nout of paper\n\n', 'out of paper'],
    ['silence', '', 'no message'],
    ['plain text only', 'Error: \u001b[31mred\u202e\u0000', 'Error: [31mred'],
    ['at most 300 characters', `Error: ${'x'.repeat(1000)}`, `Error: ${'x'.repeat(293)}`],
    [
      'whole characters where they fit',
      `Error: x${'😀'.repeat(200)}`,
      `Error: x${'😀'.repeat(146)}`,
    ],
    [
      'well-formed text where a character was cut',
      `Error: ${'😀'.repeat(200)}`,
      `Error: ${'😀'.repeat(146)}\ufffd`,
    ],
  ])('is told in %s', (_, stderr, words) => {
    expect(crash(stderr)).toMatchObject({ detail: `exit code 1: ${words}` });
  });
});

describe('what an agent may know of a crash', () => {
  it('is the class of the error and the place in its own files', () => {
    expect(crashSite(NODE_CRASH)).toEqual({
      errorClass: 'TypeError',
      errorFile: 'model.js',
      errorLine: 12,
    });
  });

  it.each([
    ['Error: boom', 'Error'],
    ['Error [ERR_MODULE_NOT_FOUND]: no such module', 'Error'],
    ['Uncaught RangeError: too long', 'RangeError'],
    ['DOMException: no', 'DOMException'],
    ['  RangeError: indented, so not where Node names it', null],
    ['Errors were made', null],
    ['the cell said TypeError: yes', null],
    [`${'A'.repeat(60)}Error: a class that says too much`, null],
  ])('names the class in %s', (stderr, errorClass) => {
    expect(crashSite(stderr).errorClass).toBe(errorClass);
  });

  it('is nothing where nothing was said', () => {
    expect(crashSite('killed')).toEqual({ errorClass: null, errorFile: null, errorLine: null });
  });

  it('names no file but the program’s', () => {
    expect(crashSite('TypeError: x\n    at file:///usr/lib/node.js:4:1').errorFile).toBeNull();
    expect(crashSite('TypeError: x\n    at node:internal/main:4:1').errorFile).toBeNull();
  });

  it('tells nothing of a message', () => {
    expect(JSON.stringify(crashSite(NODE_CRASH))).not.toContain('secret');
  });
});
