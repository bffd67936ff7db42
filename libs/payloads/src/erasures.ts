import { Matches } from 'class-validator';
import type { PersonErased, TextErased } from '#libs/erasures';
import { Count, Id } from './checks.ts';
import type { DataOf } from './shared.ts';

export class TextErasedPayload implements DataOf<TextErased> {
  @Id() stream!: string;
  @Count() revision!: number;
  @Matches(/^text-[0-9a-f]{32}$/) keyId!: string;
}

export class PersonErasedPayload implements DataOf<PersonErased> {
  @Matches(/^person-[0-9a-f]{32}$/) personId!: string;
}
