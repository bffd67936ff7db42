import type { FindingEvidence } from '../evidence.ts';
import { chainOf, type Chain } from './chain.ts';
import { moment } from './numbers.ts';
import {
  compose,
  gap,
  note,
  say,
  section,
  see,
  statement,
  type DraftSection,
  type Report,
} from './report.ts';
import * as data from './topics/data.ts';
import * as development from './topics/development.ts';
import * as finding from './topics/finding.ts';
import {
  NO_BIOMETRICS,
  NO_LOGIC,
  NO_POST_MARKET,
  NO_PRODUCT,
  NO_PROVIDER,
  NO_PURPOSE,
  NO_REASON_FOR_METRIC,
  NO_THIRD_PARTIES,
} from './topics/gaps.ts';
import * as measures from './topics/measures.ts';
import * as record from './topics/record.ts';

/** The finding in short: what a reader wants to know before any article. */
const summary = (chain: Chain): DraftSection =>
  section('finding', 'The finding', [
    section('finding-effect', 'What is claimed', finding.effect(chain)),
    section('finding-verdict', 'Whether its chain held', finding.verdict(chain)),
    section('finding-replays', 'Whether it could be done again', finding.replays(chain)),
    section('finding-reviews', 'What people decided', finding.reviews(chain)),
    section('finding-identity', 'Where it comes from', development.identity(chain)),
  ]);

const article11 = (chain: Chain): DraftSection =>
  section('art-11', 'Article 11: Technical documentation', [
    section(
      'art-11-1',
      'Article 11(1): drawn up before the system is placed on the market, kept up to date, at least the elements of Annex IV',
      [
        statement(
          say`This document knows the log up to ${moment(chain.newest.metadata.time)}, its newest event about this finding.`,
          chain.newest,
        ),
        see('iv-1', 'iv-2', 'iv-3', 'iv-4', 'iv-5', 'iv-6', 'iv-7', 'iv-8', 'iv-9'),
        gap(
          'Whether and when the system is placed on the market',
          'The log is about the development of a program. Whether a system with it is placed on the market or put into service, whether it is a high-risk one, and when, the provider has to say.',
        ),
      ],
    ),
    section(
      'art-11-2',
      'Article 11(2): one set of documentation for products under the legislation in Section A of Annex I',
      [NO_PRODUCT],
    ),
    section('art-11-3', 'Article 11(3): power of the Commission to amend Annex IV', [
      note(say`This paragraph asks nothing of a provider.`),
    ]),
  ]);

const article12 = (chain: Chain): DraftSection =>
  section('art-12', 'Article 12: Record-keeping', [
    note(
      say`The log below is that of the development of the program. A system that uses the program needs a log of its own use.`,
    ),
    section(
      'art-12-1',
      'Article 12(1): automatic recording of events over the lifetime of the system',
      [...record.streams(chain), ...record.signatures(chain), gap('Logs of the system in use')],
    ),
    section('art-12-2', 'Article 12(2): events that make the functioning traceable', [
      section(
        'art-12-2-a',
        'Article 12(2)(a): situations that may present a risk, or a substantial modification',
        [...development.monitor(chain), ...development.ending(chain), see('iv-6')],
      ),
      section('art-12-2-b', 'Article 12(2)(b): post-market monitoring (Article 72)', [
        NO_POST_MARKET,
      ]),
      section(
        'art-12-2-c',
        'Article 12(2)(c): monitoring of operation by deployers (Article 26(5))',
        [gap('Monitoring by deployers')],
      ),
    ]),
    section('art-12-3', 'Article 12(3): remote biometric identification (Annex III, point 1(a))', [
      NO_BIOMETRICS,
    ]),
  ]);

