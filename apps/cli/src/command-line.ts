import { CommanderError } from 'commander';
import { readConfig } from '#libs/config';
import { reasonOf } from '#libs/kernel';
import { brokenMessage, EXIT, isBroken } from './exit-codes.ts';
import { program } from './program.ts';

/** A reader that went away (`| head`) is no error. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.done);
  throw error;
});

const command = program(async (work) => {
  process.exitCode = await work;
});
command.exitOverride();
for (const verb of command.commands) verb.exitOverride();

try {
  await command.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has said it on the error output already.
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.badInput;
    if (error.exitCode !== 0 && process.argv.includes('--json'))
      process.stdout.write(
        `${JSON.stringify({ error: { code: 'usage', message: error.message } })}\n`,
      );
  } else if (isBroken(error)) {
    const message = brokenMessage(error);
    if (process.argv.includes('--json'))
      process.stdout.write(`${JSON.stringify({ error: { code: error.name, message } })}\n`);
    else process.stderr.write(`holdfast: ${message}\n`);
    process.exitCode = EXIT.unreachable;
  } else {
    // Whatever gets here is a bug or something broken that no verb expected: never exit code 1, which is a verdict.
    const message = reasonOf(error);
    if (process.argv.includes('--json'))
      process.stdout.write(`${JSON.stringify({ error: { code: 'unexpected', message } })}\n`);
    else process.stderr.write(`holdfast: unexpected: ${message}\n`);
    const { debug } = readConfig();
    process.stderr.write(
      debug && error instanceof Error
        ? `${error.stack ?? ''}\n`
        : 'holdfast: HOLDFAST_DEBUG=1 shows where\n',
    );
    process.exitCode = EXIT.unreachable;
  }
}
