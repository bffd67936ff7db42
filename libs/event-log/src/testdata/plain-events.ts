import { eventId, type NewEvent } from '#libs/kernel';
import { eventTypes } from '../event-types.ts';

export const eventLogTypes = eventTypes([
  { type: 'Noted', version: 1, payload: null, upcasters: [] },
]);

export const event = (name: string): NewEvent => ({
  id: eventId(name, 0),
  type: 'Noted',
  data: { name, filler: 'x'.repeat(700) },
  metadata: {
    correlationId: 'c',
    causationId: name,
    actor: { role: 'harness', id: 'h' },
    time: '2026-01-02T03:04:05.678Z',
    schemaVersion: 1,
  },
});
