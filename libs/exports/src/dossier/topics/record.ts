import { eventsOf } from '../../evidence.ts';
import { nameOfActor } from '../../names.ts';
import type { Chain } from '../chain.ts';
import { count, moment } from '../numbers.ts';
import { code, codes, gap, note, say, statement, table, type DraftBlock } from '../report.ts';

/** What was logged, in which streams, and what holds it together. */
export const streams = ({ streams: all }: Chain): readonly DraftBlock[] => [
  table(
    'The streams that this document was made from',
    ['Stream', '#Events read', 'First', 'Last', 'Hash of the last'],
    all.flatMap((events) => {
      const [first, last] = [events[0], events.at(-1)];
      return first === undefined || last === undefined
        ? []
        : [
            {
              cells: [
                say`${code(first.stream)}`,
                say`${count(events.length)}`,
                say`${moment(first.metadata.time)}`,
                say`${moment(last.metadata.time)}`,
                say`${code(last.hash)}`,
              ],
              basis: [first, last],
            },
          ];
    }),
  ),
  note(
    say`Every event was recorded by the harness when it happened and names the hash (SHA-256) of the event before it in its stream: no event can be altered, left out or put in without writing anew all that come after it. Of streams that are shared with other runs only what concerns this one was read.`,
  ),
];

/** Which keys attest what. */
export const signatures = ({ opened, evidence: { run } }: Chain): readonly DraftBlock[] => {
  const { runner, worker } = opened.data.keys;
  const enlisted = eventsOf(run, 'WorkerEnlisted');
  const heads = eventsOf(run, 'RunHeadSigned');
  return [
    statement(
      say`The run pins the keys that sign in it: ${code(runner.keyId)} for the runner, ${code(worker.keyId)} for the worker.${enlisted.length === 0 ? '' : say` Admitted later: ${codes(enlisted.map(({ data }) => data.keyId))}.`} The keys are the operator's.`,
      opened,
      ...enlisted,
    ),
    ...(heads.length === 0
      ? [gap('Signed end of the run', 'The log holds no signature over the head of the run.')]
      : [
          statement(
            say`The runner signed the head of the run: event ${heads.map(({ stream, data }) => `${stream}@${data.revision}`).join(' and event ')}.`,
            ...heads,
          ),
        ]),
  ];
};

/** Who acted, by role and opaque id. */
export const actors = ({ streams: all }: Chain): readonly DraftBlock[] => {
  const by = Map.groupBy(all.flat(), ({ metadata }) => nameOfActor(metadata.actor));
  return [
    table(
      'Who acted: roles and opaque ids, with the first and the last event of each',
      ['Role', 'Id', '#Events', 'Kinds of events'],
      [...by.values()].flatMap((events) => {
        const [first, last] = [events[0], events.at(-1)];
        return first === undefined || last === undefined
          ? []
          : [
              {
                cells: [
                  say`${first.metadata.actor.role}`,
                  say`${code(first.metadata.actor.id)}`,
                  say`${count(events.length)}`,
                  say`${[...new Set(events.map(({ type }) => type))].sort().join(', ')}`,
                ],
                basis: [first, last],
              },
            ];
      }),
    ),
    gap(
      'Names of the people who acted',
      'The log holds opaque ids only. The operator keeps the names apart from the log and has to give them.',
    ),
  ];
};

/** What people can do about the loop, and what they did. */
export const interventions = ({ opened, evidence: { run } }: Chain): readonly DraftBlock[] => {
  const halted = eventsOf(run, 'RunHalted').filter(({ data }) => data.by === 'human');
  const stopped = eventsOf(run, 'LoopEnded').filter(({ data }) => data.reason === 'stopped');
  const events = [...halted, ...stopped];
  return [
    note(
      say`While the loop runs, a person can stop it (what stands goes on to its findings) or halt it (it is over and yields no findings). A finding changes nothing by itself: the accepted line moves only when a person accepts a finding whose verdict is PASS.`,
    ),
    events.length === 0
      ? statement(
          say`The log holds no stop and no halt of this run by a person.`,
          opened,
          run.at(-1),
        )
      : statement(
          say`A person intervened in this run on ${events.map(({ metadata }) => moment(metadata.time)).join(' and ')}.`,
          ...events,
        ),
  ];
};
