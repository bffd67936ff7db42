import { ABSENT, ALLOWED, CONDITIONAL, FORBIDDEN, LAST_KNOWN } from './seccomp-table.ts';

/**
 * The system call filter, as classic BPF for the kernel's seccomp: what is not listed is refused.
 * Sources: Linux `include/uapi/linux/{seccomp,filter,audit}.h`, `Documentation/userspace-api/seccomp_filter.rst`.
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
/** TIOCSTI, TIOCLINUX (both push input into a terminal), TIOCCONS (takes the console's output), TIOCSETD (line disciplines). */
const TERMINAL_TRICKS = [0x5412, 0x541c, 0x541d, 0x5423] as const;
const PR_SET_SECCOMP = 22;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NAMESPACE_FLAGS = 0x7e020000;

type Numbers = readonly [x64: number | null, arm64: number | null];

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

/** Refuses the call where an argument's low half, which is all that the kernel reads of it, is one of these. */
const exceptFor = (place: number, refused: readonly number[]): Instruction[] => [
  load(argument(place)),
  ...refused.flatMap((value) => [jump(IF_EQUAL, value, 0, 1), answer(refuseWith(EPERM))]),
  answer(ALLOW),
];

/** What each number up to the last known one is answered, whatever its arguments. */
const answers = (architecture: Architecture): readonly number[] => {
  const all = Array.from({ length: LAST_KNOWN + 1 }, () => refuseWith(ENOSYS));
  for (const [table, given] of [
    [ALLOWED, ALLOW],
    [FORBIDDEN, refuseWith(EPERM)],
    [ABSENT, refuseWith(ENOSYS)],
  ] as const)
    for (const numbers of Object.values<Numbers>(table)) {
      const number = numberOn(architecture, numbers);
      if (number !== null) all[number] = given;
    }
  return all;
};

/** Neighbours with the same answer as one: numbers from the end of the one before, up to `end`, exclusive. */
const ranges = (all: readonly number[]): readonly { readonly end: number; readonly is: number }[] =>
  all.flatMap((is, number) => (all[number + 1] === is ? [] : [{ end: number + 1, is }]));

/**
 * The filter's instructions. Another architecture's calls kill the process. A number past the table (x32 among them)
 * and every call that is in none of its parts is not in this kernel. Sockets are AF_UNIX only, clone makes no
 * namespace, ioctl plays no tricks with terminals, prctl adds no filter; {@link ALLOWED} pass, {@link FORBIDDEN} don't.
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
    ...forCall(on(CONDITIONAL.socket), ...onlyUnixSockets),
    ...forCall(on(CONDITIONAL.socketpair), ...onlyUnixSockets),
    ...forCall(
      on(CONDITIONAL.clone),
      load(argument(0)),
      jump(IF_ANY_BIT, NAMESPACE_FLAGS, 0, 1),
      answer(refuseWith(EPERM)),
      answer(ALLOW),
    ),
    ...forCall(on(CONDITIONAL.ioctl), ...exceptFor(1, TERMINAL_TRICKS)),
    ...forCall(on(CONDITIONAL.prctl), ...exceptFor(0, [PR_SET_SECCOMP])),
    ...ranges(answers(architecture)).flatMap(({ end, is }) => [
      jump(IF_AT_LEAST, end, 1, 0),
      answer(is),
    ]),
    answer(refuseWith(ENOSYS)),
  ];
};

/** A filter that lets everything through: what the other layers hold by themselves is tried behind it. */
export const LET_THROUGH: readonly Instruction[] = [answer(ALLOW)];

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
