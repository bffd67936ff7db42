/** A rule ∫ f over −1 to 1 ≈ Σ weights × f(nodes), exact for polynomials up to twice as many terms. */
export interface Quadrature {
  readonly nodes: readonly number[];
  readonly weights: readonly number[];
}

/** P_n(x) and its derivative, by the three-term recurrence. */
const legendre = (n: number, x: number): { readonly value: number; readonly slope: number } => {
  let [before, value] = [1, x];
  for (let degree = 2; degree <= n; degree += 1)
    [before, value] = [value, ((2 * degree - 1) * x * value - (degree - 1) * before) / degree];
  return { value, slope: (n * (x * value - before)) / (x * x - 1) };
};

/**
 * Gauss–Legendre quadrature with `n` nodes, from 2: the roots of the Legendre polynomial by Newton's method, from
 * Tricomi's approximation. Source: Press et al., Numerical Recipes, 4.6.
 */
export const gaussLegendre = (n: number): Quadrature => {
  const nodes: number[] = [];
  const weights: number[] = [];
  for (let i = n; i >= 1; i -= 1) {
    let x = Math.cos((Math.PI * (i - 0.25)) / (n + 0.5));
    for (let step = 0; step < 6; step += 1) {
      const { value, slope } = legendre(n, x);
      x -= value / slope;
    }
    nodes.push(x);
    weights.push(2 / ((1 - x * x) * legendre(n, x).slope ** 2));
  }
  return { nodes, weights };
};