const article14 = (chain: Chain): DraftSection =>
  section('art-14', 'Article 14: Human oversight', [
    note(
      say`What follows is the oversight of the loop that developed the program and of its findings. Oversight of a system in use is for its provider and deployer to describe.`,
    ),
    section('art-14-1', 'Article 14(1): designed so that natural persons can oversee it in use', [
      ...record.interventions(chain),
      gap('Oversight of the system in use'),
    ]),
    section(
      'art-14-2',
      'Article 14(2): risks to health, safety or fundamental rights that oversight aims at',
      [gap('Risks that oversight aims at')],
    ),
    section(
      'art-14-3',
      'Article 14(3): measures built in by the provider or to be implemented by the deployer',
      [see('iv-2-a', 'art-12-2-a'), gap('Measures that the deployer implements')],
    ),
    section('art-14-4', 'Article 14(4): what the persons who oversee are enabled to do', [
      section(
        'art-14-4-a',
        'Article 14(4)(a): understand capacities and limitations, and monitor operation',
        [see('iv-3', 'art-12-2-a')],
      ),
      section('art-14-4-b', 'Article 14(4)(b): remain aware of automation bias', [
        note(
          say`PASS is no reason to rely on a finding without thought: it says how the finding was reached, not that it is true.`,
        ),
        gap('Measures against automation bias'),
      ]),
      section('art-14-4-c', 'Article 14(4)(c): interpret the output correctly', [
        see('finding-effect', 'iv-2-b'),
        gap('Tools to interpret the output of the system in use'),
      ]),
      section(
        'art-14-4-d',
        'Article 14(4)(d): decide not to use the system, or disregard, override or reverse its output',
        [...finding.reviews(chain), ...record.actors(chain)],
      ),
      section('art-14-4-e', 'Article 14(4)(e): intervene or stop', [see('art-14-1')]),
    ]),
    section('art-14-5', 'Article 14(5): verification by two persons (Annex III, point 1(a))', [
      NO_BIOMETRICS,
    ]),
  ]);

