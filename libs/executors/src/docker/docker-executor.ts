import { randomUUID } from 'node:crypto';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import Docker from 'dockerode';
import { ok, type Refusal, refused, type Result } from '#libs/kernel';
import {
  type Ending,
  type IsolationReport,
  programLog,
  type SandboxOutcome,
  SandboxUnavailable,
} from '#libs/sandbox';
import { dockerLayers } from '../container-layers.ts';
import { profileOf } from '../device-profile.ts';
import { type Image, parseImage } from '../image.ts';
import { ABORTED, conclude, type Ended, endingOf } from '../conclude.ts';
import { oversee, within } from '../oversee.ts';
import { checkJob, type Executor, type ExecutorJob } from '../port.ts';
import { openRunFolders, programUser, type RunFolder, type RunFolders } from '../run-folder.ts';
import { containerSpec, effectiveLimits, LABELS, wallProblems } from './container-spec.ts';
import type { DockerEngine, DockerOptions, DockerRefusalCode } from './options.ts';

/** Engine 25 and newer. Pinned, so that an engine of tomorrow answers in today's shapes. */
const API_VERSION = 'v1.44';
const PATIENCE_MS = 30_000;
const START_PATIENCE_MS = 120_000;
const POLL_MS = 100;
/** Between two looks at a running container that nothing is heard of. */
const LOOK_MS = 2_000;
const STREAM_END_MS = 5_000;
/** Past its deadline by this much a container has no worker any more, whosever it was. */
const GRACE_MS = 60_000;

/** What isolation a container had: plain JSON. */
export interface DockerReport extends IsolationReport {
  readonly kind: 'docker';
  /** Of the engine. */
  readonly version: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly network: 'none';
  /** The engine's profile, as it names it. */
  readonly seccompProfile: string;
  readonly user: number;
  readonly capabilities: 'none';
  readonly noNewPrivileges: true;
  readonly readOnlyRoot: true;
  /** The image's own variables stand beside those of the job. */
  readonly environment: 'of-the-image-and-given';
  readonly memoryBound: 'cgroup';
  readonly processBound: 'cgroup';
  /** One file's size is limited by the kernel, the whole folder by polling, what is taken by the harness. */
  readonly outputBound: 'rlimit-fsize-and-polled';
  readonly scratchBytes: number;
}

interface EngineFacts {
  readonly version: string;
  readonly kernel: string;
  readonly architecture: string;
  readonly seccompProfile: string;
}

/** See `openDockerExecutor`. */
export const dockerExecutor = async (
  options: DockerOptions,
): Promise<Result<Executor, Refusal<DockerRefusalCode>>> => {
  const { worker, device = null, command = ['node'], workFolder, cpus = null } = options;
  const image = parseImage(options.image);
  if (!image.ok) return image;
  if (worker === '' || command.length === 0)
    throw new TypeError('a Docker executor needs a worker with a name, and a command');
  const docker = new Docker(connection(options.engine));
  const engine = await engineFacts(docker);
  if (!engine.ok) return engine;
  const problem = await imageProblem(docker, image.value);
  if (problem !== null) return problem;
  let folders: RunFolders;
  try {
    await sweep(docker, worker, () => true);
    folders = await openRunFolders(workFolder, worker);
  } catch (error) {
    return refused({
      code: error instanceof SandboxUnavailable ? 'engine-unreachable' : 'work-folder-unfit',
      message: `what an earlier worker ${worker} left could not be removed: ${(error as Error).message}`,
    });
  }
  const own = new Set<string>();
  const isLeft = (name: string) => !own.has(name);
  return ok({
    kind: 'docker',
    runtime: image.value.runtime,
    device,
    layers: dockerLayers(cpus),
    run: async (job) => {
      checkJob(job);
      await sweep(docker, worker, isLeft);
      const name = `holdfast-${randomUUID()}`;
      own.add(name);
      try {
        const folder = await folders.lay(name, job.readOnly).catch((error: unknown) => {
          throw unavailable("the job's files could not be laid out", error);
        });
        try {
          const ended = await runContainer(docker, name, job, folder, {
            image: image.value.reference,
            command,
            worker,
            device,
            cpus,
            user: programUser(),
            deadline: Date.now() + job.limits.seconds * 1000 + START_PATIENCE_MS,
          });
          const limits = {
            ...effectiveLimits(job, device),
            outputFiles: job.outputFiles.maxFiles,
            outputBytes: job.outputFiles.maxBytes,
          };
          return {
            ...ended,
            isolation: {
              ...reportOf(engine.value, profileOf(device).scratchBytes),
              layers: dockerLayers(cpus),
              limits,
            },
          };
        } finally {
          await folder.remove();
        }
      } finally {
        own.delete(name);
      }
    },
  });
};

