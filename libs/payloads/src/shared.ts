import { Matches } from 'class-validator';
import type { ChartReading, KeepRuling } from '#libs/divergence';
import { Nullable } from '#libs/event-log';
import { FILE_DOMAINS } from '#libs/harness';
import type { Breach, ChargeType, ChartPolicy, Estimate, GateCheck } from '#libs/harness';
import { isSealedText, type ArtefactRef, type Fact, type Signature } from '#libs/kernel';
import {
  Count,
  every,
  Finite,
  Flag,
  Fulfils,
  OneOf,
  Oid,
  Ordinal,
  Path,
  Sha256,
  Text,
  Words,
} from './checks.ts';

/** What a payload class implements: the data of its event. */
export type DataOf<E extends Fact> = E['data'];

export const CHARTS = every<ChartPolicy['kind']>({
  gain: true,
  gap: true,
  value: true,
  stability: true,
});
export const CHARGES: readonly ChargeType[] = ['hypothesis', ...FILE_DOMAINS, 'metric'];
export const VERDICTS = ['PASS', 'BLOCK'] as const;
export const SIDES = ['positive', 'negative'] as const;
export const DECIDES = ['interval', 'estimate'] as const;

/** First 16 hex digits of a public key's SHA-256. */
export const KeyId = () => Matches(/^[0-9a-f]{16}$/);

/** 32 bytes in base64. */
export const PublicKey = () => Matches(/^[A-Za-z0-9+/]{43}=$/);

/** What a human wrote: sealed, or, in an event of an older version, in clear. */
export const HumanText = () =>
  Fulfils(
    'humanText',
    (value) => isSealedText(value) || isPlainText(value),
    'a sealed text, or one in clear',
  );

const isPlainText = (value: unknown): boolean => {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, text, ...more } = value as { readonly kind?: unknown; readonly text?: unknown };
  return (
    kind === 'plain' &&
    typeof text === 'string' &&
    text.length <= 4000 &&
    Object.keys(more).length === 0
  );
};

export class ArtefactRefPayload implements ArtefactRef {
  @Path() path!: string;
  @Oid() oid!: string;
  @Sha256() sha256!: string;
  @Count() bytes!: number;
}

export class SignaturePayload implements Signature {
  @KeyId() keyId!: string;
  /** 64 bytes in base64. */
  @Matches(/^[A-Za-z0-9+/]{86}==$/) value!: string;
}

export class GateCheckPayload implements GateCheck {
  @Text(200) rule!: string;
  @Flag() passed!: boolean;
  @Words() found!: string;
  @Words() expected!: string;
}

export class BreachPayload implements Breach {
  @Text(200) rule!: string;
  @Words() found!: string;
  @Words() expected!: string;
  @Nullable() @Path() file!: string | null;
  @Nullable() @Count() line!: number | null;
}

export class EstimatePayload implements Estimate {
  @Text(200) name!: string;
  @Finite() value!: number;
  @Finite(0) standardError!: number;
  @Count() n!: number;
}

export class ChartReadingPayload implements ChartReading {
  @OneOf(CHARTS) chart!: ChartReading['chart'];
  @Finite() x!: number;
  @Finite() upper!: number;
  @Finite() lower!: number;
  @Flag() fired!: boolean;
}

/** One a seed, so at least one. */
const Differences = () =>
  Fulfils(
    'differences',
    (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.length <= 1000 &&
      value.every((entry) => Number.isFinite(entry)),
    'a list of 1 to 1000 finite numbers',
  );

export class KeepRulingPayload implements KeepRuling {
  @Finite() improvement!: number;
  @Finite(0) standardError!: number;
  @Finite() z!: number;
  @Finite() threshold!: number;
  @Nullable() @Ordinal() trials!: number | null;
  @Nullable() @Finite(0) level!: number | null;
  @Nullable() @Differences() seeds!: readonly number[] | null;
  @Nullable() @Finite(0) rowError!: number | null;
  @Nullable() @Finite(0) seedError!: number | null;
}
