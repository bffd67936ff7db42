import type { IsolationReport } from '#libs/sandbox';
import type { LockFile } from './lock-file.ts';
import type { Executor } from './port.ts';

/** A flat record of plain values, as a training's result carries it. */
export type ExecutionRecord = Readonly<Record<string, string | number | boolean | null>>;

/**
 * What a result says of how its program ran: executor, interpreter or image by digest, device, lock file, and the
 * isolation as reported, limits prefixed by `limit_`, layers as one text with spaces between. What there is not is null.
 *
 * Throws on a report whose members are not plain values: a bug of the adapter.
 */
export const executionRecord = (
  { kind, runtime, device }: Pick<Executor, 'kind' | 'runtime' | 'device'>,
  isolation: IsolationReport,
  lockfile: LockFile | null,
): ExecutionRecord => {
  const { limits, layers, ...report } = isolation;
  const prefixed = Object.entries(limits ?? {}).map(([name, value]): readonly [string, unknown] => [
    `limit_${name}`,
    value,
  ]);
  const record: Record<string, unknown> = {
    ...report,
    layers: layers.join(' '),
    ...Object.fromEntries(prefixed),
    executor: kind,
    runtime_name: runtime.name,
    runtime_version: runtime.version,
    runtime_sha256: runtime.sha256,
    device: device?.uuid ?? null,
    device_index: device?.index ?? null,
    device_name: device?.name ?? null,
    device_memory_mb: device?.memoryMb ?? null,
    device_driver: device?.driver ?? null,
    lockfile: lockfile?.sha256 ?? null,
    lockfile_name: lockfile?.name ?? null,
  };
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, plain(name, value)]),
  );
};

const plain = (name: string, value: unknown): string | number | boolean | null => {
  const isPlain =
    value === null ||
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    (typeof value === 'number' && Number.isFinite(value));
  if (!isPlain) throw new TypeError(`${name} of an isolation report is not a plain value`);
  return value;
};