const reportOf = (engine: EngineFacts, scratchBytes: number): Omit<DockerReport, 'layers'> => ({
  kind: 'docker',
  ...engine,
  network: 'none',
  user: programUser().user,
  capabilities: 'none',
  noNewPrivileges: true,
  readOnlyRoot: true,
  environment: 'of-the-image-and-given',
  memoryBound: 'cgroup',
  processBound: 'cgroup',
  outputBound: 'rlimit-fsize-and-polled',
  scratchBytes,
  limits: null,
});

/** Everything is named: what is left out, the client would take from the environment of this process. */
const connection = (engine: DockerEngine): Docker.DockerOptions => {
  const nothing = {
    host: undefined,
    port: undefined,
    socketPath: undefined,
    ca: undefined,
    cert: undefined,
    key: undefined,
    timeout: undefined,
  };
  const there =
    'socketPath' in engine
      ? {
          socketPath: engine.socketPath,
          protocol: 'http' as const,
          agent: new HttpAgent({ keepAlive: false }),
        }
      : { ...engine, protocol: 'https' as const, agent: new HttpsAgent({ keepAlive: false }) };
  // A kept connection to an engine that was restarted would fail the next request.
  return { ...nothing, ...there, version: API_VERSION };
};

const unavailable = (what: string, cause: unknown): SandboxUnavailable =>
  new SandboxUnavailable(`${what}: ${(cause as Error).message.trim()}`, { cause });

