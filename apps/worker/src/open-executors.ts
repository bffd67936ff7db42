import {
  discoverDevices,
  openDockerExecutor,
  openKubernetesExecutor,
  sandboxExecutor,
  type Device,
  type DockerEngine,
  type Executor,
  type KubernetesOptions,
} from '#libs/executors';
import { ok, refused, type Refusal, type Result } from '#libs/kernel';
import { openSandbox, type Sandbox } from '#libs/sandbox';

/** Where this worker's programs run. */
export type Place =
  /** Contained on this host by bubblewrap; the programs run on this Node. */
  | {
      readonly kind: 'sandbox';
      /** Default: this machine's. */
      readonly sandbox?: () => Promise<Result<Sandbox, Refusal>>;
      /** Path of the Node binary that runs the programs. Default: the one that runs this. */
      readonly node?: string;
    }
  | {
      readonly kind: 'docker';
      readonly engine: DockerEngine;
      readonly image: string;
      readonly workFolder: string;
    }
  | ({ readonly kind: 'kubernetes' } & Omit<KubernetesOptions, 'worker'>);

export interface OpenedExecutors {
  /** The GPUs that trainings are taken for, one at a time each. */
  readonly devices: readonly Device[];
  /** The executor of a device, or of a training without one. */
  readonly of: (device: Device | null) => Executor;
  /** Devices that are there and not given out, each with the reason. */
  readonly notices: readonly string[];
}

/**
 * Opens the executor, once for each GPU of this host. In a cluster the device plugin chooses the device, so there is
 * none to name here.
 *
 * @param worker - the worker's lasting name: what an earlier life of it left behind is found by it
 */
export const openExecutors = async (
  place: Place,
  worker: string,
): Promise<Result<OpenedExecutors, Refusal>> => {
  if (place.kind === 'kubernetes') {
    const executor = await openKubernetesExecutor({ ...place, worker });
    return executor.ok ? ok({ devices: [], of: () => executor.value, notices: [] }) : executor;
  }
  const found = await discoverDevices();
  if (!found.ok) return found;
  const { devices, leftOut } = found.value;
  const open = await openerOf(place, worker);
  if (!open.ok) return open;
  const executors = new Map<string | null, Executor>();
  for (const device of devices.length === 0 ? [null] : devices) {
    const executor = await open.value(device);
    if (!executor.ok) return executor;
    executors.set(device?.uuid ?? null, executor.value);
  }
  return ok({
    devices,
    of: (device) => {
      const executor = executors.get(device?.uuid ?? null);
      if (executor === undefined)
        throw new Error(`no executor for device ${device?.uuid ?? 'none'}`);
      return executor;
    },
    notices: leftOut.map(({ device, why }) => `GPU ${device.index} (${device.name}): ${why}`),
  });
};

type Opener = (device: Device | null) => Promise<Result<Executor, Refusal>>;

const openerOf = async (
  place: Exclude<Place, { kind: 'kubernetes' }>,
  worker: string,
): Promise<Result<Opener, Refusal>> => {
  if (place.kind === 'docker') {
    const { engine, image, workFolder } = place;
    return ok((device) =>
      openDockerExecutor({
        ...{ engine, image, workFolder, device },
        worker: `${worker}/${device?.index ?? 'cpu'}`,
      }),
    );
  }
  const sandbox = await (place.sandbox ?? openSandbox)();
  if (!sandbox.ok) return refused(sandbox.error);
  const node = place.node ?? process.execPath;
  return ok((device) =>
    sandboxExecutor({ sandbox: sandbox.value, node, version: process.version, device }),
  );
};