const annexIv = (chain: Chain): DraftSection =>
  section('iv', 'Annex IV: Technical documentation referred to in Article 11(1)', [
    section('iv-1', '1. General description of the AI system', [
      section(
        'iv-1-a',
        '1(a) Intended purpose, name of the provider, version and its relation to previous versions',
        [
          development.question(chain),
          NO_PURPOSE,
          NO_PROVIDER,
          see('finding-identity'),
          gap(
            'Version of the system and its relation to previous versions',
            'The log names programs by their git trees. Which version of a system one of them is in, the provider has to say.',
          ),
        ],
      ),
      section(
        'iv-1-b',
        '1(b) Interaction with hardware or software that is not part of the system',
        [gap('Interaction with other hardware and software')],
      ),
      section(
        'iv-1-c',
        '1(c) Versions of relevant software or firmware, and requirements on updates',
        [...development.software(chain), gap('Requirements on version updates')],
      ),
      section(
        'iv-1-d',
        '1(d) Forms in which the system is placed on the market or put into service',
        [gap('Forms in which the system is placed on the market')],
      ),
      section('iv-1-e', '1(e) Hardware on which the system is intended to run', [
        see('iv-2-c'),
        gap('Hardware on which the system is intended to run'),
      ]),
      section('iv-1-f', '1(f) Where it is a component of products: photographs or illustrations', [
        NO_PRODUCT,
      ]),
      section('iv-1-g', '1(g) User interface provided to the deployer', [
        gap('User interface provided to the deployer'),
      ]),
      section('iv-1-h', '1(h) Instructions for use for the deployer', [
        gap('Instructions for use'),
      ]),
    ]),
    section('iv-2', '2. Elements of the AI system and process of its development', [
      section(
        'iv-2-a',
        '2(a) Methods and steps of the development, third-party tools and pre-trained systems',
        [
          ...development.method(chain),
          ...development.attempts(chain),
          ...development.links(chain),
          ...development.ending(chain),
          NO_THIRD_PARTIES,
        ],
      ),
      section('iv-2-b', '2(b) Design specifications: logic, choices, what is optimised, output', [
        ...measures.threshold(chain),
        ...data.variables(chain),
        NO_LOGIC,
      ]),
      section('iv-2-c', '2(c) System architecture and computational resources', [
        ...development.computing(chain),
        gap('Architecture of the system'),
      ]),
      section(
        'iv-2-d',
        '2(d) Data: provenance, scope, characteristics, selection, labelling, cleaning',
        [
          ...data.dataSets(chain),
          ...data.suppression(chain),
          ...data.dataChecks(chain),
          ...data.requests(chain),
          ...data.privacy(chain),
          see('iv-2-b'),
        ],
      ),
      section('iv-2-e', '2(e) Assessment of the human oversight measures needed', [
        see('art-14'),
        gap('Assessment of the human oversight measures needed'),
      ]),
      section('iv-2-f', '2(f) Pre-determined changes to the system and its performance', [
        gap('Pre-determined changes'),
      ]),
      section(
        'iv-2-g',
        '2(g) Validation and testing: procedures, data, metrics, discriminatory impacts, dated and signed reports',
        [
          ...measures.metrics(chain),
          see('finding-effect', 'finding-replays'),
          ...measures.fairness(chain),
          ...measures.groups(chain),
          ...measures.intersections(chain),
          ...finding.verdictRows(chain),
          gap(
            'Test reports signed by the responsible persons',
            'Verdicts are dated and signed by the runner’s key. The log holds no signature of a person.',
          ),
        ],
      ),
      section('iv-2-h', '2(h) Cybersecurity measures', [
        ...development.containment(chain),
        gap('Cybersecurity of the system in use'),
      ]),
    ]),
    section('iv-3', '3. Monitoring, functioning and control of the AI system', [
      see('finding-effect', 'iv-2-g', 'art-14'),
      section(
        'iv-3-performance',
        '3. Capabilities and limitations, accuracy for persons or groups and overall',
        [
          see('finding-effect', 'iv-2-g'),
          gap('Accuracy that is expected for the intended purpose'),
        ],
      ),
      section('iv-3-risks', '3. Foreseeable unintended outcomes and sources of risks', [
        gap('Foreseeable unintended outcomes and sources of risks'),
      ]),
      section('iv-3-oversight', '3. Human oversight measures', [see('art-14')]),
      section('iv-3-input', '3. Specifications on input data', [see('iv-2-b')]),
    ]),
    section('iv-4', '4. Appropriateness of the performance metrics', [
      see('iv-2-g'),
      NO_REASON_FOR_METRIC,
    ]),
    section('iv-5', '5. Risk management system (Article 9)', [
      see('iv-2-d', 'art-12-2-a', 'iv-2-h'),
      gap('Risk management system'),
    ]),
    section('iv-6', '6. Relevant changes made by the provider through the lifecycle', [
      see('iv-2-a'),
      gap(
        'Changes after the finding',
        'The log of a finding ends with the finding: changes to a system that uses the program are not in it.',
      ),
    ]),
    section('iv-7', '7. Harmonised standards applied, or the solutions adopted instead', [
      gap('Standards applied'),
    ]),
    section('iv-8', '8. Copy of the EU declaration of conformity (Article 47)', [
      gap('EU declaration of conformity'),
    ]),
    section('iv-9', '9. Evaluation of performance in the post-market phase (Article 72)', [
      NO_POST_MARKET,
    ]),
  ]);

