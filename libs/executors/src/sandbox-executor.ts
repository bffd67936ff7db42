import { ok, type Refusal, type Result } from '#libs/kernel';
import { DEFAULT_ENVIRONMENT, runtimeDigest, type Sandbox } from '#libs/sandbox';
import { cudaEnvironment, profileOf, sandboxDevice, type DriverPlaces } from './device-profile.ts';
import type { Device } from './devices.ts';
import { checkJob, type Executor } from './port.ts';

export interface SandboxExecutorOptions {
  readonly sandbox: Sandbox;
  /** Path of the Node binary that runs the programs. */
  readonly node: string;
  /** Its version, as `process.version` says it. */
  readonly version: string;
  /** Default: none. */
  readonly device?: Device | null;
  /** Where the driver's nodes lie; default: /dev and /proc/driver/nvidia. */
  readonly driverPlaces?: DriverPlaces;
}

/** Programs run by Node in the sandbox of this machine. Refused when the device can't be shown to them. */
export const sandboxExecutor = async ({
  sandbox,
  node,
  version,
  device = null,
  driverPlaces,
}: SandboxExecutorOptions): Promise<Result<Executor, Refusal<'device-not-usable'>>> => {
  const shown = device === null ? null : await sandboxDevice(device, driverPlaces);
  if (shown?.ok === false) return shown;
  const profile = profileOf(device);
  const runtime = { name: 'node', version, sha256: await runtimeDigest(node) };
  return ok({
    kind: 'sandbox',
    runtime,
    device,
    layers: sandbox.report.layers,
    run: ({ entry, owner, environment = DEFAULT_ENVIRONMENT, ...job }) => {
      checkJob({ ...job, entry, owner, environment });
      return sandbox.run({
        ...job,
        command: ['/runtime/node', `/program/${entry}`],
        readOnly: [...job.readOnly, { from: node, to: '/runtime/node' }],
        limits: { ...job.limits, openFiles: Math.max(job.limits.openFiles, profile.openFiles) },
        environment: { ...environment, ...cudaEnvironment(device) },
        ...(shown !== null && { device: shown.value }),
      });
    },
  });
};
