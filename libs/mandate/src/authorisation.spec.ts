import { describe, expect, it } from 'vitest';
import { ROLES } from '#libs/kernel';
import { ACTORS, ACTS, authorise, MANDATE, rolesForCommand, rolesForOperation } from './index.ts';

interface ActOfTable {
  readonly name: string;
  readonly row: string | null;
  readonly roles: readonly string[];
  readonly commands: readonly string[];
  readonly operations: readonly string[];
}

const acts: readonly ActOfTable[] = Object.entries(ACTS).map(([name, act]) => ({ name, ...act }));

describe('the table of acts', () => {
  it.each(MANDATE.filter(({ allowed }) => allowed))(
    'lets an agent do $row, and only it',
    ({ row }) => {
      const under = acts.filter((act) => act.row === row);
      expect(under.length).toBeGreaterThan(0);
      for (const { roles, commands, operations } of under) {
        expect(roles).toEqual(['agent']);
        expect(commands.length).toBeGreaterThan(0);
        expect(operations.length).toBeGreaterThan(0);
      }
    },
  );

  it.each(MANDATE.filter(({ allowed }) => !allowed))('keeps an agent from $row', ({ row }) => {
    const under = acts.filter((act) => act.row === row);
    expect(under.length).toBeGreaterThan(0);
    for (const { roles, commands, operations } of under) {
      expect(roles).not.toContain('agent');
      expect(roles).not.toContain('harness');
      // What is nobody's has no way in at all.
      if (roles.length === 0) expect([...commands, ...operations]).toEqual([]);
    }
  });

  it('keeps an agent from everything outside the mandate', () => {
    for (const { row, roles } of acts) if (row === null) expect(roles).not.toContain('agent');
  });

  it('names each command and each operation once', () => {
    for (const all of [
      acts.flatMap(({ commands }) => commands),
      acts.flatMap(({ operations }) => operations),
    ])
      expect(new Set(all).size).toBe(all.length);
  });

  it('gives the acceptance of a finding to reviewers alone', () => {
    expect(rolesForCommand('ReviewFinding')).toEqual(['reviewer']);
    expect(rolesForOperation('reviewFinding')).toEqual(['reviewer']);
  });
});

describe('authorise', () => {
  it.each(
    acts.flatMap(({ commands, roles }) => commands.map((command) => [command, roles] as const)),
  )('lets %s through from its roles only', (command, roles) => {
    for (const role of ACTORS)
      expect(authorise({ role }, command).ok, role).toBe(roles.includes(role));
  });

  it.each(['AcceptFinding', 'ApplyFinding', 'OverrideVerdict', 'ReadRow', '', 'constructor'])(
    'refuses %s, which no act has, from everybody',
    (command) => {
      for (const role of ACTORS)
        expect(authorise({ role }, command)).toMatchObject({
          ok: false,
          error: { code: 'not-authorised', message: expect.stringContaining('nobody') },
        });
      for (const role of ROLES) expect(rolesForOperation(command)).not.toContain(role);
    },
  );
});
