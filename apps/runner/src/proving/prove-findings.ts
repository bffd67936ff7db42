import { cellCount } from '#libs/harness';
import { score, sealedContrast } from '#libs/evaluator';
import { lookOf, statementOf, type FindingProposed, type Look } from '#libs/findings';
import { deriveId, type RecordedEvent, type Refusal, type Result } from '#libs/kernel';
import { attemptsOf, cohortDimensions, type CloseRun, type RunEvent } from '#libs/run';
import { HARNESS } from '../actors.ts';
import { commandId, readPredictions, type EffectContext } from '../effects/context.ts';
import { findingAt } from './fork-streams.ts';
import { claimOf, comparisons, type Comparison } from './claims.ts';
import { proposedHashOf, recordVerdict, verdictOn } from './verify.ts';

/**
 * Claims what the standing line has to say, scores it once on the sealed rows, verifies each finding's chain. Every
 * append is idempotent by the run, so that it can be cut anywhere and called again; the run is closed with what the
 * finding streams say.
 */
export const proveFindings = async (context: EffectContext): Promise<CloseRun> => {
  const { home, opened, runId, state } = context;
  const { studyId } = opened;
  await settle(() =>
    home.studies.send(
      studyId,
      {
        type: 'CountSpend',
        id: deriveId('count-spend', runId),
        data: { runId, spent: state.budget.total - state.budget.remaining },
      },
      HARNESS,
    ),
  );
  const claims =
    canBeScored(context) && (await isProved(context)) ? comparisons([...state.line]) : [];
  const findings: CloseRun['data']['findings'][number][] = [];
  if (claims.length > 0) {
    const look = await openSealedRows(context, claims.length);
    const runHead = await loopEnd(context);
    for (const [index, comparison] of claims.entries()) {
      const findingId = `${runId}-f${index + 1}`;
      await propose(context, comparison, {
        findingId,
        number: index + 1,
        look,
        runHead,
      });
      findings.push({ findingId, verdict: await verifyOnce(context, findingId) });
    }
  }
  return { type: 'CloseRun', id: commandId(context, 'CloseRun'), data: { findings } };
};

/** Without a cohort of sealed people that is large enough nothing can be claimed: the run closes without findings. */
const canBeScored = ({ study, opened }: EffectContext): boolean => {
  const { minimumCell } = opened.policy.data;
  const even = new Float64Array(cellCount(cohortDimensions(opened))).fill(0.5);
  return score(even, study.vault.counts.sealed.cells, minimumCell) !== null;
};

/**
 * Whether the state that the run started from leads back to the source: a fork of one that no finding leads to claims
 * nothing, so that no look at the sealed rows is spent on what could only be BLOCK.
 */
const isProved = async ({ home, opened: { forkedFrom } }: EffectContext): Promise<boolean> => {
  if (forkedFrom === null || forkedFrom.mutationId === null) return true;
  const findingId = await findingAt(home, forkedFrom);
  return findingId !== null && (await home.findings.load(findingId)).state.status === 'passed';
};

/** Other runs of the study, or another runner of this one, may be faster now and then; more often is no race. */
const PATIENCE = 20;

/** Sends a command that decides nothing when it is repeated, until it is through. */
const settle = async (send: () => Promise<Result<unknown, Refusal>>): Promise<void> => {
  for (let attempt = 1; ; attempt += 1) {
    const sent = await send();
    if (sent.ok) return;
    if (sent.error.code !== 'lost-race' || attempt === PATIENCE)
      throw new Error(sent.error.message);
  }
};

/**
 * The look stands in the data's stream and in the study's before the rows are scored. Either names the run, so that a
 * run that was cut off in between goes on with the look that it had.
 */
