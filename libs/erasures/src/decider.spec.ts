import { describe, expect, it } from 'vitest';
import { fold } from '#libs/kernel';
import { growsOnlyPersistently, keepsOlderStates } from '../../kernel/src/testing/growth.ts';
import { specification } from '../../kernel/src/testing/specification.ts';
import { erasureDecider, type ErasureEvent, type ErasePerson, type EraseText } from './index.ts';

const given = specification(erasureDecider, (found, expected) => {
  expect(found).toEqual(expected);
});

const place = { stream: 'run-pay-1', revision: 7, keyId: 'text-1' };
const eraseText: EraseText = { type: 'EraseText', id: 'c', data: place };
const erasePerson: ErasePerson = { type: 'ErasePerson', id: 'c', data: { personId: 'person-1' } };
const textErased: ErasureEvent = { type: 'TextErased', data: place };
const personErased: ErasureEvent = { type: 'PersonErased', data: { personId: 'person-1' } };

describe('an erasure', () => {
  it('is recorded before it is done', () => {
    given([]).when(eraseText).then([textErased]);
    given([textErased]).when(erasePerson).then([personErased]);
  });

  it('is recorded once', () => {
    given([textErased]).when(eraseText).then([]);
    given([personErased]).when(erasePerson).then([]);
  });

  it('leaves older states as they were, however many there are', () => {
    const many = Array.from({ length: 40 }, (_, at): ErasureEvent[] => [
      { type: 'TextErased', data: { ...place, keyId: `text-${at}` } },
      { type: 'PersonErased', data: { personId: `person-${at}` } },
    ]).flat();
    const same = (found: unknown, expected: unknown): void => {
      expect(found).toEqual(expected);
    };
    keepsOlderStates(erasureDecider, many, same);
    growsOnlyPersistently(erasureDecider, many.slice(0, 2), many, same);
  });

  it('is known for ever, so that a restored backup loses what was erased again', () => {
    const { texts, people } = fold(erasureDecider, [textErased, personErased]);
    expect([[...texts], [...people]]).toEqual([['text-1'], ['person-1']]);
  });
});
