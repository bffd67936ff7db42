/** What was decided, decided anew: whether the log holds only what the rules would have made. */
export { GIVEN, type Given } from './given.ts';
export {
  judgeAppend,
  remember,
  startOf,
  type Asked,
  type Judgement,
  type StreamState,
} from './judge.ts';
export type { JudgedEvent } from './reading.ts';
