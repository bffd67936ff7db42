import type { Role } from '#libs/kernel';

/** Somebody whose token was found good. */
export interface Principal {
  readonly role: Role;
  /** Opaque: no name, no address. It stands in the log as the actor's id. */
  readonly subject: string;
  /** Studies belong to a project; others' are not shown. */
  readonly projects: readonly string[] | 'all';
  readonly via: 'oidc' | 'local';
  /** The one run that an agent's token is for; null: every run that was assigned to its subject. */
  readonly run: string | null;
}

/**
 * Somebody whose token was found good, as whoever issued it names him: `subject` may be a name or an address here. In
 * the log an opaque id of the ledger's own stands for people; an agent is a program, and its subject stands as it is.
 */
export interface TokenHolder extends Principal {
  /** The identity provider as its tokens name it; `local`: this machine. */
  readonly issuer: string;
}

export const seesProject = ({ projects }: Pick<Principal, 'projects'>, project: string): boolean =>
  projects === 'all' || projects.includes(project);

/** An opaque id as the log takes it: never a sentence, never a path. */
export const OPAQUE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
