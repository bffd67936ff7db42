import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { verifyFinding, type ReadObject } from '#libs/provenance';
import { verify } from '#libs/signatures';
import { storedEvents } from '../../libs/payloads/src/testing/golden.ts';

/** Runs that really ran, each by the Holdfast of its time. */
const RUNS = ['v1-pay', 'v2-pay'];

const objectsOf = (name: string): ReadObject => {
  const text = readFileSync(new URL(`./${name}.objects.json`, import.meta.url), 'utf8');
  const objects = new Map(
    (JSON.parse(text) as [string, string, string][]).map(([oid, type, deflated]) => [
      oid,
      { type, content: inflateRawSync(Buffer.from(deflated, 'base64')) },
    ]),
  );
  return (oid) => {
    const object = objects.get(oid);
    return Promise.resolve(
      object === undefined ? { state: 'absent' } : { state: 'present', ...object },
    );
  };
};

describe.each(RUNS)('the findings of %s', (name) => {
  const events = storedEvents(`${name}.jsonl`);
  const stream = (of: string) => events.filter((event) => event.stream === of);
  const studies = [...new Set(events.map((event) => event.stream))].filter((of) =>
    of.startsWith('study-'),
  );
  const findings = [...new Set(events.map((event) => event.stream))].filter((of) =>
    of.startsWith('finding-'),
  );

  it('are there', () => {
    expect(findings.length).toBeGreaterThan(0);
  });

  it.each(findings)(
    "%s is judged by the rules of its run's version, and passes",
    async (finding) => {
      const { rows, verdict } = await verifyFinding({
        events: stream(finding.replace('finding-', 'run-').replace(/-f\d+$/, '')),
        findingEvents: stream(finding),
        studyEvents: stream(studies[0] ?? ''),
        dataEvents: (digest) => stream(`data-${digest}`),
        readObject: objectsOf(name),
        sha256: (bytes) => hash('sha256', bytes, 'hex'),
        sha1: (bytes) => hash('sha1', bytes, 'hex'),
        verifySignature: verify,
      });
      expect(rows.filter(({ passed }) => !passed)).toEqual([]);
      expect(verdict).toBe('PASS');
    },
  );
});
