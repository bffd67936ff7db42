import type { Fact } from '#libs/kernel';

/** An operator erased the key of what a human wrote: nobody can read it any more. What it said is not in here. */
export type TextErased = Fact<
  'TextErased',
  {
    /** The event that holds the sealed text, which stays as it is. */
    readonly stream: string;
    readonly revision: number;
    readonly keyId: string;
  }
>;

/** An operator erased who a person was: the events that name the id stay, and nobody can tell whose it was. */
export type PersonErased = Fact<'PersonErased', { readonly personId: string }>;

export type ErasureEvent = TextErased | PersonErased;
