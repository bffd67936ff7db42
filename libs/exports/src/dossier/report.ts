import type { RecordedEvent } from '#libs/kernel';
import { placeOf, recorded } from '../evidence.ts';
import type { Chain } from './chain.ts';
import { moment } from './numbers.ts';

/** A piece of a text. A plain string is the report's own; the others come out of the log. */
type Inline =
  | string
  /** What a person or an agent wrote: shown as a quotation, so that nobody takes it for the report's word. */
  | { readonly kind: 'words'; readonly text: string }
  /** An id, a digest, a path. */
  | { readonly kind: 'code'; readonly text: string };

export type Text = readonly Inline[];

/** An event by `stream@revision`, which is its anchor in the appendix too. */
type EventKey = string;

export interface TableColumn {
  readonly name: string;
  /** Numbers are set flush right. */
  readonly numeric: boolean;
}

/** Events that something rests on. */
export interface Basis {
  readonly events: readonly EventKey[];
  /** Further events between the first half and the last half of them: beyond a limit a list is no help. */
  readonly more: number;
}

type BlockOf<Basis, Place, Heading> =
  /** Something about this finding: never without the events that it rests on. */
  | { readonly kind: 'statement'; readonly text: Text; readonly basis: Basis }
  /** What a word means, or what a rule is; says nothing about this finding. */
  | { readonly kind: 'note'; readonly text: Text }
  /** What the log does not hold. */
  | ({ readonly kind: 'gap'; readonly about: string; readonly text: string } & Place)
  /** Sections that say more. */
  | { readonly kind: 'see'; readonly sections: readonly Heading[] }
  | {
      readonly kind: 'table';
      readonly caption: string;
      readonly columns: readonly TableColumn[];
      readonly rows: readonly { readonly cells: readonly Text[]; readonly basis: Basis }[];
    };

/** The same gap keeps its number wherever it shows; its anchor stands at the first place. */
interface GapPlace {
  readonly number: number;
  readonly first: boolean;
}

interface Heading {
  readonly id: string;
  readonly title: string;
}

interface SectionOf<Block> extends Heading {
  readonly blocks: readonly Block[];
  readonly sections: readonly SectionOf<Block>[];
}

export type Block = BlockOf<Basis, GapPlace, Heading>;
export type Section = SectionOf<Block>;

/** Before gaps are numbered, events collected and references resolved: sections are named by their ids. */
export type DraftBlock = BlockOf<readonly RecordedEvent[], unknown, string>;
export type DraftSection = SectionOf<DraftBlock>;

/** A gap in the list at the top. */
interface GapEntry {
  readonly number: number;
  readonly about: string;
  readonly text: string;
}

/** An event in the appendix. */
interface EventEntry {
  readonly key: EventKey;
  readonly type: string;
  readonly time: string;
  readonly role: string;
  /** The actor's opaque id. */
  readonly actor: string;
  readonly hash: string;
}

/** A document as plain data: what is said, on what it rests, and what is missing. */
export interface Report {
  readonly title: string;
  readonly subtitle: string;
  /** Time of the newest event that was read: the report knows nothing later. RFC 3339. */
  readonly asOf: string;
  /** What the document is and is not, before anything else. */
  readonly lead: readonly Block[];
  readonly gaps: readonly GapEntry[];
  readonly sections: readonly Section[];
  readonly events: readonly EventEntry[];
}

interface Draft extends Pick<Report, 'title' | 'subtitle'> {
  readonly lead: readonly DraftBlock[];
  readonly sections: readonly DraftSection[];
}

// What both forms say around the sections.
export const AS_OF = ({ asOf }: Report): string =>
  `As of ${moment(asOf)}, the newest event that it knows.`;
export const ABOUT_GAPS =
  'What the log does not hold and somebody else has to say, in the order in which it comes up:';
