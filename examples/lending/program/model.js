/**
 * Logistic regression over one-hot columns, fitted to grouped counts with Adam (Kingma and Ba 2015). Options: a
 * column for each pair of values of two features, and a small hidden layer beside the linear part.
 */

/** Gives each cell its columns (those that are 1): one a feature's value, with `pairs` one a pair of values too. */
export const makeColumns = (features, interactions) => {
  const index = new Map();
  const column = (name) => {
    if (!index.has(name)) index.set(name, index.size);
    return index.get(name);
  };
  const columnsOf = (cell) => {
    const values = features.map((feature) => `${feature}=${cell[feature]}`);
    const names = [...values];
    if (interactions === 'pairs') {
      values.forEach((a, i) => values.slice(i + 1).forEach((b) => names.push(`${a} & ${b}`)));
    }
    return names.map(column);
  };
  return { columnsOf, count: () => index.size };
};

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
const random = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

/**
 * Weights are laid out as: bias, one a column, then for each hidden unit its output weight, its bias and one a
 * column. Only the hidden units start at random; they break no symmetry otherwise.
 */
const initialWeights = (columns, hidden, seed) => {
  const next = random(seed);
  const weights = new Float64Array(1 + columns + hidden * (2 + columns));
  for (let i = 1 + columns; i < weights.length; i++) weights[i] = next() - 0.5;
  return weights;
};

const activation = (weights, start, active) => {
  let sum = weights[start + 1];
  for (const column of active) sum += weights[start + 2 + column];
  return Math.tanh(sum);
};

const predict = (weights, active, columns, hidden) => {
  let logit = weights[0];
  for (const column of active) logit += weights[1 + column];
  for (let unit = 0; unit < hidden; unit++) {
    const start = 1 + columns + unit * (2 + columns);
    logit += weights[start] * activation(weights, start, active);
  }
  return 1 / (1 + Math.exp(-logit));
};

/** Adds one cell's part of the log-loss gradient; `error` is weight × (predicted − observed). */
const addGradient = (gradient, weights, active, columns, hidden, error) => {
  gradient[0] += error;
  for (const column of active) gradient[1 + column] += error;
  for (let unit = 0; unit < hidden; unit++) {
    const start = 1 + columns + unit * (2 + columns);
    const output = activation(weights, start, active);
    const inner = error * weights[start] * (1 - output * output);
    gradient[start] += error * output;
    gradient[start + 1] += inner;
    for (const column of active) gradient[start + 2 + column] += inner;
  }
};

/**
 * Fits the model to `table` (cells with `n` people, `positive` of them) and predicts every one of `cells`.
 * `onStep(done)` is called after each step; training ends early where it answers false.
 */
export const fit = ({
  table,
  cells,
  features,
  hyperparameters,
  architecture,
  seed,
  steps,
  onStep,
}) => {
  const { learning_rate: rate, l2 } = hyperparameters;
  const { interactions, hidden } = architecture;
  const { columnsOf, count } = makeColumns(features, interactions);
  const everywhere = cells.map(columnsOf);
  const rows = table.map((row) => ({ active: columnsOf(row), n: row.n, positive: row.positive }));
  const columns = count();
  const people = rows.reduce((sum, row) => sum + row.n, 0);

  const weights = initialWeights(columns, hidden, seed);
  const mean = new Float64Array(weights.length);
  const square = new Float64Array(weights.length);
  const gradient = new Float64Array(weights.length);
  let step = 0;
  while (step < steps) {
    step += 1;
    for (let i = 0; i < weights.length; i++) gradient[i] = i === 0 ? 0 : l2 * weights[i];
    for (const { active, n, positive } of rows) {
      const error = (n * predict(weights, active, columns, hidden) - positive) / people;
      addGradient(gradient, weights, active, columns, hidden, error);
    }
    for (let i = 0; i < weights.length; i++) {
      mean[i] = 0.9 * mean[i] + 0.1 * gradient[i];
      square[i] = 0.999 * square[i] + 0.001 * gradient[i] * gradient[i];
      const direction = mean[i] / (1 - 0.9 ** step);
      const size = Math.sqrt(square[i] / (1 - 0.999 ** step));
      weights[i] -= (rate * direction) / (size + 1e-8);
    }
    if (!onStep(step)) break;
  }
  return {
    steps: step,
    predictions: everywhere.map((active) => predict(weights, active, columns, hidden)),
  };
};
