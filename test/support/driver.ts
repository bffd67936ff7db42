import { brokenMessage, EXIT, exitCodeOf, isBroken } from '../../apps/cli/src/exit-codes.ts';
import { openHome } from '#apps/runner';
import type { EventLog } from '#libs/event-log';
import { systemClock, type Refusal } from '#libs/kernel';
import { follow, FROZEN } from './follow.ts';
import { scriptedAgent, SHORT_RUN } from './scripted-agent.ts';

/**
 * The process that fault tests kill: follows the short run of a study to its end, or kills itself at an append.
 * From the built code: `node driver.ts <home> <study> <frozen|own clock> [before|after <n>]`. Its exit code is that of `holdfast run`.
 */
const [home = '', study = '', clock, when, nth] = process.argv.slice(2);

const die = (): Promise<never> => {
  process.kill(process.pid, 'SIGKILL');
  return new Promise(() => undefined);
};

const dyingAt = (log: EventLog, nthAppend: number): EventLog => {
  let appends = 0;
  return {
    ...log,
    append: async (...request) => {
      appends += 1;
      const mine = appends === nthAppend;
      if (mine && when === 'before') await die();
      const appended = await log.append(...request);
      if (mine) await die();
      return appended;
    },
  };
};

const refuse = (refusal: Refusal): void => {
  process.stderr.write(`${refusal.code}: ${refusal.message}\n`);
  process.exitCode = exitCodeOf(refusal);
};

try {
  const opened = await openHome({
    folder: home,
    clock: clock === 'own' ? systemClock : FROZEN,
    throughLog: (log) => (nth === undefined ? log : dyingAt(log, Number(nth))),
  });
  if (opened.ok) {
    const followed = await follow(opened.value, study, scriptedAgent(SHORT_RUN));
    await opened.value.close();
    if (!followed.ok) refuse(followed.error);
  } else refuse(opened.error);
} catch (error) {
  if (!isBroken(error)) throw error;
  process.stderr.write(`${error.name}: ${brokenMessage(error)}\n`);
  process.exitCode = EXIT.unreachable;
}
