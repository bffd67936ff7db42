import type { EventLog } from '#libs/event-log';
import { follow, openTestHome } from './follow.ts';
import { scriptedAgent, SHORT_RUN } from './scripted-agent.ts';

/**
 * The process that fault tests kill: follows the short run of a study to its end, or kills itself at an append.
 * From the built code: `node driver.ts <home> <study> [before|after <n>]`. Its exit code is that of `holdfast run`.
 */
const [home = '', study = '', when, nth] = process.argv.slice(2);

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

const opened = await openTestHome({
  folder: home,
  throughLog: (log) => (nth === undefined ? log : dyingAt(log, Number(nth))),
});
const followed = await follow(opened, study, scriptedAgent(SHORT_RUN));
await opened.close();
if (!followed.ok) {
  process.stderr.write(`${followed.error.code}: ${followed.error.message}\n`);
  process.exitCode = 3;
}
