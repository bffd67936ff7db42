import { readlinkSync } from 'node:fs';
import { startTime } from './inspect.ts';

/** Pid namespace, pid and start time of a process, so that a reused pid is told apart; null when it is gone. */
const holderOf = (pid: number): string | null => {
  const start = startTime(pid);
  const namespace = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  return start === null ? null : `${namespace}-${pid}-${start}`;
};

/** What this process puts into the names of what it will remove: three numbers with hyphens between. */
export const thisHolder = (): string => {
  const holder = holderOf(process.pid);
  if (holder === null) throw new Error('/proc does not show this process: mount it');
  return holder;
};

const DAY_MS = 86_400_000;

/**
 * Whether whoever is named holds it still. A process of another container can't be judged by its pid: what is its
 * goes after a day.
 */
export const isHeld = (holder: string, sinceMs: number): boolean => {
  const [namespace, pid] = holder.split('-');
  return namespace === thisHolder().split('-')[0]
    ? holderOf(Number(pid)) === holder
    : Date.now() - sinceMs < DAY_MS;
};
