import type { Device, TrainingRuntime } from '#libs/jobs';
import type { Sandbox } from '#libs/sandbox';

/** What a contained program sees of the host's environment, and nothing else: as the sandbox gives it by default. */
const ENVIRONMENT = { HOME: '/tmp', PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', TZ: 'UTC' } as const;

/** What stands in a result besides what isolation ran: which interpreter, which device. */
const marksOf = (runtime: TrainingRuntime, device: Device | null) => ({
  runtime_name: runtime.name,
  runtime_version: runtime.version,
  runtime_sha256: runtime.sha256,
  ...(device !== null && {
    device_uuid: device.uuid,
    device_name: device.name,
    device_memory_mb: device.memoryMb,
    device_driver: device.driver,
  }),
});

/** The sandbox for one training: it sees its device alone, ends by the signal, and its report says what it ran on. */
export const onDevice = (
  sandbox: Sandbox,
  runtime: TrainingRuntime,
  device: Device | null,
  signal: AbortSignal,
): Sandbox => ({
  report: sandbox.report,
  run: async (job) => {
    const outcome = await sandbox.run({
      ...job,
      signal,
      ...(device !== null && {
        environment: { ...ENVIRONMENT, CUDA_VISIBLE_DEVICES: device.uuid },
      }),
    });
    return { ...outcome, isolation: { ...outcome.isolation, ...marksOf(runtime, device) } };
  },
});