/** One request to the engine. What goes wrong there says nothing about the program. */
const ask = async <T>(
  what: string,
  request: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T> => {
  try {
    // Twice: the signal ends the request, and the client is silent about an answer that breaks off.
    return await within(PATIENCE_MS, 'the answer', request(AbortSignal.timeout(PATIENCE_MS)));
  } catch (error) {
    throw unavailable(`the engine could not ${what}`, error);
  }
};

const statusOf = (error: unknown): number | undefined =>
  ((error as Error).cause as { statusCode?: number } | undefined)?.statusCode;

const engineFacts = async (
  docker: Docker,
): Promise<Result<EngineFacts, Refusal<DockerRefusalCode>>> => {
  let info: Record<string, unknown>;
  try {
    info = (await within(PATIENCE_MS, 'asking the engine', docker.info())) as Record<
      string,
      unknown
    >;
  } catch (error) {
    return refused({
      code: 'engine-unreachable',
      message: `found no Docker engine (${(error as Error).message.trim()}), expected one that answers; start it, or name another`,
    });
  }
  const security = Array.isArray(info.SecurityOptions) ? info.SecurityOptions.map(String) : [];
  const seccomp = security.find((option) => option.startsWith('name=seccomp'));
  const profile = /profile=([^,]+)/.exec(seccomp ?? '')?.[1] ?? 'none';
  const lacks = [
    info.OSType === 'linux' ? null : `containers of ${String(info.OSType)} instead of linux`,
    ...(['MemoryLimit', 'SwapLimit', 'PidsLimit'] as const).map((limit) =>
      info[limit] === true ? null : `no ${limit}`,
    ),
    profile === 'none' || profile === 'unconfined' ? `seccomp profile ${profile}` : null,
    // Programs' files would be another user's, out of this worker's reach.
    security.some((option) => /^name=(?:userns|rootless)/.test(option))
      ? 'users mapped (userns-remap or rootless)'
      : null,
  ].filter((lack) => lack !== null);
  if (lacks.length > 0)
    return refused({
      code: 'engine-unfit',
      message: `found an engine with ${lacks.join('; ')}, expected Linux containers with limits of memory, swap and processes, a seccomp profile and unmapped users; see its "docker info"`,
    });
  return ok({
    version: String(info.ServerVersion),
    kernel: String(info.KernelVersion),
    architecture: String(info.Architecture),
    seccompProfile: profile,
  });
};

const imageProblem = async (docker: Docker, image: Image) => {
  let found: Docker.ImageInspectInfo;
  try {
    found = await within(
      PATIENCE_MS,
      'looking for the image',
      docker.getImage(image.reference).inspect(),
    );
  } catch (error) {
    const missing = (error as { statusCode?: number }).statusCode === 404;
    return refused({
      code: missing ? ('image-missing' as const) : ('engine-unreachable' as const),
      message: missing
        ? `found no image ${image.reference} on the engine, expected it pulled: docker pull ${image.reference}`
        : `the engine did not say whether it has ${image.reference}: ${(error as Error).message.trim()}`,
    });
  }
  const volumes = Object.keys((found.Config as { Volumes?: object | null }).Volumes ?? {});
  return volumes.length === 0
    ? null
    : refused({
        code: 'image-unfit' as const,
        message: `found volumes ${volumes.join(', ')} declared by ${image.reference}, expected none: a program could write there without a bound; build the image without VOLUME`,
      });
};

/** Removes this worker's containers that no run of it holds, and anybody's whose time is long over. */
const sweep = async (
  docker: Docker,
  worker: string,
  isLeft: (name: string) => boolean,
): Promise<void> => {
  const found = await ask('list containers', (abortSignal) =>
    docker.listContainers({
      all: true,
      filters: { label: [`${LABELS.managedBy}=holdfast`] },
      abortSignal,
    }),
  );
  for (const { Id, Names, Labels } of found) {
    const deadline = Number(Labels[LABELS.deadline]);
    const isOwn = Labels[LABELS.worker] === worker;
    const isOver = Number.isFinite(deadline) && Date.now() > deadline + GRACE_MS;
    const isFree = isLeft((Names[0] ?? '').replace(/^\//, ''));
    if (isFree && (isOwn || isOver)) await remove(docker.getContainer(Id));
  }
};

/** Gone, whatever it did; that it was gone already is as good. */
const remove = async (container: Docker.Container): Promise<void> => {
  try {
    await ask('remove a container', (abortSignal) =>
      container.remove({ force: true, v: true, abortSignal }),
    );
  } catch (error) {
    // 409: its removal is under way; then it must be gone soon.
    if (statusOf(error) === 409) await untilGone(container);
    else if (statusOf(error) !== 404) throw error;
  }
};

const untilGone = async (container: Docker.Container): Promise<void> => {
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    try {
      await ask('look at a container', (abortSignal) => container.inspect({ abortSignal }));
    } catch (error) {
      if (statusOf(error) === 404) return;
      throw error;
    }
    await wait(POLL_MS);
  }
  throw new SandboxUnavailable(`container ${container.id} is being removed, and never gone`);
};

const runContainer = async (
  docker: Docker,
  name: string,
  job: ExecutorJob,
  folder: RunFolder,
  parts: Parameters<typeof containerSpec>[2],
): Promise<Omit<SandboxOutcome, 'isolation'>> => {
  if (job.signal?.aborted === true) return ABORTED;
  const spec = containerSpec(job, folder, parts);
  const container = await ask('make the container', (abortSignal) =>
    docker.createContainer({ ...spec, name, abortSignal }),
  );
  /** Once true, nothing of the program lives, and a failed removal can wait for the next sweep. */
  let dead = false;
  try {
    const made = await ask('look at the container', (abortSignal) =>
      container.inspect({ abortSignal }),
    );
    const problems = wallProblems(spec, made);
    if (problems.length > 0)
      throw new SandboxUnavailable(
        `the container is not what was asked for: ${problems.join('; ')}`,
      );
    const ended = await overseen(docker, container, job, folder);
    dead = true;
    return await conclude(job, folder, ended);
  } finally {
    try {
      await remove(container);
    } catch (error) {
      // The program may live on: that is worse than whatever else was to be said.
      // eslint-disable-next-line no-unsafe-finally
      if (!dead) throw error;
    }
  }
};

/** From the start of the container to its end, with the clock, the output and the log watched. */
const overseen = async (
  docker: Docker,
  container: Docker.Container,
  job: ExecutorJob,
  folder: RunFolder,
): Promise<Ended> => {
  const stopping: { by: Ending | null; error: Error | null } = { by: null, error: null };
  const kill = () => {
    container.kill({ signal: 'SIGKILL' }).catch((error: unknown) => {
      // 409: it has ended; 404: it is gone. Anything else: the end must not be waited for in vain.
      const status = (error as { statusCode?: number }).statusCode;
      if (status !== 409 && status !== 404) fail(error as Error);
    });
  };
  let giveUp: (error: Error) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => (giveUp = reject));
  broken.catch(() => undefined);
  const fail = (error: Error) =>
    giveUp(unavailable('the running container could not be watched', error));
  const stop = (why: Ending) => {
    if (stopping.by !== null) return;
    stopping.by = why;
    kill();
  };
  const log = programLog({
    bytes: job.limits.logBytes,
    onLine: job.onOutput ?? (() => undefined),
    onFlood: () => stop('log-too-large'),
  });

  const stream = await within(
    PATIENCE_MS,
    'attaching',
    container.attach({ stream: true, stdout: true, stderr: true }),
  ).catch((error: unknown) => {
    throw unavailable('the engine could not attach to the container', error);
  });
  const streamed = new Promise<void>((resolve) => {
    stream.once('end', resolve).once('close', resolve).once('error', resolve);
  });
  docker.modem.demuxStream(stream, sink(log.stdout), sink(log.stderr));

  let release: () => void = () => undefined;
  try {
    await within(START_PATIENCE_MS, 'starting the container', container.start()).catch(
      (error: unknown) => {
        throw unavailable('the engine could not start the container', error);
      },
    );
    const begun = performance.now();
    release = oversee(job, folder, POLL_MS, { stop, fail });
    const state = await Promise.race([endOf(container), broken]);
    const durationMs = Math.round(performance.now() - begun);
    release();
    // What it printed last may still be on its way.
    await within(STREAM_END_MS, "the end of the program's output", streamed).catch(
      (error: unknown) => {
        throw unavailable('the log of the program is not whole', error);
      },
    );
    log.end();
    return {
      ending: endingOf(stopping.by ?? (state.OOMKilled ? 'memory-exceeded' : null), state.ExitCode),
      durationMs,
      log: log.text(),
    };
  } finally {
    release();
    (stream as NodeJS.ReadableStream & { destroy?: () => void }).destroy?.();
  }
};

type ContainerState = Docker.ContainerInspectInfo['State'];

/**
 * The state of a container that has ended. The engine is waited for, and asked every other second besides: the
 * client never says that the connection of a wait was lost.
 */
const endOf = async (container: Docker.Container): Promise<ContainerState> => {
  const told = container.wait().catch((error: unknown) => {
    throw unavailable('the engine lost the container', error);
  });
  told.catch(() => undefined);
  for (;;) {
    await Promise.race([told, wait(LOOK_MS)]);
    const { State } = await ask('look at the container', (abortSignal) =>
      container.inspect({ abortSignal }),
    );
    if (!State.Running && State.Status === 'exited') {
      if (State.Error !== '')
        throw new SandboxUnavailable(`the engine could not run the program: ${State.Error}`);
      return State;
    }
    if (State.Status !== 'running')
      throw new SandboxUnavailable(`the container is ${State.Status}, and neither runs nor ended`);
    await wait(POLL_MS);
  }
};

const sink = (push: (chunk: Uint8Array) => void): Writable =>
  new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      push(chunk);
      done();
    },
  });