const openSealedRows = async (
  { home, opened, runId }: EffectContext,
  claims: number,
): Promise<Look> => {
  const { studyId, pins } = opened;
  const { dataDigest } = pins;
  await settle(() =>
    home.data.send(
      dataDigest,
      {
        type: 'CountLook',
        id: deriveId('count-look', runId),
        data: { dataDigest, studyId, runId },
      },
      HARNESS,
    ),
  );
  await settle(() =>
    home.studies.send(
      studyId,
      { type: 'OpenSealedRows', id: deriveId('open-sealed', runId), data: { runId } },
      HARNESS,
    ),
  );
  const ofStudy = (await home.studies.load(studyId)).state.lookedAt.get(runId);
  const ofData = (await home.data.load(dataDigest)).state.looks.get(runId);
  if (ofStudy === undefined || ofData === undefined)
    throw new Error(`no look was counted for ${runId}`);
  const { look, runs, spent } = ofStudy;
  return lookOf({ dataDigest, ofStudy: look, ofData: ofData.look, runs, spent, claims });
};

/** The event that ended the loop: the head that the runner signed. */
const loopEnd = async ({ home, runId }: EffectContext): Promise<RecordedEvent<RunEvent>> => {
  for await (const event of home.log.readStream<RunEvent>(`run-${runId}`, {
    direction: 'backwards',
  }))
    if (event.type === 'LoopEnded') return event;
  throw new Error(`the loop of ${runId} has not ended`);
};

interface Naming {
  readonly findingId: string;
  readonly number: number;
  readonly look: Look;
  readonly runHead: { readonly revision: number; readonly hash: string };
}

const propose = async (
  context: EffectContext,
  comparison: Comparison,
  { findingId, number, look, runHead }: Naming,
): Promise<void> => {
  const { home, study, opened, state, runId } = context;
  if ((await home.findings.load(findingId)).state.proposed !== null) return;
  const { from, to, kind, mutations } = comparison;
  const predictions = await readPredictions(context, to.predictions);
  const contrast = sealedContrast(
    await readPredictions(context, from.predictions),
    predictions,
    study.vault.counts.sealed.cells,
    opened.policy.data.minimumCell,
  );
  if (contrast === null)
    throw new Error(`no cohort of the sealed rows has ${opened.policy.data.minimumCell} people`);
  const summaryOf = (mutationId: string): string =>
    attemptsOf(state).find((attempt) => attempt.mutationId === mutationId)?.summary ?? mutationId;
  const changes = (kind === 'line' ? mutations : mutations.slice(-1)).map(summaryOf);
  const dimensions = cohortDimensions(opened);
  const claim = claimOf(
    comparison,
    contrast,
    look,
    changes,
    predictions,
    dimensions,
    opened.policy,
  );
  const data: FindingProposed['data'] = {
    findingId,
    number,
    statement: statementOf(claim),
    claim,
    chain: {
      runId,
      studyId: opened.studyId,
      runHead: { revision: runHead.revision, hash: runHead.hash },
      sourceCommit: opened.pins.commit,
      sourceTree: opened.pins.tree,
      fromTree: from.tree,
      toTree: to.tree,
      mutations,
    },
    sealedLook: look.ofStudy,
    predictions: [from.predictions, to.predictions],
  };
  const sent = await home.findings.send(
    findingId,
    { type: 'ProposeFinding', id: deriveId('propose', findingId), data },
    HARNESS,
  );
  // Another runner that was faster proposed the same.
  if (!sent.ok && (await home.findings.load(findingId)).state.proposed === null)
    throw new Error(sent.error.message);
};

/** The first verdict on a finding, given once; what people say of it in between only makes it be given anew. */
const verifyOnce = async (
  { home }: EffectContext,
  findingId: string,
): Promise<'PASS' | 'BLOCK'> => {
  for (let attempt = 1; attempt <= PATIENCE; attempt += 1) {
    const { state, head } = await home.findings.load(findingId);
    if (state.verified !== null) return state.verified.verdict;
    if (state.proposed === null || head === null)
      throw new Error(`finding ${findingId} was not proposed`);
    const verdict = await verdictOn(home, findingId);
    const proposedHash = await proposedHashOf(home, findingId);
    await recordVerdict(home, state.proposed, verdict, proposedHash, head.id);
  }
  throw new Error(
    `the verdict on ${findingId} was not recorded: others kept writing to its stream`,
  );
};
