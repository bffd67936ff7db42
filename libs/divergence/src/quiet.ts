/**
 * The chance that a Markov chain which starts in state 0 has not left its states, for each of these numbers of steps.
 *
 * @param stay the sum, over the states that follow `from`, of the chance of each times what stands there in `chances`
 */
export const quietChances = (
  states: number,
  stay: (from: number, chances: Float64Array) => number,
  counts: readonly number[],
): readonly number[] => {
  const most = Math.max(0, ...counts);
  const quietFor = [1];
  let chances = new Float64Array(states).fill(1);
  let next = new Float64Array(states);
  for (let step = 0; step < most; step += 1) {
    for (let from = 0; from < states; from += 1) next[from] = stay(from, chances);
    [chances, next] = [next, chances];
    quietFor.push(chances[0]!);
  }
  return counts.map((count) => quietFor[count]!);
};
