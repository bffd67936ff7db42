/**
 * What is asked of a server, and of its double, to compare the answers. Streams and event ids are named here by short
 * names of their own; each performance gives them fresh ones on the server.
 */
export type Step =
  | {
      readonly ask: 'batch-append' | 'append';
      readonly stream: string;
      readonly expected: number | 'no-stream' | 'any' | 'stream-exists';
      /** Names; content is the name unless it is given, or so many bytes. */
      readonly events: readonly (
        string | { readonly id: string; readonly content: string | number }
      )[];
    }
  | { readonly ask: 'settings'; readonly stream: string; readonly json: string }
  | {
      readonly ask: 'delete' | 'tombstone';
      readonly stream: string;
      readonly expected: number | 'no-stream' | 'any';
    }
  | {
      readonly ask: 'read';
      readonly stream: string;
      readonly from: number | 'start' | 'end';
      readonly direction: 'forwards' | 'backwards';
      readonly count: number;
    }
  | {
      readonly ask: 'read-all' | 'subscribe';
      /** The name of an event, whose position it is; a number is added to it. */
      readonly from: 'start' | 'end' | { readonly event: string; readonly add?: number };
      readonly direction?: 'forwards' | 'backwards';
      readonly count?: number;
      /** Only streams of this performance; else all records. */
      readonly filter?: 'streams' | 'settings';
    };

