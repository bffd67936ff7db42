/**
 * The system call filter, as classic BPF for the kernel's seccomp.
 * Sources: Linux `include/uapi/linux/{seccomp,filter,audit}.h`, `Documentation/userspace-api/seccomp_filter.rst`;
 * numbers from `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`.
 */

export type Architecture = 'x64' | 'arm64';

/** One classic BPF instruction: code, jump if true, jump if false (both relative to the next), constant. */
export interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

export const LOAD = 0x20;
export const IF_EQUAL = 0x15;
export const IF_AT_LEAST = 0x35;
export const IF_ANY_BIT = 0x45;
export const RETURN = 0x06;

export const ALLOW = 0x7fff0000;
export const KILL_PROCESS = 0x80000000;
export const refuseWith = (errno: number): number => 0x00050000 | errno;

export const EPERM = 1;
export const ENOSYS = 38;
export const EAFNOSUPPORT = 97;

/** AUDIT_ARCH_*: the calling convention, which a process may change from call to call. */
export const AUDIT_ARCHITECTURES = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;

/** Where `struct seccomp_data` keeps what is tested; both architectures are little-endian. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const argument = (n: number): number => 16 + 8 * n;

const AF_UNIX = 1;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NAMESPACE_FLAGS = 0x7e020000;

/** Calls above this number came after this table was written: refused until somebody has read what they do. */
const LAST_KNOWN = 469;

type Numbers = readonly [x64: number | null, arm64: number | null];

export const SYSTEM_CALLS = {
  socket: [41, 198],
  socketpair: [53, 199],
  clone: [56, 220],
  clone3: [435, 435],
  ioctl: [16, 29],
} as const satisfies Record<string, Numbers>;

/** Refused with EPERM: other processes, mounts and namespaces, kernel surface that a training never needs. */
export const FORBIDDEN = {
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  kcmp: [312, 272],
  pidfd_getfd: [438, 438],
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  open_tree_attr: [467, 467],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  fanotify_init: [300, 262],
  unshare: [272, 97],
  setns: [308, 268],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  swapon: [167, 224],
  swapoff: [168, 225],
  reboot: [169, 142],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  syslog: [103, 116],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  personality: [135, 92],
  lookup_dcookie: [212, 18],
  nfsservctl: [180, 42],
  vhangup: [153, 58],
  iopl: [172, null],
  ioperm: [173, null],
  modify_ldt: [154, null],
  uselib: [134, null],
} as const satisfies Record<string, Numbers>;

/**
 * Answered "not in this kernel". clone3, because a filter can't read its flags behind a pointer (libraries fall
 * back to clone); the others, because they make memory that belongs to no process and so escapes the bound.
 */
export const ABSENT = {
  clone3: SYSTEM_CALLS.clone3,
  memfd_create: [319, 279],
  memfd_secret: [447, 447],
  shmget: [29, 194],
  shmat: [30, 196],
  msgget: [68, 186],
  semget: [64, 190],
} as const satisfies Record<string, Numbers>;

/** The call's number on an architecture; null where it does not exist. */
export const numberOn = (architecture: Architecture, numbers: Numbers): number | null =>
  architecture === 'x64' ? numbers[0] : numbers[1];

const load = (offset: number): Instruction => ({ code: LOAD, jt: 0, jf: 0, k: offset });
const answer = (k: number): Instruction => ({ code: RETURN, jt: 0, jf: 0, k });
const jump = (code: number, k: number, jt: number, jf: number): Instruction => ({
  code,
  jt,
  jf,
  k,
});

/** `body` for the call with this number; others skip it. A body always ends in an answer. */
const forCall = (number: number | null, ...body: Instruction[]): Instruction[] =>
  number === null ? [] : [jump(IF_EQUAL, number, 0, body.length), ...body];

/**
 * The filter's instructions. Everything is allowed except: another architecture's calls (the process is killed);
 * numbers past the table, x32 among them; sockets other than AF_UNIX; clone with namespace flags; pushing input
 * into a terminal; {@link FORBIDDEN} and {@link ABSENT}.
 */
export const seccompProgram = (architecture: Architecture): readonly Instruction[] => {
  const on = (numbers: Numbers): number | null => numberOn(architecture, numbers);
  const onlyUnixSockets = [
    load(argument(0)),
    jump(IF_EQUAL, AF_UNIX, 0, 1),
    answer(ALLOW),
    answer(refuseWith(EAFNOSUPPORT)),
  ];
  return [
    load(ARCHITECTURE),
    jump(IF_EQUAL, AUDIT_ARCHITECTURES[architecture], 1, 0),
    answer(KILL_PROCESS),
    load(NUMBER),
    jump(IF_AT_LEAST, LAST_KNOWN + 1, 0, 1),
    answer(refuseWith(ENOSYS)),
    ...forCall(on(SYSTEM_CALLS.socket), ...onlyUnixSockets),
    ...forCall(on(SYSTEM_CALLS.socketpair), ...onlyUnixSockets),
    ...forCall(
      on(SYSTEM_CALLS.clone),
      load(argument(0)),
      jump(IF_ANY_BIT, NAMESPACE_FLAGS, 0, 1),
      answer(refuseWith(EPERM)),
      answer(ALLOW),
    ),
    ...forCall(
      on(SYSTEM_CALLS.ioctl),
      load(argument(1)),
      jump(IF_EQUAL, TIOCSTI, 1, 0),
      jump(IF_EQUAL, TIOCLINUX, 0, 1),
      answer(refuseWith(EPERM)),
      answer(ALLOW),
    ),
    ...Object.values(ABSENT).flatMap((call) => forCall(on(call), answer(refuseWith(ENOSYS)))),
    ...Object.values(FORBIDDEN).flatMap((call) => forCall(on(call), answer(refuseWith(EPERM)))),
    answer(ALLOW),
  ];
};

/** The instructions as the kernel reads them: an array of `struct sock_filter`, 8 bytes each, little-endian. */
export const assemble = (program: readonly Instruction[]): Uint8Array => {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jt, jf, k }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  });
  return bytes;
};
