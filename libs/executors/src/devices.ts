import { execFile } from 'node:child_process';
import { ok, type Refusal, refused, type Result } from '#libs/kernel';

/** One GPU, as its driver names it. */
export interface Device {
  /** In the order of the PCI bus, as nvidia-smi counts: CUDA counts otherwise by default, so never name a device by it. */
  readonly index: number;
  /** `GPU-…`: the name that stays. */
  readonly uuid: string;
  readonly name: string;
  /** MiB; null where the driver does not say (memory shared with the host). */
  readonly memoryMb: number | null;
  /** Version of the driver. */
  readonly driver: string;
}

/** The GPUs of this machine. */
export interface DeviceList {
  readonly devices: readonly Device[];
  /** What is there and can't be given to a program as one device, with the reason. */
  readonly leftOut: readonly { readonly device: Device; readonly why: string }[];
}

const QUERY = [
  '--query-gpu=index,uuid,name,memory.total,driver_version,mig.mode.current',
  '--format=csv,noheader,nounits',
];
const PATIENCE_MS = 10_000;
const MOST_BYTES = 256 * 1024;
const NONE = 'No devices were found';

/**
 * The GPUs of this machine by `nvidia-smi` (on PATH): none where there is no such program. Where it is there and
 * fails, hangs, or says what nobody expects, that is a refusal with its words: a host with a broken driver is not a
 * host without GPUs.
 */
export const discoverDevices = async (
  program = 'nvidia-smi',
): Promise<Result<DeviceList, Refusal<'devices-unreadable'>>> => {
  const said = await ask(program);
  if (said.kind === 'absent') return ok({ devices: [], leftOut: [] });
  const text = said.stdout.trim();
  if (text === NONE) return ok({ devices: [], leftOut: [] });
  if (said.kind === 'failed') {
    const words = [text, said.stderr.trim()].filter((part) => part !== '').join('; ');
    return unreadable(`${said.why}${words === '' ? '' : `: ${words.slice(0, 500)}`}`);
  }
  return parseDevices(text);
};

type Said =
  | { readonly kind: 'absent' }
  | { readonly kind: 'answered'; readonly stdout: string; readonly stderr: string }
  | {
      readonly kind: 'failed';
      readonly why: string;
      readonly stdout: string;
      readonly stderr: string;
    };

const ask = (program: string): Promise<Said> =>
  new Promise((resolve) => {
    execFile(
      program,
      QUERY,
      { timeout: PATIENCE_MS, killSignal: 'SIGKILL', maxBuffer: MOST_BYTES, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (error === null) resolve({ kind: 'answered', stdout, stderr });
        else if (error.code === 'ENOENT') resolve({ kind: 'absent' });
        else {
          const why =
            error.killed === true
              ? `it did not end within ${PATIENCE_MS / 1000} s`
              : `it ended with ${error.code ?? error.signal ?? 'an error'}`;
          resolve({ kind: 'failed', why, stdout, stderr });
        }
      },
    );
  });

const unreadable = (found: string) =>
  refused({
    code: 'devices-unreadable' as const,
    message: `nvidia-smi is there but named no devices (${found}), expected a line for each GPU; look at the driver (nvidia-smi, dmesg), or run on a host without one`,
  });

/** What `--query-gpu` printed, a line a GPU. A name may hold commas, so the columns are counted from both ends. */
export const parseDevices = (text: string): Result<DeviceList, Refusal<'devices-unreadable'>> => {
  const found: { readonly device: Device; readonly mig: string }[] = [];
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const columns = line.split(',').map((column) => column.trim());
    const [index = '', uuid = ''] = columns;
    const [memory = '', driver = '', mig = ''] = columns.slice(-3);
    const name = columns.slice(2, -3).join(', ');
    if (
      columns.length < 6 ||
      !/^\d{1,4}$/.test(index) ||
      !/^GPU-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid) ||
      name === '' ||
      name.length > 200 ||
      !/^\d{1,9}$|^\[.+\]$/.test(memory) ||
      !/^\d[\w.-]{0,40}$/.test(driver)
    )
      return unreadable(`the line ${JSON.stringify(line.slice(0, 200))}`);
    const memoryMb = memory.startsWith('[') ? null : Number(memory);
    found.push({ device: { index: Number(index), uuid, name, memoryMb, driver }, mig });
  }
  const uuids = new Set(found.map(({ device }) => device.uuid));
  if (found.length === 0) return unreadable('nothing');
  if (uuids.size < found.length) return unreadable('one GPU twice');
  return ok({
    devices: found.filter(({ mig }) => mig !== 'Enabled').map(({ device }) => device),
    leftOut: found
      .filter(({ mig }) => mig === 'Enabled')
      .map(({ device }) => ({ device, why: 'it is cut into MIG slices, which are not given out' })),
  });
};
