import { a, maybe, type Columns } from '#libs/exports';
import type {
  AccessRow,
  AuditPage,
  AuditRow,
  ChangeRow,
  FindingAtRow,
  IncidentRow,
  ReviewRow,
} from '#libs/read-models';
import type { Ledger } from '../ledger.ts';
import { shownAudit, type Shown } from '../private-texts.ts';

/** What the answers to regulators say, in every format and wherever they are given. */

/** Rows as they are told: with what a human wrote in clear, where its key is still there. */
export interface AuditRows {
  readonly changes: Shown<ChangeRow>;
  readonly accesses: Shown<AccessRow>;
  readonly incidents: Shown<IncidentRow>;
  readonly findingsAt: FindingAtRow;
  readonly reviews: Shown<ReviewRow>;
}

/** Views that answer regulators. */
export type AuditView = keyof AuditRows;

/** Dimensions that a row's text names and that were planted in the data on purpose. */
export interface Planted {
  readonly planted: readonly string[];
}

const PLANTED = {
  planted: a.json('Dimensions named in it that were planted in the data on purpose'),
};

const EVENT: Columns<Shown<AuditRow>> = {
  position: a.integer('Place in the log'),
  eventId: a.text('The event'),
  stream: a.text('Its stream'),
  revision: a.integer('Its place in the stream'),
  type: a.text('Its type'),
  at: a.time('When it was recorded'),
  actorRole: a.text('Role of who caused it'),
  actorId: a.text('Opaque id of who caused it'),
  studyId: maybe.text('Its study; null of what belongs to none'),
  runId: maybe.text('Its run; null of what belongs to none'),
  what: a.text('In a sentence'),
  note: maybe.text('What a human wrote in it; `(erased)` where its key is gone'),
};

const CHANGE_COLUMNS: Columns<Shown<ChangeRow> & Planted> = {
  ...EVENT,
  change: a.text('What kind of change it is'),
  subject: a.text('The mutation, finding, run, study or key that it is about'),
  summary: maybe.text('Of a mutation: what it changes, in its own words'),
  grounds: maybe.text('Why, or by which rule'),
  fromTree: maybe.text('Git tree before it'),
  toTree: maybe.text('Git tree after it'),
  differs: maybe.json(
    "Of a run that opens: how its pins and policy differ from those of the study's run before",
  ),
  approvedBy: a.json(
    'People who stand behind it: by their own act, or by accepting a finding whose chain holds it',
  ),
  ...PLANTED,
};

const ACCESS_COLUMNS: Columns<Shown<AccessRow> & Planted> = {
  ...EVENT,
  access: a.text('In which way data were read or given out'),
  dataDigest: maybe.text('SHA-256 of the data, where the event names them'),
  cells: maybe.integer('Cells given out or looked at'),
  people: maybe.integer('People in them'),
  suppressedCells: maybe.integer('Cells kept back; null: not told'),
  suppressedPeople: maybe.integer('People kept back; null: not told'),
  look: maybe.integer('The nth look at sealed rows'),
  released: maybe.text('What was released by it; null: nothing'),
  operation: maybe.text('Of a read of the ledger: which'),
  asked: maybe.json('Of a read of the ledger: what was asked for'),
  ...PLANTED,
};

const INCIDENT_COLUMNS: Columns<Shown<IncidentRow> & Planted> = {
  ...EVENT,
  incident: a.text('What happened'),
  by: maybe.text('The wall that was hit, or the rule or chart that decided'),
  reason: a.text('Why'),
  mutationId: maybe.text('The mutation that was on trial or proposed'),
  summary: maybe.text('What that mutation changes, in its own words'),
  breaches: a.json('What hit a wall: rule, found, expected, file, line'),
  undone: a.json('Mutations that were taken back, each with what it changed'),
  fromTree: maybe.text('Git tree before it'),
  toTree: maybe.text('Git tree that it went back to'),
  fired: a.json('Charts that fired, with sum and decision interval'),
  z: maybe.number("The keep rule's z"),
  threshold: maybe.number('What z had to pass'),
  observed: maybe.text('Place in the log of the observation behind it'),
  readings: maybe.json("That observation, with every chart's reading"),
  ...PLANTED,
};