const rmf = (chain: Chain): DraftSection =>
  section('rmf', 'NIST AI Risk Management Framework 1.0 (NIST AI 100-1)', [
    section('rmf-govern', 'GOVERN', [
      section(
        'rmf-govern-1',
        'GOVERN 1: Policies, processes, procedures and practices are in place, transparent and implemented effectively',
        [
          statement(
            say`The rules that the run was judged by were fixed and pinned before it began.`,
            chain.opened,
          ),
          see('iv-2-a', 'finding-verdict'),
          gap("The organisation's policies on risks of AI"),
        ],
      ),
      section('rmf-govern-2', 'GOVERN 2: Accountability structures are in place', [
        see('art-14-4-d'),
        gap('Responsibilities and training of people'),
      ]),
      section(
        'rmf-govern-3',
        'GOVERN 3: Workforce diversity, equity, inclusion and accessibility',
        [gap('Diversity, equity, inclusion and accessibility')],
      ),
      section('rmf-govern-4', 'GOVERN 4: A culture that considers and communicates AI risk', [
        gap('Culture of considering risk'),
      ]),
      section('rmf-govern-5', 'GOVERN 5: Engagement with relevant AI actors', [
        gap('Engagement with those concerned'),
      ]),
      section(
        'rmf-govern-6',
        'GOVERN 6: Third-party software and data and other supply chain issues',
        [see('iv-1-c', 'finding-identity', 'iv-2-d'), NO_THIRD_PARTIES],
      ),
    ]),
    section('rmf-map', 'MAP', [
      section('rmf-map-1', 'MAP 1: Context is established and understood', [
        see('iv-1-a'),
        NO_PURPOSE,
      ]),
      section('rmf-map-2', 'MAP 2: Categorization of the AI system', [
        see('iv-2-b'),
        gap('Category of the system, and its knowledge limits in use'),
      ]),
      section(
        'rmf-map-3',
        'MAP 3: Capabilities, targeted usage, goals, and expected benefits and costs',
        [see('finding-effect', 'iv-2-c'), gap('Expected benefits and costs')],
      ),
      section(
        'rmf-map-4',
        'MAP 4: Risks and benefits of all components, third-party software and data included',
        [see('rmf-govern-6'), gap('Risks and benefits of the components')],
      ),
      section(
        'rmf-map-5',
        'MAP 5: Impacts to individuals, groups, communities, organizations and society',
        [see('iv-2-g'), gap('Impacts on people and society')],
      ),
    ]),
    section('rmf-measure', 'MEASURE', [
      section(
        'rmf-measure-1',
        'MEASURE 1: Appropriate methods and metrics are identified and applied',
        [see('iv-2-g', 'iv-4'), NO_REASON_FOR_METRIC],
      ),
      section('rmf-measure-2', 'MEASURE 2: Evaluated for trustworthy characteristics', [
        see('finding-effect', 'finding-replays', 'iv-2-g', 'iv-2-d', 'iv-2-h'),
        gap(
          'Characteristics that were not measured',
          'The log holds measures of accuracy, of fairness where protected attributes are declared, and of disclosure. It holds none of safety, robustness in use, explainability or environmental impact.',
        ),
      ]),
      section('rmf-measure-3', 'MEASURE 3: Mechanisms for tracking identified risks over time', [
        see('art-12-2-a'),
        gap('Tracking of risks after the run'),
      ]),
      section('rmf-measure-4', 'MEASURE 4: Feedback about efficacy of measurement', [
        see('finding-reviews'),
        gap('Feedback on the measurements'),
      ]),
    ]),
    section('rmf-manage', 'MANAGE', [
      section('rmf-manage-1', 'MANAGE 1: Risks are prioritized, responded to and managed', [
        see('art-12-2-a', 'iv-2-a'),
        gap('Priorities among risks'),
      ]),
      section(
        'rmf-manage-2',
        'MANAGE 2: Strategies to maximize benefits and minimize negative impacts',
        [see('art-14-1', 'finding-reviews'), gap('Strategies for the system in use')],
      ),
      section(
        'rmf-manage-3',
        'MANAGE 3: Risks and benefits from third-party entities are managed',
        [gap('Risks from third parties')],
      ),
      section(
        'rmf-manage-4',
        'MANAGE 4: Risk treatments, response, recovery and communication are documented and monitored',
        [see('art-12-2-a'), gap('Response, recovery and communication plans')],
      ),
    ]),
  ]);

/**
 * A dossier of a finding, laid out by Regulation (EU) 2024/1689 (articles 11, 12, 14 and Annex IV, as published on
 * 12 July 2024) and by the functions of the NIST AI RMF 1.0. Made of the evidence alone: same evidence, same report.
 * What the log does not hold is a gap. It claims no compliance.
 *
 * @throws Error for evidence that is not that of a finding
 */
export const dossierOf = (evidence: FindingEvidence): Report => {
  const chain = chainOf(evidence);
  const { findingId } = chain.proposed.data;
  return compose(chain, {
    title: `Dossier of finding ${findingId}`,
    subtitle:
      'Laid out by Regulation (EU) 2024/1689 (articles 11, 12, 14 and Annex IV) and by the NIST AI RMF 1.0',
    lead: finding.lead(
      chain,
      'The headings are those of Regulation (EU) 2024/1689, as published on 12 July 2024, and of the NIST AI Risk Management Framework 1.0, shortened where they are long.',
    ),
    sections: [
      summary(chain),
      article11(chain),
      article12(chain),
      article14(chain),
      annexIv(chain),
      rmf(chain),
    ],
  });
};
