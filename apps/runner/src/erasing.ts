import { localTokens } from '#libs/access';
import { LOCAL_ISSUER } from '#libs/erasable';
import type { TextErased } from '#libs/erasures';
import { ok, refused, sealedTextsIn, type Refusal, type Result } from '#libs/kernel';
import type { Ledger } from './ledger.ts';
import { ERASURES } from './streams.ts';

/** The sealed text of an event, by its place: what `EraseText` says. */
export const textAt = async (
  { log }: Pick<Ledger, 'log'>,
  stream: string,
  revision: number,
): Promise<Result<TextErased['data'], Refusal<'text-unknown'>>> => {
  const unknown = (message: string) => refused({ code: 'text-unknown' as const, message });
  for await (const { type, data } of log.readStream(stream, { from: revision, limit: 1 })) {
    const [text] = sealedTextsIn(data);
    return text === undefined
      ? unknown(
          `found ${type} at ${stream}@${revision}, which holds no sealed text; what older versions wrote in clear can't be erased, since the hash chain stands on it`,
        )
      : ok({ stream, revision, keyId: text.keyId });
  }
  return unknown(
    `found no event ${stream}@${revision}, expected one; a run's events are in run-<run>, a finding's in finding-<finding>`,
  );
};

/** That somebody is behind an id, or was until he was erased. */
export const assertPerson = async (
  { erasables, erasures }: Pick<Ledger, 'erasables' | 'erasures'>,
  personId: string,
): Promise<Result<null, Refusal<'person-unknown'>>> => {
  const isKnown =
    (await erasables.person(personId)) !== null ||
    (await erasures.load(ERASURES)).state.people.has(personId);
  return isKnown
    ? ok(null)
    : refused({
        code: 'person-unknown',
        message: `found nobody behind ${personId}; list the people with: holdfast people list`,
      });
};

/**
 * Carries out every erasure that the log records: the one that was just recorded, one that was stopped half-way, and all
 * of them again where a backup brought back what was gone. Done twice it changes nothing.
 *
 * @returns how many texts and people are erased for good
 */
export const applyErasures = async ({
  erasables,
  erasures,
  folder,
  clock,
}: Pick<Ledger, 'erasables' | 'erasures' | 'folder' | 'clock'>): Promise<
  Result<{ readonly texts: number; readonly people: number }, Refusal>
> => {
  const { texts, people } = (await erasures.load(ERASURES)).state;
  for (const personId of people) {
    const person = await erasables.person(personId);
    // Before who it was is gone: nobody would know which tokens were his.
    if (person?.issuer !== LOCAL_ISSUER) continue;
    const forgotten = await localTokens(folder, clock).forget(person.subject);
    if (!forgotten.ok) return forgotten;
  }
  await erasables.eraseTexts([...texts]);
  await erasables.erasePeople([...people]);
  return ok({ texts: texts.size, people: people.size });
};
