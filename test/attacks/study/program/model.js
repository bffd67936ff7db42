import { makeEncoder } from './encode.js';
import { rateAt } from './schedule.ts';

/** Uniform numbers in [0, 1) (mulberry32). */
const uniform = (state) => () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};

/** Logistic regression with an optional hidden layer; weights: bias, columns, then each unit's. */
const initial = (columns, hidden, next) => {
  const weights = new Float64Array(1 + columns + hidden * (2 + columns));
  for (let i = 1 + columns; i < weights.length; i++) weights[i] = next() - 0.5;
  return weights;
};

const activation = (weights, start, active) => {
  let sum = weights[start + 1];
  for (const [column, value] of active) sum += weights[start + 2 + column] * value;
  return Math.tanh(sum);
};

const logitOf = (weights, active, columns, hidden) => {
  let logit = weights[0];
  for (const [column, value] of active) logit += weights[1 + column] * value;
  for (let unit = 0; unit < hidden; unit++) {
    const start = 1 + columns + unit * (2 + columns);
    logit += weights[start] * activation(weights, start, active);
  }
  return logit;
};

const probability = (logit) => 1 / (1 + Math.exp(-logit));

const addGradient = (gradient, weights, active, columns, hidden, error) => {
  gradient[0] += error;
  for (const [column, value] of active) gradient[1 + column] += error * value;
  for (let unit = 0; unit < hidden; unit++) {
    const start = 1 + columns + unit * (2 + columns);
    const output = activation(weights, start, active);
    const inner = error * weights[start] * (1 - output * output);
    gradient[start] += error * output;
    gradient[start + 1] += inner;
    for (const [column, value] of active) gradient[start + 2 + column] += inner * value;
  }
};

/** Fits grouped counts (`n` people, `positive` of them) and gives every cell its probability. */
export const fit = ({ table, cells, features, hyperparameters, architecture, random }) => {
  const { learning_rate: rate, epochs, l2 } = hyperparameters;
  const { interactions, hidden } = architecture;
  const { encode, count } = makeEncoder(features, interactions);
  const everywhere = cells.map(encode);
  const rows = table.map((row) => ({ active: encode(row), n: row.n, positive: row.positive }));
  const columns = count();
  const people = rows.reduce((sum, row) => sum + row.n, 0);

  const weights = initial(columns, hidden, uniform(random));
  const mean = new Float64Array(weights.length);
  const square = new Float64Array(weights.length);
  const gradient = new Float64Array(weights.length);
  for (let step = 1; step <= epochs; step++) {
    for (let i = 0; i < weights.length; i++) gradient[i] = i === 0 ? 0 : l2 * weights[i];
    for (const { active, n, positive } of rows) {
      const predicted = probability(logitOf(weights, active, columns, hidden));
      addGradient(gradient, weights, active, columns, hidden, (n * predicted - positive) / people);
    }
    for (let i = 0; i < weights.length; i++) {
      mean[i] = 0.9 * mean[i] + 0.1 * gradient[i];
      square[i] = 0.999 * square[i] + 0.001 * gradient[i] * gradient[i];
      const direction = mean[i] / (1 - 0.9 ** step);
      const size = Math.sqrt(square[i] / (1 - 0.999 ** step));
      weights[i] -= (rateAt(rate, step, epochs) * direction) / (size + 1e-8);
    }
  }
  return everywhere.map((active) => probability(logitOf(weights, active, columns, hidden)));
};
