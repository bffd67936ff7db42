import { RestoreState } from '#apps/runner';
import { counted } from '#libs/kernel';
import { EXIT } from '../exit-codes.ts';
import { jsonLine, refuse } from '../output.ts';
import { withSession, type CommonOptions } from '../session.ts';
import { common, type Verb } from '../verb.ts';

export const restoreVerb: Verb = (program, done) => {
  common(program.command('restore <restore-point>'))
    .description(
      'rebuild state and tree as they were before a mutation, from log and repository alone',
    )
    .option('--into <folder>', 'write the tree there (empty or not there yet)')
    .action((restorePointId: string, { into, ...options }: CommonOptions & { into?: string }) =>
      done(
        withSession(options, async ({ queries, output }) => {
          const restored = await queries.execute(new RestoreState(restorePointId, into ?? null));
          if (!restored.ok) return refuse(output, restored.error);
          const { runId, restorePoint, state, folder, files } = restored.value;
          if (output.json) {
            jsonLine(output, { runId, restorePoint, folder, files, state });
            return EXIT.done;
          }
          const { line, style } = output;
          line(style.paint.bold(`restore point ${restorePointId} of run ${runId}`));
          line(`  tree      ${restorePoint.tree} (commit ${restorePoint.commit.slice(0, 12)})`);
          line(`  log-loss  ${restorePoint.metric}`);
          line(
            `  monitor   ${restorePoint.monitor.map(({ chart, upper, lower }) => `${chart} ${upper}/${lower}`).join(', ')}`,
          );
          line(`  budget    ${restorePoint.budgetRemaining} of ${state.budget.total} left then`);
          line(`  line      ${counted(state.line.size - 1, 'kept mutation')} stood`);
          line(
            folder === null
              ? '  rebuilt from the events and equal to the restore point; write its tree with --into FOLDER'
              : `  rebuilt from the events and equal to the restore point; ${counted(files ?? 0, 'file')} in ${folder}`,
          );
          return EXIT.done;
        }),
      ),
    );
};

export const rebuildVerb: Verb = (program, done) => {
  common(program.command('rebuild'))
    .description('make all views anew from the log')
    .action((options: CommonOptions) =>
      done(
        withSession(options, async ({ home, output }) => {
          const started = performance.now();
          const events = await home.views.rebuild(home.log);
          const seconds = (performance.now() - started) / 1000;
          if (output.json) jsonLine(output, { events, seconds });
          else
            output.line(
              `views made anew from ${counted(events, 'event')} in ${seconds.toFixed(2)} s`,
            );
          return EXIT.done;
        }),
      ),
    );
};
