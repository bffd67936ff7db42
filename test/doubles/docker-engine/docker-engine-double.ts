import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { DOUBLE_IMAGE, startProgram, type RunningProgram } from './program.ts';

/*
 * A double of a Docker engine: the part of the Engine API (v1.44) that Holdfast's adapter uses, with its paths,
 * status codes and bodies, served over a unix socket. It runs programs for real (see program.ts) and contains
 * nothing. It is stricter than the engine where that shows a mistake: a member that the API does not know is 400.
 * Shapes after the public API reference (api/swagger.yaml, v1.44).
 */

export interface CreateBody {
  readonly Image: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly User: string;
  readonly Labels: Readonly<Record<string, string>>;
  readonly HostConfig: Readonly<Record<string, unknown>> & {
    readonly Memory: number;
    readonly ShmSize: number;
    readonly Tmpfs: Readonly<Record<string, string>>;
    readonly Ulimits: readonly { readonly Name: string; readonly Hard: number }[];
    readonly Mounts: readonly {
      readonly Type: string;
      readonly Source: string;
      readonly Target: string;
      readonly ReadOnly?: boolean;
    }[];
  };
}

interface Container {
  readonly id: string;
  readonly name: string;
  readonly body: CreateBody;
  status: 'created' | 'running' | 'exited';
  exitCode: number;
  outOfMemory: boolean;
  program: RunningProgram | null;
  readonly attached: Socket[];
  readonly waiting: (() => void)[];
}

/** The next request that matches is answered so, once. */
export interface DoubleFault {
  readonly request: RegExp;
  readonly status: number;
  readonly message: string;
}

export interface DockerEngineDouble {
  readonly socketPath: string;
  /** Bodies of the containers that were asked for. */
  readonly created: readonly CreateBody[];
  /** Names of the containers that are there. */
  containers(): readonly string[];
  isRunning(): boolean;
  /** Makes a container that nobody started, as a killed worker leaves one. */
  leave(name: string, labels: Readonly<Record<string, string>>): void;
  failNext(fault: DoubleFault): void;
  /** Called with each request before it is answered. */
  onRequest: (asked: string) => void;
  /** What `GET /info` and `GET /containers/{id}/json` say otherwise than they should. */
  readonly lies: {
    info: Readonly<Record<string, unknown>>;
    hostConfig: Readonly<Record<string, unknown>>;
    volumes: Readonly<Record<string, object>> | null;
  };
  /** All connections break and none is taken any more; programs go on. */
  vanish(): Promise<void>;
  close(): Promise<void>;
}

const TOP_LEVEL = new Set(
  'Hostname,Domainname,User,AttachStdin,AttachStdout,AttachStderr,ExposedPorts,Tty,OpenStdin,StdinOnce,Env,Cmd,Healthcheck,ArgsEscaped,Image,Volumes,WorkingDir,Entrypoint,NetworkDisabled,MacAddress,OnBuild,Labels,StopSignal,StopTimeout,Shell,HostConfig,NetworkingConfig,name'.split(
    ',',
  ),
);
const HOST_CONFIG = new Set(
  'CpuShares,Memory,CgroupParent,BlkioWeight,CpuPeriod,CpuQuota,CpusetCpus,CpusetMems,Devices,DeviceCgroupRules,DeviceRequests,MemoryReservation,MemorySwap,MemorySwappiness,NanoCpus,OomKillDisable,Init,PidsLimit,Ulimits,Binds,ContainerIDFile,LogConfig,NetworkMode,PortBindings,RestartPolicy,AutoRemove,VolumeDriver,VolumesFrom,Mounts,ConsoleSize,Annotations,CapAdd,CapDrop,CgroupnsMode,Dns,DnsOptions,DnsSearch,ExtraHosts,GroupAdd,IpcMode,Cgroup,Links,OomScoreAdj,PidMode,Privileged,PublishAllPorts,ReadonlyRootfs,SecurityOpt,StorageOpt,Tmpfs,UTSMode,UsernsMode,ShmSize,Sysctls,Runtime,Isolation,MaskedPaths,ReadonlyPaths'.split(
    ',',
  ),
);

/** One frame of a multiplexed stream: kind, three zeros, length (big-endian), payload. */
const frame = (kind: 1 | 2, payload: Buffer): Buffer => {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
};

const sizeOf = (options: string): number => Number(/size=(\d+)/.exec(options)?.[1] ?? 65536);