export const APPENDIX: Section = {
  ...{ id: 'events', title: 'Appendix: the events' },
  ...{ blocks: [], sections: [] },
};
export const ABOUT_APPENDIX =
  'Each event that a statement rests on, by stream and revision, with who caused it (role and opaque id) and the SHA-256 of its stored bytes.';
export const EVENT_COLUMNS = ['Event', 'Type', 'Time', 'Actor', 'Hash'] as const;

/** Text with values of the log in it. */
export const say = (
  strings: TemplateStringsArray,
  ...values: readonly (Inline | readonly Inline[])[]
): Text =>
  strings.flatMap((own, at) => [own, values[at] ?? ''].flat()).filter((piece) => piece !== '');

export const words = (text: string): Inline => ({ kind: 'words', text });
export const code = (text: string): Inline => ({ kind: 'code', text });
/** `a, b, c` */
export const codes = (texts: readonly string[]): readonly Inline[] =>
  texts.flatMap((text, at) => (at === 0 ? [code(text)] : [', ', code(text)]));

/** @param basis - the events that say so; undefined and null are left out */
export const statement = (
  text: Text,
  ...basis: readonly (RecordedEvent | null | undefined)[]
): DraftBlock => ({
  kind: 'statement',
  text,
  basis: recorded(basis),
});

export const note = (text: Text): DraftBlock => ({ kind: 'note', text });

/** What is said of a gap where there is no more to say. */
const NOTHING_HELD = 'The log holds nothing about this; the provider has to say it.';

export const gap = (about: string, text: string = NOTHING_HELD): DraftBlock => ({
  kind: 'gap',
  about,
  text,
});

export const see = (...sections: readonly string[]): DraftBlock => ({
  kind: 'see',
  sections,
});

/** Blocks stand before the sections below. */
export const section = (
  id: string,
  title: string,
  content: readonly (DraftBlock | DraftSection)[],
): DraftSection => ({
  id,
  title,
  blocks: content.filter((one): one is DraftBlock => 'kind' in one),
  sections: content.filter((one): one is DraftSection => !('kind' in one)),
});

/** Columns by name; one that starts with `#` holds numbers. */
export const table = (
  caption: string,
  columns: readonly string[],
  rows: readonly { readonly cells: readonly Text[]; readonly basis: readonly RecordedEvent[] }[],
): DraftBlock => ({
  kind: 'table',
  caption,
  columns: columns.map((name) =>
    name.startsWith('#') ? { name: name.slice(1), numeric: true } : { name, numeric: false },
  ),
  rows,
});

/** Beyond so many rows a table is no reading any more. */
export const MOST_ROWS = 200;

const DIGEST = /[0-9a-f]{64}/u;

/** `run-pay-1@17, @23, data-903379ff76c2…@0`: the stream is named where it changes, a digest in it by its beginning. */
export const labelled = ({ events }: Basis): readonly (readonly [EventKey, string])[] =>
  events.map((key, at) => {
    const stream = key.slice(0, key.lastIndexOf('@'));
    const before = events[at - 1];
    if (before?.startsWith(`${stream}@`) === true) return [key, key.slice(stream.length)];
    return [key, key.replace(DIGEST, (digest) => `${digest.slice(0, 12)}…`)];
  });

/** What is said of the events that are not listed. */
export const unlisted = ({ more }: Basis): string =>
  more === 0 ? '' : ` and ${more} more between them`;

// What acts on text instead of being read: controls, marks of direction and of no width, and halves of characters.
const UNSEEN =
  /[\p{Cc}\p{Zl}\p{Zp}\u00AD\u061C\u115F\u1160\u180E\u200B-\u200F\u202A-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFC\u{E0000}-\u{E0FFF}\p{Cs}]|\u034F|\u17B4|\u17B5|[\uFE00-\uFE0F]/gu;

/** The text with everything in it that would not show, or would change how the rest shows, written out as `[U+202E]`. */
const visible = (text: string): string => text.replace(UNSEEN, nameOfCharacter);

/** `[U+202E]` */
export const nameOfCharacter = (character: string): string =>
  `[U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`;

