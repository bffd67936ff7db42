import { describe, expect, it } from 'vitest';
import { collisions, isRefName, newPathProblems, pathProblems } from './paths.ts';

describe('paths of a program', () => {
  it.each([
    'a',
    'a/b.txt',
    '.gitignore',
    'git',
    'gi',
    'git~x',
    'ü/日本/🙂.md',
    'a b',
    '-x',
    'x'.repeat(512),
  ])('allows %j', (path) => expect(pathProblems(path)).toEqual([]));

  it.each([
    ['', 'empty'],
    ['/etc/passwd', 'absolute'],
    ['a//b', 'empty'],
    ['a/', 'empty'],
    ['.', 'not a name'],
    ['..', 'not a name'],
    ['a/../b', 'not a name'],
    ['./a', 'not a name'],
    ['.git', 'git reads'],
    ['.GIT/hooks/post-commit', 'git reads'],
    ['a/.Git/config', 'git reads'],
    ['.g\u200cit/config', 'invisible'],
    ['\ufeff.git', 'invisible'],
    ['.gi\u2060t', 'invisible'],
    ['a\u202etxt', 'invisible'],
    ['.g\u0131t\u0000', 'control'],
    ['git~1', 'git reads'],
    ['GIT~2/config', 'git reads'],
    ['gi7eba~1', 'git reads'],
    ['.gitattributes', 'git reads'],
    ['sub/.GitModules', 'git reads'],
    ['.git::$INDEX_ALLOCATION', 'colon'],
    ['a\\b', 'backslash'],
    ['..\\a', 'backslash'],
    ['a\0b', 'control'],
    ['a\nb', 'control'],
    ['a\x7f', 'control'],
    ['a\x85', 'control'],
    ['.git.', 'ends in a dot'],
    ['.git ', 'ends in a dot or a space'],
    ['a./b', 'ends in a dot'],
    ['u\u0308', 'normal form C'],
    ['\ud800', 'surrogate'],
    ['x'.repeat(513), '513 bytes'],
    ['ü'.repeat(257), '514 bytes'],
    ['a/'.repeat(16) + 'a', '17 levels'],
  ])('refuses %j: %s', (path, reason) => {
    expect(pathProblems(path).join('; ')).toContain(reason);
  });

  it.each(['aux', 'NUL.js', 'a/con.txt', 'LPT1', 'com¹', 'a<b', 'a|b', 'what?.js', '*'])(
    'adds none of %j, and reads it where it stands',
    (path) => {
      expect(newPathProblems(path)).toHaveLength(1);
      expect(pathProblems(path)).toEqual([]);
    },
  );

  it.each(['auxiliary.js', 'console.js', 'com10', 'lpt', 'nullable', 'a.con'])(
    'adds %j',
    (path) => {
      expect(newPathProblems(path)).toEqual([]);
    },
  );

  it('names every problem of a path', () => {
    expect(pathProblems('/../a\\b')).toHaveLength(3);
  });

  it.each([[['Model.py', 'model.py']], [['straße', 'STRASSE']], [['\u212a', 'k']], [['É', 'é']]])(
    'finds that %j collide',
    (names) => {
      expect(collisions('', names)).toHaveLength(1);
    },
  );

  it('lets names that differ stand', () => {
    expect(collisions('', ['a', 'b', 'a.b', 'e', 'é'])).toEqual([]);
  });
});

describe('names of refs', () => {
  it.each(['accepted/pay', 'runs/r-1/attempts/0', 'a.b_c-D/9'])('allows %j', (name) => {
    expect(isRefName(name)).toBe(true);
  });

  it.each([
    '',
    '/a',
    'a/',
    'a//b',
    'refs/heads/main',
    '.a',
    'a.',
    'a..b',
    'a.lock',
    'a b',
    'a~1',
    'a^',
    'a:b',
    '../x',
    '@{',
    'ü',
    'a\n',
    'x'.repeat(201),
  ])('refuses %j', (name) => expect(isRefName(name)).toBe(false));
});
