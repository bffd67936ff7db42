import { startWorker, type WorkerOptions } from '../../apps/worker/src/index.ts';

/**
 * The process that fault tests kill: a worker of real programs. From the sources:
 * `node --conditions=source worker-process.ts <options as JSON>`. Says who it is in one line of JSON once it takes
 * trainings; SIGTERM lets it end in order.
 */
const options = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions;

const worker = await startWorker({
  ...options,
  onNotice: (notice) => {
    process.stderr.write(`${notice}\n`);
  },
});
if (!worker.ok) throw new Error(worker.error.message);
const { keyId, publicKey, runtime, ready, close } = worker.value;
process.stdin.resume().once('end', () => process.exit(1));
process.once('SIGTERM', () => {
  void close(10_000).then(() => process.exit(0));
});
await ready;
process.stdout.write(`${JSON.stringify({ keyId, publicKey, runtime })}\n`);
