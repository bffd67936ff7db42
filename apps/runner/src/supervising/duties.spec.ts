import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '#libs/kernel';
import { dutyReader, type Notice } from './duties.ts';

const event = (stream: string, type: string, data: unknown = {}) =>
  ({ stream, type, data }) as unknown as RecordedEvent;

const read = (...events: readonly RecordedEvent[]): Notice | undefined => {
  const reader = dutyReader();
  return events.map(reader).at(-1);
};
const run = { kind: 'run', id: 'pay-1' };

describe('the duties that a log brings about', () => {
  it('a run that was asked for, until it is refused', () => {
    const requested = event('study-pay', 'RunRequested', { runId: 'pay-1' });
    expect(read(requested)).toEqual({ owed: run, settled: null });
    const refused = event('study-pay', 'RunRefused', { runId: 'pay-1' });
    expect(read(requested, refused)).toEqual({ owed: null, settled: run });
  });

  it('no run that a command line is about to open, but one that it opened', () => {
    expect(read(event('study-pay', 'RunCounted', { runId: 'pay-1' }))?.owed).toBeNull();
    expect(read(event('run-pay-1', 'RunOpened'))?.owed).toEqual(run);
  });

  it('a run until the head after its close or halt is signed', () => {
    const [opened, signed] = [event('run-pay-1', 'RunOpened'), event('run-pay-1', 'RunHeadSigned')];
    const ended = event('run-pay-1', 'LoopEnded');
    expect(read(opened, ended, signed)?.owed).toEqual(run);
    for (const type of ['RunClosed', 'RunHalted'])
      expect(read(opened, event('run-pay-1', type), signed)).toEqual({ owed: null, settled: run });
  });

  it('a verification until the next verdict, an accepted line when it moved', () => {
    const asked = event('finding-pay-1-f2', 'VerificationRequested');
    const verification = { kind: 'verification', id: 'pay-1-f2' };
    expect(read(asked)?.owed).toEqual(verification);
    expect(read(asked, event('finding-pay-1-f2', 'FindingVerified'))?.settled).toEqual(
      verification,
    );
    for (const type of ['FindingAccepted', 'AcceptedLineReverted'])
      expect(read(event('finding-pay-1-f2', type))?.owed).toEqual({
        kind: 'accepted-line',
        id: 'pay',
      });
  });

  it('nothing from other streams', () => {
    expect(read(event('access-a1', 'LedgerRead'))).toEqual({ owed: null, settled: null });
  });
});
