import { gap } from '../report.ts';

// Gaps that show in more than one place: the same words, so that they keep their number.

export const NO_VERDICT = gap(
  'Verdict',
  'The log holds no verdict on this finding. It must not be relied on.',
);

export const NO_REPLAY = gap(
  'Replay of the training',
  'The log holds no replay: no second training of the program, after the finding was proposed, to compare the predictions with. The operator can do it (holdfast replay), and so can whoever holds a bundle.',
);

export const NO_PURPOSE = gap(
  'Intended purpose',
  'The log holds the question of the study, not the purpose that a system with the program is intended for; the provider has to say it.',
);

export const NO_PROVIDER = gap('Name of the provider');

export const NO_LOGIC = gap(
  'General logic of the program, and the rationale of its design',
  'The log pins the program by its git tree and holds why each change was proposed. It holds no description of the algorithm, of assumptions about people or of trade-offs.',
);

export const NO_THIRD_PARTIES = gap(
  'Third-party tools and pre-trained systems',
  'The log pins the source of the program by its tree; it does not say which of it comes from third parties.',
);

export const NO_BIOMETRICS = gap(
  'Whether the system is one of remote biometric identification',
  'The log does not hold whether the system is one of those; if it is, the provider has to show the records that the law asks for.',
);

export const NO_PRODUCT = gap('Whether the system is part of a product');

export const NO_POST_MARKET = gap('Post-market monitoring');

export const NO_REASON_FOR_METRIC = gap(
  'Why the metric is appropriate',
  'The log holds which metric decides, not why it is the right one for the intended purpose.',
);

export const NO_FAIRNESS = gap(
  'Fairness of the claimed program',
  'The log holds no measure of the fairness of the claimed program.',
);