export const SCRIPT: readonly Step[] = [
  { ask: 'read', stream: 'none', from: 'start', direction: 'forwards', count: 10 },
  { ask: 'read', stream: 'none', from: 'end', direction: 'backwards', count: 10 },

  { ask: 'batch-append', stream: 's', expected: 'no-stream', events: ['a', 'b', 'c'] },
  { ask: 'batch-append', stream: 's', expected: 'no-stream', events: ['a', 'b', 'c'] },
  {
    ask: 'batch-append',
    stream: 's',
    expected: 'no-stream',
    events: [{ id: 'a', content: 'other' }],
  },
  { ask: 'batch-append', stream: 's', expected: 'no-stream', events: ['a', 'x'] },
  { ask: 'batch-append', stream: 's', expected: 'no-stream', events: ['x'] },
  { ask: 'batch-append', stream: 's', expected: 0, events: ['x'] },
  { ask: 'batch-append', stream: 's', expected: 0, events: ['b', 'c'] },
  { ask: 'batch-append', stream: 's', expected: 7, events: ['x'] },
  { ask: 'batch-append', stream: 'new', expected: 3, events: ['x'] },
  { ask: 'batch-append', stream: 's', expected: 'stream-exists', events: ['d'] },
  { ask: 'batch-append', stream: 'new', expected: 'stream-exists', events: ['x'] },
  { ask: 'batch-append', stream: 't', expected: 'any', events: ['e'] },
  { ask: 'batch-append', stream: 't', expected: 0, events: ['a'] },
  { ask: 'append', stream: 's', expected: 3, events: ['f'] },
  { ask: 'append', stream: 's', expected: 3, events: ['f'] },
  { ask: 'append', stream: 's', expected: 1, events: ['y'] },
  { ask: 'append', stream: 'new', expected: 1, events: ['y'] },
  {
    ask: 'batch-append',
    stream: 'big',
    expected: 'no-stream',
    events: [{ id: 'big', content: 2 ** 20 + 1 }],
  },
  {
    ask: 'append',
    stream: 'big',
    expected: 'no-stream',
    events: [{ id: 'big', content: 2 ** 20 + 1 }],
  },
  {
    ask: 'batch-append',
    stream: 'big',
    expected: 'no-stream',
    events: [{ id: 'fits', content: 2 ** 20 }],
  },

  { ask: 'read', stream: 's', from: 'start', direction: 'forwards', count: 100 },
  { ask: 'read', stream: 's', from: 1, direction: 'forwards', count: 2 },
  { ask: 'read', stream: 's', from: 5, direction: 'forwards', count: 2 },
  { ask: 'read', stream: 's', from: 9, direction: 'forwards', count: 2 },
  { ask: 'read', stream: 's', from: 'end', direction: 'backwards', count: 2 },
  { ask: 'read', stream: 's', from: 1, direction: 'backwards', count: 100 },
  { ask: 'read', stream: 's', from: 99, direction: 'backwards', count: 1 },

  { ask: 'read-all', from: 'start', direction: 'forwards', count: 3, filter: 'streams' },
  { ask: 'read-all', from: { event: 'b' }, direction: 'forwards', count: 100, filter: 'streams' },
  { ask: 'read-all', from: { event: 'b' }, direction: 'backwards', count: 100, filter: 'streams' },
  { ask: 'read-all', from: 'end', direction: 'backwards', count: 1, filter: 'streams' },
  { ask: 'read-all', from: { event: 'b', add: 1 }, direction: 'forwards', count: 1 },
  { ask: 'read-all', from: { event: 'b' }, direction: 'forwards', count: 1 },
  { ask: 'subscribe', from: { event: 'b' }, filter: 'streams' },
  { ask: 'subscribe', from: { event: 'f' }, filter: 'streams' },
  { ask: 'subscribe', from: { event: 'b', add: 1 }, filter: 'streams' },

  { ask: 'settings', stream: 's', json: '{"$maxCount":2}' },
  { ask: 'read', stream: 's', from: 'start', direction: 'forwards', count: 100 },
  { ask: 'read', stream: 's', from: 1, direction: 'forwards', count: 1 },
  { ask: 'read', stream: 's', from: 'end', direction: 'backwards', count: 100 },
  { ask: 'read', stream: 's', from: 1, direction: 'backwards', count: 100 },
  { ask: 'settings', stream: 's', json: '{"$tb":4}' },
  { ask: 'read', stream: 's', from: 'start', direction: 'forwards', count: 100 },
  { ask: 'read-all', from: { event: 'a' }, direction: 'forwards', count: 3, filter: 'streams' },

  { ask: 'batch-append', stream: 'soft', expected: 'no-stream', events: ['g', 'h'] },
  { ask: 'read', stream: 'soft', from: 'start', direction: 'forwards', count: 100 },
  { ask: 'delete', stream: 'soft', expected: 0 },
  { ask: 'delete', stream: 'soft', expected: 'any' },
  { ask: 'read', stream: 'soft', from: 'start', direction: 'forwards', count: 100 },
  { ask: 'read', stream: 'soft', from: 'end', direction: 'backwards', count: 100 },
  { ask: 'read-all', from: { event: 'g' }, direction: 'forwards', count: 2, filter: 'streams' },
  { ask: 'batch-append', stream: 'soft', expected: 0, events: ['i'] },
  { ask: 'batch-append', stream: 'soft', expected: 'no-stream', events: ['i', 'j'] },
  { ask: 'read', stream: 'soft', from: 'start', direction: 'forwards', count: 100 },
  { ask: 'read-all', from: 'end', direction: 'backwards', count: 3, filter: 'settings' },
  { ask: 'delete', stream: 'none', expected: 'any' },

  { ask: 'batch-append', stream: 'gone', expected: 'no-stream', events: ['k', 'l'] },
  { ask: 'read', stream: 'gone', from: 'start', direction: 'forwards', count: 100 },
  { ask: 'tombstone', stream: 'gone', expected: 0 },
  { ask: 'tombstone', stream: 'gone', expected: 'any' },
  { ask: 'read', stream: 'gone', from: 'start', direction: 'forwards', count: 100 },
  { ask: 'read', stream: 'gone', from: 'end', direction: 'backwards', count: 1 },
  { ask: 'batch-append', stream: 'gone', expected: 1, events: ['m'] },
  { ask: 'append', stream: 'gone', expected: 1, events: ['m'] },
  { ask: 'delete', stream: 'gone', expected: 'any' },
  { ask: 'tombstone', stream: 'gone', expected: 'any' },
  { ask: 'read-all', from: { event: 'k' }, direction: 'forwards', count: 3, filter: 'streams' },
  { ask: 'subscribe', from: { event: 'k' }, filter: 'streams' },
];
