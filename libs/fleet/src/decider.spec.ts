import { describe, expect, it } from 'vitest';
import { fold, type PrivateText } from '#libs/kernel';
import { SEALED } from '../../kernel/src/testing/sealed-text.ts';
import { specification } from '../../kernel/src/testing/specification.ts';
import { fleetDecider, trustedKey, type AdmitWorker, type DismissWorker } from './decider.ts';
import type { FleetEvent } from './events.ts';
import { FLEET_UPCASTERS } from './upcasters.ts';

const given = specification(fleetDecider, (found, expected) => {
  expect(found).toEqual(expected);
});

const KEY = { keyId: '0123456789abcdef', publicKey: 'key of gpu-1' };
const admit = (more: Partial<AdmitWorker['data']> = {}): AdmitWorker => ({
  type: 'AdmitWorker',
  id: 'c',
  data: { ...KEY, label: 'gpu-1', ...more },
});
const dismiss = (reason: PrivateText = SEALED, keyId = KEY.keyId): DismissWorker => ({
  type: 'DismissWorker',
  id: 'c',
  data: { keyId, reason },
});
const admitted: FleetEvent = { type: 'WorkerAdmitted', data: { ...KEY, label: 'gpu-1' } };
const dismissed: FleetEvent = {
  type: 'WorkerDismissed',
  data: { keyId: KEY.keyId, reason: SEALED },
};

describe('AdmitWorker', () => {
  it('admits a worker once', () => {
    given([]).when(admit()).then([admitted]);
    given([admitted]).when(admit()).then([]);
  });

  it('admits it anew after a dismissal, under another label if need be', () => {
    given([admitted, dismissed]).when(admit()).then([admitted]);
    given([admitted, dismissed])
      .when(admit({ label: 'gpu-2' }))
      .then([{ type: 'WorkerAdmitted', data: { ...KEY, label: 'gpu-2' } }]);
  });

  it('refuses another key under a known id, dismissed or not', () => {
    given([admitted])
      .when(admit({ publicKey: 'another' }))
      .thenRefused('other-key', 'key of gpu-1');
    given([admitted, dismissed])
      .when(admit({ publicKey: 'another' }))
      .thenRefused('other-key', 'another');
  });

  it('refuses another label for one that is admitted', () => {
    given([admitted])
      .when(admit({ label: 'gpu-2' }))
      .thenRefused('other-label', 'gpu-1');
  });

  it.each(['', 'two words', '-x', 'a\nb', 'x'.repeat(101)])('refuses the label %j', (label) => {
    given([]).when(admit({ label })).thenRefused('bad-label');
  });
});

describe('DismissWorker', () => {
  it('dismisses a worker once', () => {
    given([admitted]).when(dismiss()).then([dismissed]);
    given([admitted, dismissed]).when(dismiss()).then([]);
  });

  it('refuses an unknown one, and one without a reason', () => {
    given([admitted])
      .when(dismiss(SEALED, 'f'.repeat(16)))
      .thenRefused('unknown-worker', 'ffff');
    given([admitted])
      .when(dismiss({ kind: 'plain', text: ' ' }))
      .thenRefused('no-reason');
  });
});

it('trusts the key of an admitted worker, and of no other', () => {
  const trusted = (...events: FleetEvent[]) => trustedKey(fold(fleetDecider, events), KEY.keyId);
  expect(trusted()).toBeNull();
  expect(trusted(admitted)).toBe(KEY.publicKey);
  expect(trusted(admitted, dismissed)).toBeNull();
  expect(trusted(admitted, dismissed, admitted)).toBe(KEY.publicKey);
});

it('reads the reason of a dismissal of version 1 in clear', () => {
  const [upcast] = FLEET_UPCASTERS.WorkerDismissed;
  expect(upcast({ keyId: KEY.keyId, reason: 'sold' })).toEqual({
    keyId: KEY.keyId,
    reason: { kind: 'plain', text: 'sold' },
  });
});
