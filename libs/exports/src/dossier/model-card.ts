import type { FindingEvidence } from '../evidence.ts';
import { chainOf, type Chain } from './chain.ts';
import { moment } from './numbers.ts';
import {
  code,
  compose,
  gap,
  note,
  say,
  section,
  see,
  statement,
  words,
  type DraftSection,
  type Report,
} from './report.ts';
import * as data from './topics/data.ts';
import * as development from './topics/development.ts';
import * as finding from './topics/finding.ts';
import { NO_LOGIC, NO_PROVIDER, NO_PURPOSE } from './topics/gaps.ts';
import * as measures from './topics/measures.ts';
import * as record from './topics/record.ts';

const sectionsOf = (chain: Chain): readonly DraftSection[] => [
  section('model-details', 'Model details', [
    section('developer', 'Person or organisation developing the model', [
      NO_PROVIDER,
      ...record.actors(chain),
    ]),
    section('date', 'Model date', [
      statement(
        say`The finding about the claimed program was proposed on ${moment(chain.proposed.metadata.time)}.`,
        chain.proposed,
      ),
    ]),
    section('version', 'Model version', development.identity(chain)),
    section('type', 'Model type', [
      statement(
        say`The program that is trained is ${code(chain.opened.data.policy.program.entry)} in the pinned tree; it predicts, for each cohort, the probability of ${words(chain.opened.data.policy.data.outcome.name)}.`,
        chain.opened,
      ),
      NO_LOGIC,
    ]),
    section('training', 'Training algorithm, parameters and constraints', [
      ...development.method(chain),
      ...development.links(chain),
      ...development.software(chain),
      ...development.computing(chain),
    ]),
    section('more', 'Paper, citation, licence, contact', [
      gap('Paper or other resource'),
      gap('Citation'),
      gap('Licence'),
      gap('Where to send questions'),
    ]),
  ]),
  section('intended-use', 'Intended use', [
    section('primary-uses', 'Primary intended uses', [development.question(chain), NO_PURPOSE]),
    section('primary-users', 'Primary intended users', [gap('Intended users')]),
    section('out-of-scope', 'Out-of-scope uses', [
      note(
        say`A finding is a claim about cohorts. It has no field for an individual, a prescription or a decision: to use it for one goes beyond what was claimed.`,
      ),
      gap('Uses that the provider rules out'),
    ]),
  ]),
  section('factors', 'Factors', [
    section('relevant-factors', 'Relevant factors', data.variables(chain)),
    section('evaluation-factors', 'Evaluation factors', [
      ...measures.intersections(chain),
      gap('Why these factors, and which others matter'),
    ]),
  ]),
  section('metrics', 'Metrics', [
    section('performance-measures', 'Model performance measures', measures.metrics(chain)),
    section('thresholds', 'Decision thresholds', measures.threshold(chain)),
    section('variation', 'Approaches to uncertainty and variability', [see('unitary', 'training')]),
  ]),
  section('evaluation-data', 'Evaluation data', [
    section('evaluation-sets', 'Datasets', [
      note(
        say`Attempts are measured on the dev rows; the finding is scored once, on the sealed rows, which nothing in the loop has seen.`,
      ),
      see('training-sets'),
    ]),
    section('evaluation-motivation', 'Motivation', [gap('Why these data')]),
    section('evaluation-preprocessing', 'Preprocessing', [see('training-preprocessing')]),
  ]),
  section('training-data', 'Training data', [
    section('training-sets', 'Datasets', data.dataSets(chain)),
    section('training-preprocessing', 'Preprocessing and checks', [
      ...data.suppression(chain),
      ...data.dataChecks(chain),
      ...data.requests(chain),
    ]),
  ]),
  section('quantitative-analyses', 'Quantitative analyses', [
    section('unitary', 'Unitary results', [
      ...finding.effect(chain),
      ...measures.fairness(chain),
      ...measures.groups(chain),
    ]),
    section('intersectional', 'Intersectional results', [
      ...measures.intersections(chain),
      see('unitary'),
    ]),
  ]),
  section('ethics', 'Ethical considerations', [
    ...data.privacy(chain),
    gap('Risks to people, and what was done about them'),
  ]),
  section('caveats', 'Caveats and recommendations', [
    section('provenance', 'Whether its chain held', finding.verdict(chain)),
    section('conditions', 'Conditions of the verdict', finding.verdictRows(chain)),
    section('replays', 'Whether it could be done again', finding.replays(chain)),
    section('reviews', 'What people decided', finding.reviews(chain)),
    section('monitoring', 'Divergences and the end of the loop', [
      ...development.monitor(chain),
      ...development.ending(chain),
    ]),
    section('recommendations', 'Recommendations', [gap('Recommendations for use')]),
  ]),
];

/**
 * A model card of the program that a finding claims, by the sections of Mitchell et al. 2019 ("Model Cards for Model
 * Reporting"). Made of the evidence alone: same evidence, same report. What the log does not hold is a gap.
 *
 * @throws Error for evidence that is not that of a finding
 */
export const modelCardOf = (evidence: FindingEvidence): Report => {
  const chain = chainOf(evidence);
  const { findingId } = chain.proposed.data;
  return compose(chain, {
    title: `Model card of finding ${findingId}`,
    subtitle: 'By the sections of Mitchell et al. 2019, Model Cards for Model Reporting',
    lead: finding.lead(
      chain,
      'The headings are those of Mitchell et al. 2019, Model Cards for Model Reporting.',
    ),
    sections: sectionsOf(chain),
  });
};