const visibleText = (text: Text): Text =>
  text.map((piece) =>
    typeof piece === 'string' ? visible(piece) : { ...piece, text: visible(piece.text) },
  );

const titlesOf = (sections: readonly DraftSection[]): readonly (readonly [string, string])[] =>
  sections.flatMap(({ id, title, sections: below }) => [[id, title] as const, ...titlesOf(below)]);

/** Events that are named for one statement: a run of thousands of attempts has to fit in a document. */
const MOST_CITED = 80;

/**
 * Numbers the gaps in the order in which they show, collects the events that are named, by stream and revision, and
 * resolves references.
 *
 * @throws Error for a statement that rests on nothing and a reference that leads nowhere: bugs of a template
 */
export const compose = (
  { streams, newest }: Pick<Chain, 'streams' | 'newest'>,
  draft: Draft,
): Report => {
  const order = streams.map(([first]) => first?.stream);
  const titles = new Map(titlesOf(draft.sections));
  const gaps = new Map<string, GapEntry>();
  const events = new Map<EventKey, RecordedEvent>();

  const rank = ({ stream }: RecordedEvent): number => order.indexOf(stream);
  const inOrder = (one: RecordedEvent, other: RecordedEvent): number =>
    rank(one) - rank(other) || one.revision - other.revision;

  const cite = (basis: readonly RecordedEvent[], text: Text): Basis => {
    if (basis.length === 0)
      throw new Error(`a statement rests on no event: ${JSON.stringify(text)}`);
    const all = [...new Map(basis.map((event) => [placeOf(event), event])).values()].sort(inOrder);
    const more = Math.max(0, all.length - MOST_CITED);
    const cited =
      more === 0 ? all : [...all.slice(0, MOST_CITED / 2), ...all.slice(-MOST_CITED / 2)];
    for (const event of cited) events.set(placeOf(event), event);
    return { events: cited.map(placeOf), more };
  };

  const blockOf = (block: DraftBlock): Block => {
    switch (block.kind) {
      case 'statement':
        return {
          kind: 'statement',
          text: visibleText(block.text),
          basis: cite(block.basis, block.text),
        };
      case 'note':
        return { kind: 'note', text: visibleText(block.text) };
      case 'gap': {
        const about = visible(block.about);
        const text = visible(block.text);
        const known = gaps.get(about);
        if (known !== undefined && known.text !== text)
          throw new Error(`two texts for the gap "${about}"`);
        const entry = known ?? { number: gaps.size + 1, about, text };
        gaps.set(about, entry);
        return { kind: 'gap', ...entry, first: known === undefined };
      }
      case 'see':
        return {
          kind: 'see',
          sections: block.sections.map((id) => {
            const title = titles.get(id);
            if (title === undefined) throw new Error(`no section ${id} to refer to`);
            return { id, title };
          }),
        };
      case 'table':
        return {
          kind: 'table',
          caption: visible(block.caption),
          columns: block.columns,
          rows: block.rows.map(({ cells, basis }) => ({
            cells: cells.map(visibleText),
            basis: cite(basis, cells[0] ?? []),
          })),
        };
    }
  };

  const sectionOf = ({ id, title, blocks, sections }: DraftSection): Section => ({
    id,
    title,
    blocks: blocks.map(blockOf),
    sections: sections.map(sectionOf),
  });

  const lead = draft.lead.map(blockOf);
  const sections = draft.sections.map(sectionOf);
  return {
    title: visible(draft.title),
    subtitle: visible(draft.subtitle),
    asOf: newest.metadata.time,
    lead,
    gaps: [...gaps.values()],
    sections,
    events: [...events.values()].sort(inOrder).map((event) => ({
      key: placeOf(event),
      type: event.type,
      time: event.metadata.time,
      role: event.metadata.actor.role,
      actor: visible(event.metadata.actor.id),
      hash: event.hash,
    })),
  };
};
