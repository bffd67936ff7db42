import { storableText } from '#libs/database';
import type { PrivateText, RecordedEvent } from '#libs/kernel';
import { append, type Change } from '../change.ts';
import { factsOf, type Facts } from './facts.ts';
import type { Links } from './table.ts';

/** Every event of a known type, with the names that it makes and uses. */
export const projectTrail = (event: RecordedEvent): readonly Change[] => {
  const facts = factsOf(event);
  if (facts === null) return [];
  const { position, id, stream, revision, type, hash } = event;
  const { time, actor, correlationId, causationId } = event.metadata;
  const links: Links = { makes: unique(facts.makes), uses: unique(facts.uses) };
  return [
    append('trail', {
      position,
      eventId: id,
      stream,
      revision,
      place: `${stream}@${revision}`,
      type,
      at: time,
      actorRole: actor.role,
      actorId: actor.id,
      correlationId,
      causationId,
      hash,
      studyId: facts.studyId ?? null,
      runId: facts.runId ?? null,
      findingId: facts.findingId ?? null,
      what: facts.what,
      change: facts.change?.[0] ?? null,
      access: facts.access?.[0] ?? null,
      incident: facts.incident?.[0] ?? null,
      detail: detailOf(facts),
      links: JSON.stringify(links),
      linked: links.uses.length > 0 ? 1 : 0,
    }),
    ...links.makes.map((name) => append('trailLinks', { name, role: 'makes', position })),
    ...links.uses.map((name) => append('trailLinks', { name, role: 'uses', position })),
  ];
};

/** In the form in which the names are stored. */
const unique = (names: readonly string[] = []): readonly string[] => [
  ...new Set(names.map(storableText)),
];

/** What a row's detail holds, by list. */
export interface Detail {
  readonly change?: NonNullable<Facts['change']>[1];
  readonly access?: NonNullable<Facts['access']>[1];
  readonly incident?: NonNullable<Facts['incident']>[1];
  readonly readings?: unknown;
  readonly said?: unknown;
  readonly note?: PrivateText;
}

const detailOf = ({ change, access, incident, readings, said, note }: Facts): string | null => {
  const detail: Detail = {
    ...(change !== undefined && { change: change[1] }),
    ...(access !== undefined && { access: access[1] }),
    ...(incident !== undefined && { incident: incident[1] }),
    ...(readings !== undefined && { readings }),
    ...(said !== undefined && { said }),
    ...(note !== undefined && { note }),
  };
  return Object.keys(detail).length === 0 ? null : JSON.stringify(detail);
};
