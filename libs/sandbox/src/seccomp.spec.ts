import { describe, expect, it } from 'vitest';
import { ABSENT, ALLOWED, CONDITIONAL, FORBIDDEN, LAST_KNOWN } from './seccomp-table.ts';
import {
  ALLOW,
  type Architecture,
  assemble,
  AUDIT_ARCHITECTURES,
  EAFNOSUPPORT,
  ENOSYS,
  EPERM,
  IF_ANY_BIT,
  IF_AT_LEAST,
  IF_EQUAL,
  KILL_PROCESS,
  LOAD,
  numberOn,
  refuseWith,
  RETURN,
  seccompProgram,
} from './seccomp.ts';

interface Call {
  readonly number: number;
  readonly architecture?: number;
  readonly arguments?: readonly number[];
}

/** What the kernel would answer: runs the assembled bytes, not the instructions they came from. */
const interpret = (filter: Uint8Array, call: Call, native: number): number => {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.number >>> 0, true);
  data.setUint32(4, call.architecture ?? native, true);
  (call.arguments ?? []).forEach((value, n) => {
    data.setBigUint64(16 + 8 * n, BigInt.asUintN(64, BigInt(value)), true);
  });
  const code = new DataView(filter.buffer, filter.byteOffset, filter.byteLength);
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; at += 1) {
    const k = code.getUint32(at * 8 + 4, true);
    const branch = (taken: boolean) => {
      at += code.getUint8(at * 8 + (taken ? 2 : 3));
    };
    switch (code.getUint16(at * 8, true)) {
      case LOAD:
        accumulator = data.getUint32(k, true);
        break;
      case IF_EQUAL:
        branch(accumulator === k);
        break;
      case IF_AT_LEAST:
        branch(accumulator >= k);
        break;
      case IF_ANY_BIT:
        branch((accumulator & k) !== 0);
        break;
      case RETURN:
        return k;
      default:
        throw new Error(`unknown instruction at ${at}`);
    }
  }
  throw new Error('fell off the end');
};

describe.each<Architecture>(['x64', 'arm64'])('the filter on %s', (architecture) => {
  const native = AUDIT_ARCHITECTURES[architecture];
  const filter = assemble(seccompProgram(architecture));
  const verdict = (call: Call) => interpret(filter, call, native);
  const on = (call: keyof typeof CONDITIONAL) =>
    numberOn(architecture, CONDITIONAL[call]) ?? Number.NaN;

  it('fits what the kernel takes, and every jump lands inside', () => {
    const program = seccompProgram(architecture);
    expect(program.length).toBeLessThanOrEqual(4096);
    program.forEach(({ code, jt, jf }, at) => {
      if (code === RETURN) return;
      expect(at + 1 + Math.max(jt, jf)).toBeLessThan(program.length);
      expect(Math.max(jt, jf)).toBeLessThanOrEqual(255);
    });
  });

  it.each(Object.entries(ALLOWED))('lets %s through, whatever its arguments', (_, numbers) => {
    const number = numberOn(architecture, numbers);
    if (number === null) return;
    expect(verdict({ number })).toBe(ALLOW);
    expect(verdict({ number, arguments: [-1, -1, -1, -1, -1, -1] })).toBe(ALLOW);
  });

  it.each(['socket', 'socketpair'] as const)('lets %s make AF_UNIX only', (call) => {
    expect(verdict({ number: on(call), arguments: [1, 1, 0] })).toBe(ALLOW);
    // AF_UNSPEC, INET, INET6, NETLINK, PACKET, ALG, VSOCK, and AF_UNIX hidden above 32 bits.
    for (const family of [0, 2, 10, 16, 17, 38, 40, -1]) {
      expect(verdict({ number: on(call), arguments: [family] })).toBe(refuseWith(EAFNOSUPPORT));
    }
    expect(verdict({ number: on(call), arguments: [2 ** 32 + 2] })).toBe(refuseWith(EAFNOSUPPORT));
  });

  it('refuses clone for every namespace flag and allows it for threads and forks', () => {
    const pthread = 0x3d0f00;
    const SIGCHLD = 17;
    for (const flags of [SIGCHLD, pthread]) {
      expect(verdict({ number: on('clone'), arguments: [flags] })).toBe(ALLOW);
    }
    for (const bit of [17, 25, 26, 27, 28, 29, 30]) {
      const flags = 2 ** bit + SIGCHLD;
      expect(verdict({ number: on('clone'), arguments: [flags] })).toBe(refuseWith(EPERM));
    }
  });

  it('refuses to push input into a terminal and allows other ioctls', () => {
    // TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD; the kernel reads the low half only.
    for (const command of [0x5412, 0x541c, 0x541d, 0x5423])
      for (const high of [0, 2 ** 32])
        expect(verdict({ number: on('ioctl'), arguments: [0, high + command] })).toBe(
          refuseWith(EPERM),
        );
    expect(verdict({ number: on('ioctl'), arguments: [0, 0x5413] })).toBe(ALLOW);
  });

  it.each(Object.entries(FORBIDDEN))('forbids %s', (_, numbers) => {
    const number = numberOn(architecture, numbers);
    if (number !== null) expect(verdict({ number })).toBe(refuseWith(EPERM));
  });

  it.each(Object.entries(ABSENT))('hides %s', (_, numbers) => {
    const number = numberOn(architecture, numbers);
    if (number !== null) expect(verdict({ number })).toBe(refuseWith(ENOSYS));
  });

  it('kills a process that changes the architecture, whatever it calls', () => {
    const i386 = 0x40000003;
    const other = AUDIT_ARCHITECTURES[architecture === 'x64' ? 'arm64' : 'x64'];
    for (const foreign of [i386, other, 0]) {
      expect(verdict({ number: 0, architecture: foreign })).toBe(KILL_PROCESS);
    }
  });

  it('refuses to add a filter, whose notifications would be another way out', () => {
    expect(verdict({ number: on('prctl'), arguments: [22, 2] })).toBe(refuseWith(EPERM));
    expect(verdict({ number: on('prctl'), arguments: [38, 1] })).toBe(ALLOW);
  });

  it('refuses x32, and calls that did not exist when the table was written', () => {
    const X32 = 0x40000000;
    for (const number of [X32, X32 + 41, X32 + 520, LAST_KNOWN + 1, 511, 512, 0xffffffff]) {
      expect(verdict({ number })).toBe(refuseWith(ENOSYS));
    }
  });

  it('refuses every number that stands in no table', () => {
    const tables = [ALLOWED, FORBIDDEN, ABSENT, CONDITIONAL];
    const listed = tables
      .flatMap((table) => Object.values(table))
      .map((numbers) => numberOn(architecture, numbers));
    const others = Array.from({ length: LAST_KNOWN + 1 }, (_, number) => number).filter(
      (number) => !listed.includes(number),
    );
    expect(others.length).toBeGreaterThan(50);
    for (const number of others)
      expect([number, verdict({ number })]).toEqual([number, refuseWith(ENOSYS)]);
  });

  it('names no number twice', () => {
    const all = [CONDITIONAL, ALLOWED, ABSENT, FORBIDDEN]
      .flatMap((table) => Object.values(table))
      .map((numbers) => numberOn(architecture, numbers))
      .filter((number) => number !== null);
    expect(new Set(all).size).toBe(all.length);
  });
});