const FINDING_COLUMNS: Columns<FindingAtRow & Planted> = {
  position: a.integer('Place in the log of the event that proposed it'),
  findingId: a.text('The finding'),
  studyId: a.text('Its study'),
  runId: a.text('Its run'),
  kind: a.text('line: all that stands; step: one kept mutation'),
  statement: a.text('What it claims'),
  estimate: a.number('Improvement of the log-loss a person on the sealed rows'),
  lower: a.number('Lower end of its interval'),
  upper: a.number('Upper end of its interval'),
  level: a.number('Level of the interval'),
  n: a.integer('People that it rests on'),
  toTree: a.text('Git tree of the claimed program'),
  proposedAt: a.time('When it was proposed'),
  standing: a.text('What it was by then: proposed, verified, accepted, rejected or discarded'),
  inForce: a.text('yes: the last verdict is PASS, nobody rejected it, no BLOCK discarded it'),
  verdict: maybe.text('The last verdict by then; null: none'),
  trust: maybe.text("How far the verdict rests on the operator's word"),
  verifiedAt: maybe.time('When that verdict was recorded'),
  verdictEvent: maybe.text('Place in the log of that verdict'),
  review: a.text('What people made of it by then'),
  reviewedBy: maybe.text('Opaque id of who reviewed it last by then'),
  reviewedAt: maybe.time('When'),
  acceptedAt: maybe.time('Since when the accepted line stood on it'),
  discardedAt: maybe.time('When a BLOCK discarded it'),
  ...PLANTED,
};

const REVIEW_COLUMNS: Columns<Shown<ReviewRow> & Planted> = {
  ...EVENT,
  findingId: a.text('The finding'),
  decision: a.text('accepted or rejected'),
  verdict: maybe.text('Its verdict when it was reviewed; null: it had none'),
  verdictAt: maybe.time('When that verdict was recorded'),
  verdictEvent: maybe.text('Place in the log of that verdict'),
  ...PLANTED,
};

/** Of each answer its columns, and what of a row may name a planted dimension. */
export const AUDIT_ANSWERS: {
  readonly [View in AuditView]: {
    readonly columns: Columns<AuditRows[View] & Planted>;
    readonly text: (row: AuditRows[View]) => string;
  };
} = {
  changes: {
    columns: CHANGE_COLUMNS,
    text: ({ what, summary, grounds, note }) => [what, summary, grounds, note].join(' '),
  },
  accesses: {
    columns: ACCESS_COLUMNS,
    text: ({ what, released }) => [what, released].join(' '),
  },
  incidents: {
    columns: INCIDENT_COLUMNS,
    text: ({ what, reason, note, breaches, undone }) =>
      [what, reason, note, JSON.stringify([breaches, undone])].join(' '),
  },
  findingsAt: { columns: FINDING_COLUMNS, text: ({ statement }) => statement },
  reviews: {
    columns: REVIEW_COLUMNS,
    text: ({ what, note }) => [what, note].join(' '),
  },
};

/** Rows that are read in one go where all of them are wanted. */
export const AUDIT_BATCH = 500;

/** The rows of an answer's first page and of all that follow it, as of the first, each as it is told. */
export async function* everyAuditRow<View extends AuditView>(
  ledger: Pick<Ledger, 'erasables'>,
  first: AuditPage<AuditRow | FindingAtRow>,
  ask: (more: object) => Promise<AuditPage<AuditRow | FindingAtRow>>,
): AsyncGenerator<AuditRows[View]> {
  const upTo = first.asOf?.position;
  for (let page = first; ; page = await ask({ limit: AUDIT_BATCH, cursor: page.next, upTo })) {
    yield* toldRows<View>(ledger, page.rows);
    if (page.next === null) return;
  }
}

/** Rows of a page as they are told. */
export async function* toldRows<View extends AuditView>(
  ledger: Pick<Ledger, 'erasables'>,
  rows: readonly (AuditRow | FindingAtRow)[],
): AsyncGenerator<AuditRows[View]> {
  for (const row of rows)
    yield ('note' in row ? await shownAudit(ledger, row) : row) as AuditRows[View];
}
