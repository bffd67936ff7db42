import type Dockerode from 'dockerode';
import { cudaEnvironment, profileOf } from '../device-profile.ts';
import type { Device } from '../devices.ts';
import { outputBound } from '../oversee.ts';
import { containerEnvironment, type ExecutorJob } from '../port.ts';
import type { RunFolder } from '../run-folder.ts';

const MIB = 1024 * 1024;
const LOCKED_BYTES = 65_536;
/** Entries in /tmp: each costs kernel memory even when it is empty. */
const SCRATCH_ENTRIES = 20_000;

export const LABELS = {
  managedBy: 'app.kubernetes.io/managed-by',
  run: 'holdfast.run',
  training: 'holdfast.training',
  worker: 'holdfast.worker',
  /** Milliseconds since 1970 after which nobody waits for it any more. */
  deadline: 'holdfast.deadline',
} as const;

export interface SpecParts {
  readonly image: string;
  readonly command: readonly string[];
  readonly worker: string;
  readonly device: Device | null;
  readonly cpus: number | null;
  readonly user: { readonly user: number; readonly group: number };
  /** Milliseconds since 1970. */
  readonly deadline: number;
}

/** Limits as the container gets them: a device's driver may need more open files. */
export const effectiveLimits = (job: ExecutorJob, device: Device | null) => ({
  ...job.limits,
  openFiles: Math.max(job.limits.openFiles, profileOf(device).openFiles),
});

/** The body of `POST /containers/create` for a job. */
export const containerSpec = (
  job: ExecutorJob,
  folder: Pick<RunFolder, 'inputs' | 'output'>,
  { image, command, worker, device, cpus, user, deadline }: SpecParts,
): Dockerode.ContainerCreateOptions => {
  const profile = profileOf(device);
  const limits = effectiveLimits(job, device);
  const memory = limits.memoryMb * MIB;
  const largestFile = Math.max(outputBound(job), profile.scratchBytes);
  const environment = {
    ...containerEnvironment(job),
    ...cudaEnvironment(device),
    // An image may ask for all GPUs in its own environment, and NVIDIA's runtime as an engine's default obeys.
    NVIDIA_VISIBLE_DEVICES: device?.uuid ?? 'void',
  };
  return {
    Image: image,
    Entrypoint: [...command],
    Cmd: [`/program/${job.entry}`],
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    User: `${user.user}:${user.group}`,
    WorkingDir: '/tmp',
    Hostname: 'sandbox',
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    OpenStdin: false,
    Tty: false,
    Labels: {
      [LABELS.managedBy]: 'holdfast',
      [LABELS.run]: job.owner.runId,
      [LABELS.training]: job.owner.trainingId,
      [LABELS.worker]: worker,
      [LABELS.deadline]: String(deadline),
    },
    HostConfig: {
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      Privileged: false,
      CapDrop: ['ALL'],
      // The engine's own seccomp profile stays: naming none keeps it.
      SecurityOpt: ['no-new-privileges'],
      IpcMode: 'private',
      Memory: memory,
      // The same number: no swap besides.
      MemorySwap: memory,
      PidsLimit: limits.processes,
      ...(cpus !== null && { NanoCpus: Math.round(cpus * 1e9) }),
      ShmSize: profile.scratchBytes,
      Tmpfs: {
        '/tmp': `rw,exec,nosuid,nodev,mode=1777,size=${profile.scratchBytes},nr_inodes=${SCRATCH_ENTRIES}`,
      },
      Ulimits: [
        { Name: 'nofile', Soft: limits.openFiles, Hard: limits.openFiles },
        { Name: 'core', Soft: 0, Hard: 0 },
        // The bound on what one file in /out can grow to between two looks.
        { Name: 'fsize', Soft: largestFile, Hard: largestFile },
        profile.lockedLimit
          ? { Name: 'memlock', Soft: LOCKED_BYTES, Hard: LOCKED_BYTES }
          : { Name: 'memlock', Soft: -1, Hard: -1 },
      ],
      Init: true,
      // Nothing is kept by the engine: the harness reads along and bounds it.
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      Mounts: [
        ...folder.inputs.map(({ from, to }) => ({
          Type: 'bind' as const,
          Source: from,
          Target: to,
          ReadOnly: true,
          BindOptions: { Propagation: 'rprivate' as const },
        })),
        {
          Type: 'bind',
          Source: folder.output.from,
          Target: '/out',
          ReadOnly: false,
          BindOptions: { Propagation: 'rprivate' },
        },
      ],
      ...(device !== null && {
        DeviceRequests: [
          {
            Driver: 'nvidia',
            DeviceIDs: [device.uuid],
            Capabilities: [['gpu', 'compute', 'utility']],
          },
        ],
      }),
    },
  };
};

/**
 * What an engine made otherwise than it was asked to, found by looking at the container before it starts. Engines
 * drop what their host can't do and say so in a warning that nobody reads.
 */
export const wallProblems = (
  asked: Dockerode.ContainerCreateOptions,
  made: Dockerode.ContainerInspectInfo,
): string[] => {
  const want = asked.HostConfig ?? {};
  const got = made.HostConfig;
  const problems: string[] = [];
  const same = (name: string, found: unknown, expected: unknown) => {
    if (JSON.stringify(found) !== JSON.stringify(expected))
      problems.push(`${name} is ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  };
  same('NetworkMode', got.NetworkMode, want.NetworkMode);
  same('ReadonlyRootfs', got.ReadonlyRootfs, true);
  same('Privileged', got.Privileged, false);
  same('CapDrop', got.CapDrop, want.CapDrop);
  same('CapAdd', got.CapAdd ?? [], []);
  same('Memory', got.Memory, want.Memory);
  same('MemorySwap', got.MemorySwap, want.MemorySwap);
  same('PidsLimit', got.PidsLimit, want.PidsLimit);
  same('User', made.Config.User, asked.User);
  same('Devices', got.Devices ?? [], []);
  const security = (got.SecurityOpt ?? []) as readonly string[];
  if (!security.some((option) => /^no-new-privileges(?:[:=]true)?$/.test(option)))
    problems.push('no-new-privileges is not set');
  if (security.some((option) => option.includes('unconfined')))
    problems.push(`security options are ${security.join(', ')}`);
  const mounts = [...made.Mounts]
    .map(({ Destination, RW }) => `${Destination}${RW ? ' writable' : ''}`)
    .filter((mount) => !mount.startsWith('/tmp'))
    .toSorted();
  const expected = ((want.Mounts ?? []) as { Target: string; ReadOnly?: boolean }[])
    .map(({ Target, ReadOnly }) => `${Target}${ReadOnly === true ? '' : ' writable'}`)
    .toSorted();
  same('mounts', mounts, expected);
  return problems;
};