export const openDockerEngineDouble = async (socketPath: string): Promise<DockerEngineDouble> => {
  const containers = new Map<string, Container>();
  const created: CreateBody[] = [];
  const faults: DoubleFault[] = [];
  const lies: DockerEngineDouble['lies'] = { info: {}, hostConfig: {}, volumes: null };
  const sockets = new Set<Socket>();
  const double = { onRequest: (_asked: string): void => undefined };

  const find = (idOrName: string): Container | undefined =>
    containers.get(idOrName) ?? [...containers.values()].find(({ name }) => name === idOrName);

  const add = (name: string, body: CreateBody): Container => {
    const container: Container = {
      id: randomBytes(32).toString('hex'),
      name,
      body,
      status: 'created',
      exitCode: 0,
      outOfMemory: false,
      program: null,
      attached: [],
      waiting: [],
    };
    containers.set(container.id, container);
    return container;
  };

  const start = (container: Container): void => {
    const { Entrypoint, Cmd, Env, HostConfig } = container.body;
    const limit = (name: string) => HostConfig.Ulimits.find(({ Name }) => Name === name)?.Hard;
    const send = (kind: 1 | 2) => (chunk: Buffer) => {
      for (const socket of container.attached) socket.write(frame(kind, chunk));
    };
    const openFiles = limit('nofile');
    const fileBytes = limit('fsize');
    container.program = startProgram(
      {
        command: [...Entrypoint, ...Cmd],
        environment: Object.fromEntries(
          // As an engine does, the image's own variables stand beside.
          ['PATH=/usr/bin:/bin', 'IMAGE=double', ...Env].map((pair) => {
            const at = pair.indexOf('=');
            return [pair.slice(0, at), pair.slice(at + 1)];
          }),
        ),
        mounts: HostConfig.Mounts.map(({ Source, Target, ReadOnly }) => ({
          from: Source,
          to: Target,
          readOnly: ReadOnly === true,
        })),
        tmpfs: [
          { to: '/dev/shm', bytes: HostConfig.ShmSize },
          ...Object.entries(HostConfig.Tmpfs).map(([to, options]) => ({
            to,
            bytes: sizeOf(options),
          })),
        ],
        memoryBytes: HostConfig.Memory,
        ...(openFiles !== undefined && { openFiles }),
        ...(fileBytes !== undefined && { fileBytes }),
      },
      send(1),
      send(2),
    );
    container.status = 'running';
    void container.program.ended.then(({ status, outOfMemory }) => {
      container.status = 'exited';
      container.exitCode = status;
      container.outOfMemory = outOfMemory;
      for (const socket of container.attached.splice(0)) socket.end();
      for (const done of container.waiting.splice(0)) done();
    });
  };

  const inspect = ({ id, name, body, status, exitCode, outOfMemory }: Container) => ({
    Id: id,
    Name: `/${name}`,
    State: {
      Status: status,
      Running: status === 'running',
      Paused: false,
      Restarting: false,
      OOMKilled: outOfMemory,
      Dead: false,
      ExitCode: exitCode,
      Error: '',
    },
    Image: 'sha256:0',
    Config: { User: body.User, Labels: body.Labels, Env: body.Env, Image: body.Image },
    HostConfig: { ...body.HostConfig, CapAdd: null, Devices: [], ...lies.hostConfig },
    Mounts: body.HostConfig.Mounts.map(({ Type, Source, Target, ReadOnly }) => ({
      Type,
      Source,
      Destination: Target,
      Mode: '',
      RW: ReadOnly !== true,
      Propagation: 'rprivate',
    })),
  });

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://engine');
    const say = (status: number, body?: unknown) => {
      if (body === undefined) response.writeHead(status).end();
      else
        response
          .writeHead(status, { 'Content-Type': 'application/json' })
          .end(`${JSON.stringify(body)}\n`);
    };
    const refuse = (status: number, message: string) => say(status, { message });
    const text = await bodyOf(request);
    const path = /^\/v1\.44(\/.*)$/.exec(url.pathname)?.[1];
    if (path === undefined) return refuse(400, 'client version is too new or too old');
    const method = request.method ?? 'GET';
    double.onRequest(`${method} ${path}`);
    const fault = faults.findIndex(({ request: asked }) => asked.test(`${method} ${path}`));
    const [failing] = fault < 0 ? [] : faults.splice(fault, 1);
    if (failing !== undefined) return refuse(failing.status, failing.message);

    if (method === 'GET' && path === '/info') return say(200, { ...INFO, ...lies.info });
    const image = /^\/images\/(.+)\/json$/.exec(path)?.[1];
    if (image !== undefined) {
      const reference = decodeURIComponent(image);
      if (reference !== DOUBLE_IMAGE.reference) return refuse(404, `No such image: ${reference}`);
      return say(200, {
        Id: `sha256:${'1d'.repeat(32)}`,
        RepoDigests: [DOUBLE_IMAGE.reference],
        Config: { Volumes: lies.volumes },
      });
    }
    if (method === 'GET' && path === '/containers/json') {
      const filters = JSON.parse(url.searchParams.get('filters') ?? '{}') as { label?: string[] };
      const matching = [...containers.values()].filter(({ status, body }) => {
        const isShown = url.searchParams.get('all') === 'true' || status === 'running';
        return (
          isShown &&
          (filters.label ?? []).every((pair) => {
            const at = pair.indexOf('=');
            return body.Labels[pair.slice(0, at)] === pair.slice(at + 1);
          })
        );
      });
      return say(
        200,
        matching.map(({ id, name, body, status }) => ({
          Id: id,
          Names: [`/${name}`],
          Image: body.Image,
          Labels: body.Labels,
          State: status,
        })),
      );
    }
    if (method === 'POST' && path === '/containers/create') {
      const body = JSON.parse(text) as CreateBody;
      const unknown = [
        ...Object.keys(body).filter((key) => !TOP_LEVEL.has(key)),
        ...Object.keys(body.HostConfig).filter((key) => !HOST_CONFIG.has(key)),
      ];
      if (unknown.length > 0) return refuse(400, `the API knows no ${unknown.join(', ')}`);
      if (body.Image !== DOUBLE_IMAGE.reference) return refuse(404, `No such image: ${body.Image}`);
      const name = url.searchParams.get('name') ?? '';
      if (find(name) !== undefined)
        return refuse(409, `Conflict. The container name "/${name}" is already in use`);
      created.push(body);
      return say(201, { Id: add(name, body).id, Warnings: [] });
    }

    const [, id = '', action = ''] = /^\/containers\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    const container = find(id);
    if (container === undefined) return refuse(404, `No such container: ${id}`);
    switch (`${method} ${action}`) {
      case 'GET json':
        return say(200, inspect(container));
      case 'POST attach': {
        // An engine takes the connection over: no chunks, the end of the stream is the end of the connection.
        const { socket } = request;
        socket.write(
          'HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n\r\n',
        );
        socket.on('error', () => undefined);
        container.attached.push(socket);
        return;
      }
      case 'POST start':
        if (container.status !== 'created') return say(304);
        start(container);
        return say(204);
      case 'POST wait':
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.flushHeaders();
        // The default condition: not running.
        if (container.status === 'running')
          await new Promise<void>((done) => container.waiting.push(done));
        response.end(`${JSON.stringify({ StatusCode: container.exitCode })}\n`);
        return;
      case 'POST kill':
        if (container.status !== 'running')
          return refuse(409, `cannot kill container: ${id}: container ${id} is not running`);
        container.program?.kill();
        return say(204);
      case 'DELETE ':
        if (container.status === 'running') {
          if (url.searchParams.get('force') !== 'true')
            return refuse(
              409,
              `cannot remove container "/${container.name}": container is running`,
            );
          container.program?.kill();
          await container.program?.ended;
        }
        containers.delete(container.id);
        return say(204);
      default:
        return refuse(404, 'page not found');
    }
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(JSON.stringify({ message: String(error) }));
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(socketPath, resolve);
  });
  const vanish = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return Object.assign(double, {
    socketPath,
    created,
    lies,
    containers: () => [...containers.values()].map(({ name }) => name),
    isRunning: () => [...containers.values()].some(({ status }) => status === 'running'),
    leave: (name: string, Labels: Readonly<Record<string, string>>) => {
      const HostConfig = { Memory: 0, ShmSize: 0, Tmpfs: {}, Ulimits: [], Mounts: [] };
      const { reference: Image } = DOUBLE_IMAGE;
      add(name, { Image, Entrypoint: [], Cmd: [], Env: [], User: '', Labels, HostConfig });
    },
    failNext: (fault: DoubleFault) => void faults.push(fault),
    vanish,
    close: async () => {
      for (const { program } of containers.values()) {
        program?.kill();
        await program?.ended;
      }
      // What had ended is told before the connections go.
      await wait(1);
      if (server.listening) await vanish();
    },
  });
};

const INFO = {
  OSType: 'linux',
  Architecture: 'x86_64',
  KernelVersion: '6.1.0-double',
  ServerVersion: '28.0.0-double',
  MemoryLimit: true,
  SwapLimit: true,
  PidsLimit: true,
  CgroupVersion: '2',
  SecurityOptions: ['name=apparmor', 'name=seccomp,profile=builtin', 'name=cgroupns'],
};

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
};
