import { globSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { EVENT_TYPES } from '#libs/payloads';
import { anchor, code, page, table } from './markdown.ts';
import { declarationsOf, docOf, docOfConstant } from './typescript-source.ts';

/** Where the types of payloads are declared. */
const TYPE_FILES = [
  'budget/src/events.ts',
  'divergence/src/events.ts',
  'divergence/src/keep-rule.ts',
  'erasures/src/events.ts',
  'findings/src/events.ts',
  'fleet/src/events.ts',
  'harness/src/observation.ts',
  'harness/src/policy.ts',
  'kernel/src/artefact.ts',
  'kernel/src/envelope.ts',
  'kernel/src/private-text.ts',
  'ledger-reads/src/events.ts',
  'notary/src/events.ts',
  'run/src/events.ts',
  'studies/src/data-events.ts',
  'studies/src/events.ts',
];

/** Which stream holds an event, by where its type is declared. */
const STREAMS = [
  { title: 'Run', stream: 'run-<id>', files: ['run/', 'budget/', 'divergence/'] },
  { title: 'Finding', stream: 'finding-<id>', files: ['findings/'] },
  { title: 'Study', stream: 'study-<id>', files: ['studies/src/events.ts'] },
  { title: 'Data', stream: 'data-<digest>', files: ['studies/src/data-events.ts'] },
  { title: 'Fleet', stream: 'fleet', files: ['fleet/'] },
  { title: 'Erasures', stream: 'erasures', files: ['erasures/'] },
  { title: 'Reads of the ledger', stream: 'access-<reader>', files: ['ledger-reads/'] },
  { title: 'Notary', stream: 'notary', files: ['notary/'] },
] as const;

/** Decorators that say what the type says already. */
const SAID_BY_THE_TYPE = [
  'Nullable',
  'Nested',
  'NestedList',
  'OneOf',
  'Flag',
  'Matches',
  'FitsOne',
  'EachFitsOne',
];

interface Field {
  readonly name: string;
  readonly type: string;
  readonly check: string;
  readonly doc: string;
}

/** The reference of every event: `docs/reference/events.md`. */
export const eventsPage = (root: string): string => {
  const libs = join(root, 'libs');
  const { types, constants } = declarationsOf(TYPE_FILES.map((file) => join(libs, file)));
  const payloads = declarationsOf(
    globSync(join(libs, 'payloads/src/*.ts')).filter((file) => !file.endsWith('.spec.ts')),
  );
  /** Shapes that were linked to, and so are to be explained. */
  const linked = new Set<string>();
  const checksUsed = new Set<string>();

  const membersOf = (name: string): ts.NodeArray<ts.TypeElement> | null => {
    const declared = types.get(name);
    if (declared === undefined) return null;
    if (ts.isInterfaceDeclaration(declared)) return declared.members;
    return ts.isTypeLiteralNode(declared.type) ? declared.type.members : null;
  };

  /** The values of `(typeof LIST)[number]`; null for any other type. */
  const listed = (node: ts.TypeNode): readonly string[] | null => {
    const list = /^\(typeof (\w+)\)\[number\]$/.exec(node.getText())?.[1];
    const initializer = list === undefined ? undefined : constants.get(list)?.initializer;
    if (initializer === undefined || !ts.isAsExpression(initializer)) return null;
    if (!ts.isArrayLiteralExpression(initializer.expression)) return null;
    return initializer.expression.elements.filter(ts.isStringLiteral).map(({ text }) => text);
  };

  const say = (node: ts.TypeNode): string => {
    if (ts.isParenthesizedTypeNode(node)) return say(node.type);
    if (ts.isTypeOperatorNode(node)) return say(node.type);
    if (ts.isArrayTypeNode(node)) {
      const each = say(node.elementType);
      return each === '' ? 'list' : `list of ${each}`;
    }
    if (ts.isUnionTypeNode(node))
      return node.types
        .map(say)
        .filter((part) => part !== '')
        .join(' or ');
    if (ts.isTypeLiteralNode(node)) return '';
    const values = listed(node);
    if (values !== null) return values.map(code).join(' or ');
    if (ts.isLiteralTypeNode(node) && ts.isStringLiteral(node.literal))
      return code(node.literal.text);
    if (ts.isIndexedAccessTypeNode(node)) {
      const [owner, key] = [
        node.objectType.getText(),
        node.indexType.getText().replaceAll("'", ''),
      ];
      const member = membersOf(owner)?.find((each) => each.name?.getText() === key);
      if (member !== undefined && ts.isPropertySignature(member) && member.type !== undefined)
        return say(member.type);
    }
    const name = ts.isTypeReferenceNode(node) ? node.typeName.getText() : '';
    const declared = types.get(name);
    if (declared === undefined) return code(node.getText().replace(/\s+/g, ' '));
    // A union of words reads better where it stands than behind a link.
    if (ts.isTypeAliasDeclaration(declared)) {
      const words = listed(declared.type);
      if (words !== null) return words.map(code).join(' or ');
      if (
        ts.isUnionTypeNode(declared.type) &&
        membersOf(name) === null &&
        !/\{/.test(declared.type.getText())
      )
        return say(declared.type);
    }
    linked.add(name);
    return `[${name}](#${anchor(name)})`;
  };

  const decorators = (property: ts.PropertyDeclaration | undefined): readonly ts.CallExpression[] =>
    (property === undefined ? [] : (ts.getDecorators(property) ?? []))
      .map(({ expression }) => expression)
      .filter(ts.isCallExpression);

  const propertyOf = (owner: ts.ClassDeclaration | undefined, name: string) =>
    owner?.members.filter(ts.isPropertyDeclaration).find((each) => each.name.getText() === name);

  const checkOf = (property: ts.PropertyDeclaration | undefined): string =>
    decorators(property)
      .filter(({ expression }) => !SAID_BY_THE_TYPE.includes(expression.getText()))
      .map((call) => {
        checksUsed.add(call.expression.getText());
        return code(call.getText().replace(/\(\)$/, ''));
      })
      .join(', ');

  /** The class that checks what is nested in a property. */
  const nestedClass = (property: ts.PropertyDeclaration | undefined) => {
    const nested = decorators(property).find(({ expression }) =>
      ['Nested', 'NestedList'].includes(expression.getText()),
    );
    return payloads.classes.get(nested?.arguments[0]?.getText().replace(/^\(\) => /, '') ?? '');
  };

  /** The literal that a type holds, in a list or beside null. */
  const literalIn = (node: ts.TypeNode): ts.TypeLiteralNode | null => {
    if (ts.isTypeLiteralNode(node)) return node;
    if (ts.isArrayTypeNode(node)) return literalIn(node.elementType);
    if (ts.isTypeOperatorNode(node) || ts.isParenthesizedTypeNode(node))
      return literalIn(node.type);
    return null;
  };

  const fieldsOf = (
    members: ts.NodeArray<ts.TypeElement>,
    checkedBy: ts.ClassDeclaration | undefined,
    prefix = '',
  ): readonly Field[] =>
    members.filter(ts.isPropertySignature).flatMap((member) => {
      if (member.type === undefined) throw new Error(`${member.getText()} has no type`);
      const property = propertyOf(checkedBy, member.name.getText());
      const name = `${prefix}${member.name.getText()}`;
      const own = {
        name,
        type: say(member.type) || 'object',
        check: checkOf(property),
        doc: docOf(member),
      };
      const inner = literalIn(member.type);
      if (inner === null) return [own];
      const below = `${name}${own.type.startsWith('list') ? '[]' : ''}.`;
      return [own, ...fieldsOf(inner.members, nestedClass(property), below)];
    });

  const fieldTable = (fields: readonly Field[]): string =>
    table(
      ['field', 'type', 'checked as', 'meaning'],
      fields.map(({ name, type, check, doc }) => [code(name), type, check, doc]),
    );

  const event = (type: string): string => {
    const alias = types.get(type);
    const data =
      alias !== undefined && ts.isTypeAliasDeclaration(alias) && ts.isTypeReferenceNode(alias.type)
        ? alias.type.typeArguments?.[1]
        : undefined;
    if (alias === undefined || data === undefined || !ts.isTypeLiteralNode(data))
      throw new Error(
        `found no "type ${type} = Fact<'${type}', { … }>" in ${TYPE_FILES.join(', ')}`,
      );
    const doc = docOf(alias);
    if (doc === '') throw new Error(`${type} has no TSDoc: say what it records`);
    return [
      `### ${type}`,
      doc,
      fieldTable(fieldsOf(data.members, payloads.classes.get(`${type}Payload`))),
    ].join('\n\n');
  };

  const shape = (name: string): string => {
    const declared = types.get(name);
    if (declared === undefined) throw new Error(`found no type ${name}`);
    const members = membersOf(name);
    const checkedBy = [...payloads.classes.values()].find((each) =>
      each.heritageClauses?.some((clause) => clause.types.some((type) => type.getText() === name)),
    );
    const body =
      members === null
        ? `\`\`\`ts\n${declared.getText()}\n\`\`\``
        : fieldTable(fieldsOf(members, checkedBy));
    return [`### ${name}`, docOf(declared), body].filter((block) => block !== '').join('\n\n');
  };

  const streamOf = (type: string): (typeof STREAMS)[number] => {
    const file = types.get(type)?.getSourceFile().fileName ?? '';
    const stream = STREAMS.find(({ files }) =>
      files.some((place) => file.includes(`libs/${place}`)),
    );
    if (stream === undefined) throw new Error(`${type} belongs to no stream`);
    return stream;
  };

  const streams = STREAMS.map(({ title, stream }) => {
    const mine = EVENT_TYPES.filter(({ type }) => streamOf(type).title === title);
    return [`## ${title}: stream \`${stream}\``, ...mine.map(({ type }) => event(type))].join(
      '\n\n',
    );
  });
  linked.add('HashedBody');
  const explained: string[] = [];
  // A shape may link to more of them: a Set goes on with what is added meanwhile.
  for (const name of linked) explained.push(shape(name));
  const legend = [...checksUsed].sort().map((name) => {
    const declared = payloads.constants.get(name);
    return [code(name), declared === undefined ? '' : docOfConstant(declared)];
  });

  return page('Events', 'the TypeScript sources and payload classes under libs/', [
    `Everything that Holdfast knows is one of these ${EVENT_TYPES.length} event types. The table says in which version each is written; what was written in an older one is read for ever. An event is immutable: stored as RFC 8785 canonical JSON, hashed with SHA-256, chained to the one before it in its stream. \`holdfast show RUN --json\` prints them, one a line. Members are \`null\` where there is nothing to say, never absent.`,
    table(
      ['event', 'version', 'stream', 'what it records'],
      EVENT_TYPES.map(({ type, version }) => [
        `[${type}](#${anchor(type)})`,
        String(version),
        code(streamOf(type).stream),
        firstSentence(docOf(types.get(type)!)),
      ]),
    ),
    ...streams,
    '## Shapes',
    ...explained,
    '## How members are checked',
    'A payload that does not fit its class is refused before it is written; validation never changes one.',
    table(['check', 'what it asks'], legend),
  ]);
};

const firstSentence = (text: string): string => /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;
