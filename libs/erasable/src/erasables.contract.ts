import { expect, it } from 'vitest';
import { isSealedText, type SealedText } from '#libs/kernel';
import { shownText, type Erasables } from './index.ts';

const PLACE = { stream: 'run-pay-1', type: 'RunHalted' };
const TEXT = 'Ada Lovelace found the data replaced — 数据';

/** What every adapter promises; `open` opens the same store each time it is called. */
export const describeErasables = (
  make: () => Promise<{ open: () => Promise<Erasables> }>,
): void => {
  const using = async (
    work: (erasables: Erasables, open: () => Promise<Erasables>) => Promise<void>,
  ): Promise<void> => {
    const { open } = await make();
    const erasables = await open();
    try {
      await work(erasables, open);
    } finally {
      await erasables.close();
    }
  };

  it('seals a text that is read back, in another process too', () =>
    using(async (erasables, open) => {
      const sealed = await erasables.seal(TEXT, PLACE);
      expect(isSealedText(sealed)).toBe(true);
      expect(JSON.stringify(sealed)).not.toMatch(/Ada|replaced/);
      const other = await open();
      expect(await other.read(sealed, PLACE)).toEqual({ kind: 'text', text: TEXT });
      await other.close();
    }));

  it('gives each text a key of its own: the same text twice is sealed as two', () =>
    using(async (erasables) => {
      const [one, other] = [await erasables.seal(TEXT, PLACE), await erasables.seal(TEXT, PLACE)];
      expect(new Set([one.keyId, other.keyId]).size).toBe(2);
      expect(one.ciphertext).not.toBe(other.ciphertext);
      await erasables.eraseTexts([one.keyId]);
      expect(await erasables.read(one, PLACE)).toEqual({ kind: 'erased' });
      expect(await erasables.read(other, PLACE)).toEqual({ kind: 'text', text: TEXT });
    }));

  it('reads a text in its own place alone, and shows one that was altered as that', () =>
    using(async (erasables) => {
      const sealed = await erasables.seal(TEXT, PLACE);
      const bytes = Buffer.from(sealed.ciphertext, 'base64');
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      const altered: SealedText = { ...sealed, ciphertext: bytes.toString('base64') };
      for (const [text, place] of [
        [sealed, { ...PLACE, stream: 'run-pay-2' }],
        [sealed, { ...PLACE, type: 'LoopEnded' }],
        [altered, PLACE],
      ] as const)
        expect(await erasables.read(text, place)).toEqual({ kind: 'altered' });
      expect(await shownText(erasables, altered, PLACE)).toMatch(/^\(altered/);
    }));

  it('reads what older versions wrote in clear', () =>
    using(async (erasables) => {
      expect(await erasables.read({ kind: 'plain', text: 'enough' }, PLACE)).toEqual({
        kind: 'text',
        text: 'enough',
      });
    }));

  it('erases twice as well as once, and what it never had', () =>
    using(async (erasables) => {
      const sealed = await erasables.seal(TEXT, PLACE);
      expect(await erasables.hasKey(sealed.keyId)).toBe(true);
      await erasables.eraseTexts([sealed.keyId, 'text-of-nobody']);
      await erasables.eraseTexts([sealed.keyId]);
      expect(await erasables.hasKey(sealed.keyId)).toBe(false);
      expect(await shownText(erasables, sealed, PLACE)).toBe('(erased)');
    }));

  it('gives each person one id, whoever asks at once; it says nothing of him', () =>
    using(async (erasables, open) => {
      const ada = { issuer: 'https://id.localhost', subject: 'ada@localhost' };
      const other = await open();
      const ids = await Promise.all(
        Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? erasables : other).personOf(ada)),
      );
      expect(new Set(ids).size).toBe(1);
      expect(ids[0]).toMatch(/^person-[0-9a-f]{32}$/);
      const namesake = await erasables.personOf({ ...ada, issuer: 'local' });
      expect(namesake).not.toBe(ids[0]);
      expect(await other.person(ids[0] ?? '')).toMatchObject({ ...ada, personId: ids[0] });
      expect((await other.people()).map(({ personId }) => personId).toSorted()).toEqual(
        [ids[0], namesake].toSorted(),
      );
      await other.close();
    }));

  it('forgets a person, who is somebody else when he comes again', () =>
    using(async (erasables) => {
      const ada = { issuer: 'local', subject: 'ada' };
      const id = await erasables.personOf(ada);
      await erasables.erasePeople([id]);
      await erasables.erasePeople([id]);
      expect(await erasables.person(id)).toBeNull();
      expect(await erasables.personOf(ada)).not.toBe(id);
    }));
};
