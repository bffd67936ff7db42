import { jointInterval, lookOf } from '#libs/findings';
import type { Claim, Look } from '#libs/findings';
import { counted, reasonOf } from '#libs/kernel';
import { keptUndone } from '#libs/run';
import type { StudyLook } from '#libs/studies';
import type { Check } from '../check.ts';
import { collectFaults } from '../faults.ts';
import type { Faults } from '../faults.ts';
import { isClose } from '../rounding.ts';

/** How many claims a line of so many kept mutations makes: one each, and one of the whole where there are several. */
const claimsOf = (steps: number): number => (steps > 1 ? steps + 1 : steps);

/** The look's own arithmetic, and the interval that it gives. */
const checkInterval = (faults: Faults, claim: Claim, look: Look): void => {
  let recomputed: Look;
  try {
    recomputed = lookOf(look);
  } catch (error) {
    faults.add(reasonOf(error));
    return;
  }
  const interval = jointInterval(claim, recomputed);
  const compare = (what: string, found: unknown, expected: number): void => {
    if (typeof found !== 'number' || !isClose(found, expected))
      faults.differ(what, found ?? 'nothing', expected);
  };
  compare('the share of the look', look.share, recomputed.share);
  compare('the multiplier', look.multiplier, recomputed.multiplier);
  compare("the interval's level", claim.interval.level, interval.level);
  compare("the interval's lower end", claim.interval.lower, interval.lower);
  compare("the interval's upper end", claim.interval.upper, interval.upper);
};

/**
 * The sealed rows were scored once for this run, the look was counted before the claim was made, and the claim's
 * interval is as wide as all looks so far ask for.
 */
export const sealedLook: Check = {
  of: 'finding',
  row: 'sealed-look',
  expected:
    "one look at the sealed rows was counted for this run, by its study and for its data over all studies, after the loop ended and before the finding was proposed; looks are counted from 1; the claim says both counts, the study's runs and units by then and the claims of the look, and its interval recomputes from them",
  start: ({ finding, opened }) => {
    const faults = collectFaults();
    const { claim, chain, sealedLook: said } = finding;
    const { look } = claim;
    let [looks, runs, spent] = [0, 0, 0];
    let ours: (StudyLook & { readonly position: number }) | null = null;
    const ofData: { readonly look: number; readonly position: number }[] = [];
    let looksAtData = 0;
    let steps = 0;
    let endedAt = Infinity;
    let proposedAt = -1;

    const between = (position: number, whose: string): void => {
      if (!(endedAt < position)) faults.add(`the look ${whose}was counted before the loop ended`);
      if (!(position < proposedAt))
        faults.add(`the look ${whose}was counted after the finding was proposed`);
    };

    /** What stands in the claim against what the streams counted. */
    const compare = (counted: Look, study: StudyLook): void => {
      faults.differ("the claim's data", counted.dataDigest, opened().pins.dataDigest);
      faults.differ("the claim's look of the study", counted.ofStudy, study.look);
      faults.differ("the study's runs by then", counted.runs, study.runs);
      faults.differ("the study's spend by then", counted.spent, study.spent);
      faults.differ('the claims of the look', counted.claims, claimsOf(steps));
      const [first, second] = ofData;
      if (first === undefined) faults.add('no look of this run was counted for its data');
      else {
        faults.differ("the claim's look at the data", counted.ofData, first.look);
        between(first.position, 'at the data ');
      }
      if (second !== undefined) faults.add('two looks of this run were counted for its data');
      checkInterval(faults, claim, counted);
    };

    return {
      link: ({ source, index, stored }) => {
        if (source === 'finding' && index === 0) proposedAt = stored.position;
        if (source === 'run' && index === chain.runHead.revision) endedAt = stored.position;
      },
      study: {
        RunCounted: () => {
          runs += 1;
        },
        SpendCounted: (data) => {
          spent += data.spent;
          faults.differ("the study's spend", data.totalSpent, spent);
        },
        SealedRowsOpened: ({ runId, look: number }, { stored }) => {
          looks += 1;
          faults.differ(`the number of look ${String(looks)}`, number, looks);
          if (runId !== chain.runId) return;
          if (ours !== null) faults.add('the sealed rows were opened twice for this run');
          ours = { runId, look: number, runs, spent, position: stored.position };
        },
      },
      data: {
        LookCounted: ({ runId, dataDigest, studyId, look: number }, { stored }) => {
          looksAtData += 1;
          faults.differ(
            `the number of look ${String(looksAtData)} at the data`,
            number,
            looksAtData,
          );
          if (runId !== chain.runId) return;
          faults.differ('the data of the look', dataDigest, look?.dataDigest);
          faults.differ('the study of the look at the data', studyId, chain.studyId);
          ofData.push({ look: number, position: stored.position });
        },
      },
      run: {
        MutationKept: () => {
          steps += 1;
        },
        RunReverted: (data) => {
          steps -= keptUndone(data);
        },
      },
      conclude: () => {
        if (ours === null) faults.add('the study counted no look for this run');
        else {
          faults.differ("the finding's look", said, ours.look);
          between(ours.position, '');
          if (opened().policy.version > 1) {
            if (look === null)
              faults.add('the claim says no look that its interval is corrected for');
            else compare(look, ours);
          } else faults.differ('the look of a claim under version 1', look, null);
        }
        return faults.outcome(
          look === null
            ? `look ${String(said)} at the study's sealed rows, intervals joint over this look alone`
            : `look ${String(said)} of the study, ${String(look.ofData)} at the data, after ${counted(look.runs, 'run')} and ${counted(look.spent, 'unit')}; ${counted(look.claims, 'claim')} ${look.claims === 1 ? 'has' : 'share'} it; ${look.multiplier.toFixed(3)} standard errors to either side`,
        );
      },
    };
  },
};
