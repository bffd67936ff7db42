/** Where something stands in a bundle, and what it is: every byte belongs to a class. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export type Group =
  'header' | 'object' | 'event' | 'leaf' | 'notary' | 'summary' | 'end' | 'line feed';

export interface PositionClass {
  readonly group: Group;
  readonly name: string;
  readonly spans: Span[];
}

interface Token extends Span {
  readonly path: string;
}

const STRING = /"(?:[^"\\]|\\.)*"/y;
const PRIMITIVE = /true|false|null|-?[0-9][0-9.eE+-]*/y;

/** The members of a line of JSON: each value and each name, by the path that leads to it. */
const tokensOf = (line: string): readonly Token[] => {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): Span => {
    pattern.lastIndex = at;
    const found = pattern.exec(line);
    if (found === null) throw new Error(`no JSON at ${at}: ${line.slice(at, at + 40)}`);
    const span = { from: at, to: at + found[0].length };
    at = span.to;
    return span;
  };
  const value = (path: string): void => {
    if (line[at] === '{') {
      at += 1;
      while (line[at] !== '}') {
        if (line[at] === ',') at += 1;
        const name = match(STRING);
        const inner = `${path}.${line.slice(name.from + 1, name.to - 1)}`;
        tokens.push({ ...name, path: '.name of a member' });
        at += 1;
        value(inner);
      }
      at += 1;
    } else if (line[at] === '[') {
      at += 1;
      while (line[at] !== ']') {
        if (line[at] === ',') at += 1;
        value(`${path}[]`);
      }
      at += 1;
    } else tokens.push({ ...match(line[at] === '"' ? STRING : PRIMITIVE), path });
  };
  value('');
  return tokens;
};

/** A signed note is three things: the text, the name of who signed, the signature. */
const noteSpans = (line: string, { from, to, path }: Token): readonly Token[] => {
  const text = line.slice(from, to);
  const split = text.lastIndexOf('\\n\\n');
  if (split < 0) return [{ from, to, path }];
  return [
    { from, to: from + split, path: `${path}, its text` },
    { from: from + split + 4, to, path: `${path}, its signatures` },
  ];
};

const groupOf = (line: string, path: string): Group => {
  if (line.startsWith('{"format"')) return 'header';
  if (line.startsWith('{"content"')) return 'object';
  if (line.startsWith('{"lines"')) return 'end';
  if (line.startsWith('{"part":"summary"')) return 'summary';
  if (path.startsWith('.leaf')) return 'leaf';
  return line.includes(',"stream":"notary","type":"') ? 'notary' : 'event';
};

const subjectOf = (line: string, group: Group): string => {
  if (group === 'object') return `object ${/"type":"([a-z]+)"\}$/.exec(line)?.[1] ?? ''}`;
  return /"type":"([A-Za-z]+)"\}(?:,"leaf".*)?,"part":"event"\}$/.exec(line)?.[1] ?? group;
};

/** Every class of positions that these bytes have. */
export const classesOf = (bytes: Uint8Array): ReadonlyMap<string, PositionClass> => {
  const classes = new Map<string, PositionClass>();
  const add = (group: Group, name: string, span: Span): void => {
    const known = classes.get(name);
    if (known === undefined) classes.set(name, { group, name, spans: [span] });
    else known.spans.push(span);
  };
  // A character a byte, so that places in the text are places in the file.
  const text = Buffer.from(bytes).toString('latin1');
  let start = 0;
  for (const line of text.slice(0, -1).split('\n')) {
    const tokens = tokensOf(line).flatMap((token) =>
      token.path.endsWith('.note') ? noteSpans(line, token) : [token],
    );
    const whole = groupOf(line, '');
    const subject = subjectOf(line, whole);
    let last = 0;
    for (const { from, to, path } of tokens) {
      const group = groupOf(line, path);
      add(group, `${subject} ${path.slice(1)}`, { from: start + from, to: start + to });
      if (from > last)
        add(group, `${subject}, its punctuation`, { from: start + last, to: start + from });
      last = to;
    }
    if (line.length > last)
      add(whole, `${subject}, its last punctuation`, {
        from: start + last,
        to: start + line.length,
      });
    add('line feed', `line feed after ${subject}`, {
      from: start + line.length,
      to: start + line.length + 1,
    });
    start += line.length + 1;
  }
  return classes;
};
