import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ok, type Refusal, refused, type Result } from '#libs/kernel';
import { SCRATCH_BYTES, type SandboxDevice } from '#libs/sandbox';
import type { Device } from './devices.ts';

const MIB = 1024 * 1024;

/**
 * What a kind of device asks of every executor. No executor limits the address space: CUDA maps far more of it than
 * there is memory, and does not start under such a limit.
 */
export interface DeviceProfile {
  readonly name: 'cpu' | 'cuda';
  /** Open files of a process, at least: a driver opens its nodes dozens of times. */
  readonly openFiles: number;
  /** Size of /tmp and of /dev/shm, each: compiled kernels and batches between processes lie there. */
  readonly scratchBytes: number;
  /** Whether writable data of a process may be limited (local sandbox). */
  readonly dataLimit: boolean;
  /** Whether memory locked by a process may be limited: buffers that a device reads are locked. */
  readonly lockedLimit: boolean;
}

export const DEVICE_PROFILES = {
  cpu: {
    name: 'cpu',
    openFiles: 0,
    scratchBytes: SCRATCH_BYTES,
    dataLimit: true,
    lockedLimit: true,
  },
  cuda: {
    name: 'cuda',
    openFiles: 4096,
    scratchBytes: 1024 * MIB,
    dataLimit: false,
    lockedLimit: false,
  },
} as const satisfies Record<string, DeviceProfile>;

export const profileOf = (device: Device | null): DeviceProfile =>
  device === null ? DEVICE_PROFILES.cpu : DEVICE_PROFILES.cuda;

/**
 * What CUDA reads, on this machine and in a container. By uuid: CUDA's own numbers depend on what is visible and on
 * its idea of the fastest, a uuid names this device or none. A container with one device would number it 0.
 */
export const cudaEnvironment = (device: Device | null): Readonly<Record<string, string>> =>
  device === null ? {} : { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: device.uuid };

/** Nodes that all GPUs share; those that a driver does not make are passed over. */
const SHARED_NODES = {
  needed: ['nvidiactl', 'nvidia-uvm'],
  optional: ['nvidia-uvm-tools', 'nvidia-modeset'],
} as const;

/** What the driver reads of the host: the bus and the memory nodes of its processors. */
const INFORMATION = [
  '/sys/bus/pci',
  '/sys/devices',
  '/sys/module/nvidia',
  '/sys/module/nvidia_uvm',
];

/** Where the driver's nodes and its own account of the GPUs lie; others in tests. */
export interface DriverPlaces {
  readonly dev: string;
  readonly gpus: string;
}

const DRIVER_PLACES: DriverPlaces = { dev: '/dev', gpus: '/proc/driver/nvidia/gpus' };

const missing = (message: string) => refused({ code: 'device-not-usable' as const, message });

/**
 * What the local sandbox shows of one GPU: its own node, found by the uuid in the driver's account (a node's number
 * is not nvidia-smi's index), and those that all share. Refused when one of them is missing or not everybody's to
 * use: programs run as a user without groups.
 */
export const sandboxDevice = async (
  device: Device,
  places: DriverPlaces = DRIVER_PLACES,
): Promise<Result<SandboxDevice, Refusal<'device-not-usable'>>> => {
  const minor = await minorNumber(device, places);
  if (minor === null)
    return missing(
      `found no GPU ${device.uuid} with a device minor in ${places.gpus}/*/information, expected ${device.name}; look at the driver`,
    );
  const nodes: { from: string; to: string }[] = [];
  for (const name of [`nvidia${minor}`, ...SHARED_NODES.needed, ...SHARED_NODES.optional]) {
    const from = join(places.dev, name);
    const found = await stat(from).catch(() => null);
    if (found === null) {
      if ((SHARED_NODES.optional as readonly string[]).includes(name)) continue;
      return missing(
        `found no ${from}, which CUDA needs; load the driver's modules before programs are run (nvidia-modprobe -u -c 0)`,
      );
    }
    if (!found.isCharacterDevice() || (found.mode & 0o006) !== 0o006)
      return missing(
        `found ${from} with mode ${(found.mode & 0o7777).toString(8)}, expected a device node that everybody may read and write: programs have no groups`,
      );
    nodes.push({ from, to: `/dev/${name}` });
  }
  const { dataLimit, lockedLimit, scratchBytes } = DEVICE_PROFILES.cuda;
  return ok({ nodes, information: INFORMATION, dataLimit, lockedLimit, scratchBytes });
};

const minorNumber = async (device: Device, { gpus }: DriverPlaces): Promise<string | null> => {
  for (const bus of await readdir(gpus).catch(() => [])) {
    const account = await readFile(join(gpus, bus, 'information'), 'utf8').catch(() => '');
    if (/^GPU UUID:\s*(\S+)\s*$/m.exec(account)?.[1] !== device.uuid) continue;
    return /^Device Minor:\s*(\d{1,4})\s*$/m.exec(account)?.[1] ?? null;
  }
  return null;
};
