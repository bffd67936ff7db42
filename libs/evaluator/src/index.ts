/**
 * The evaluator: pure functions of grouped counts and predictions. It reads no file and no row; whoever calls it
 * brings the counts (the vault) and the predictions (a training's output).
 */
export { auc, aucDifference } from './auc.ts';
export { sealedContrast, simultaneousInterval, type Contrast } from './contrast.ts';
export { scoredCells } from './counts.ts';
export type { CellCounts, ProtectedCounts } from './counts.ts';
export {
  fairness,
  fairnessOfCounts,
  leastTold,
  type AttributeCounts,
  type FairnessAsked,
} from './fairness.ts';
export { ladder } from './ladder.ts';
export {
  SECONDARY_METRICS,
  isSecondaryMetric,
  observe,
  type ObserveRequest,
  type SecondaryMetric,
} from './observe.ts';
export { CLIP, clip, parsePredictions, type PredictionsRefusal } from './predictions.ts';
export {
  brier,
  calibrationError,
  difference,
  differenceOverSeeds,
  score,
  type SeedPair,
} from './scores.ts';
