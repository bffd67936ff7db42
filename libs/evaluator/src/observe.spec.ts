import { describe, expect, it } from 'vitest';
import {
  SECONDARY_METRICS,
  difference,
  isSecondaryMetric,
  ladder,
  observe,
  score,
  sealedContrast,
  simultaneousInterval,
} from './index.ts';

const dev = { people: [40, 30, 5, 0], positive: [10, 20, 1, 0] };
const check = { people: [20, 4, 20, 3], positive: [6, 2, 11, 1] };
const incumbent = [0.4, 0.5, 0.5, 0.5];
const predictions = [0.25, 0.6, 0.4, 0.1];
const request = { predictions, incumbent, dev, check, minimumCell: 5, secondary: [] };

describe('observe', () => {
  it('measures a candidate beside its incumbent', () => {
    const observed = observe(request);
    expect(observed.metric).toEqual(score(predictions, dev, 5));
    expect(observed.difference).toEqual(difference(predictions, incumbent, dev, 5));
    expect(observed.check).toEqual(score(predictions, check, 5));
    expect(observed.auc!.name).toBe('auc');
    expect(observed.secondary).toEqual([]);
  });

  it('counts the cells that are too small, but not the empty ones', () => {
    expect(observe(request).cells).toEqual({ scored: 3, suppressed: 0 });
    expect(observe({ ...request, minimumCell: 11 }).cells).toEqual({ scored: 2, suppressed: 1 });
  });

  it('takes the gap over the cells that are large enough on both sides', () => {
    const gap = observe(request).gapChange!;
    const onDev = difference(predictions, incumbent, dev, 5, [0, 2])!;
    const onCheck = difference(predictions, incumbent, check, 5, [0, 2])!;
    expect(gap.value).toBeCloseTo(onCheck.value - onDev.value, 15);
    expect(gap.standardError).toBeCloseTo(
      Math.sqrt(onDev.standardError ** 2 + onCheck.standardError ** 2),
      15,
    );
    expect(gap.n).toBe(45 + 40);
  });

  it('sees a step that helps on dev only as a positive gap', () => {
    const counts = (positive: readonly number[]) => ({ people: [100, 100], positive });
    const learnedDev = observe({
      ...request,
      predictions: [0.3, 0.7],
      incumbent: [0.5, 0.5],
      dev: counts([30, 70]),
      check: counts([50, 50]),
    });
    expect(learnedDev.difference!.value).toBeLessThan(0);
    expect(learnedDev.gapChange!.value).toBeGreaterThan(3 * learnedDev.gapChange!.standardError);
  });

  it('leaves out what there is nothing to compare with', () => {
    const baseline = observe({ ...request, incumbent: null });
    expect(baseline.difference).toBeNull();
    expect(baseline.gapChange).toBeNull();
    const alone = observe({ ...request, check: null });
    expect(alone.check).toBeNull();
    expect(alone.gapChange).toBeNull();
    const few = observe({ ...request, check: { people: [1, 1, 1, 1], positive: [0, 1, 0, 1] } });
    expect(few.check).toBeNull();
    expect(few.gapChange).toBeNull();
  });

  it('shows the secondary metrics that were asked for', () => {
    const { secondary } = observe({ ...request, secondary: SECONDARY_METRICS });
    expect(secondary.map(({ name }) => name)).toEqual(['auc', 'brier', 'calibration-error']);
    expect(isSecondaryMetric('brier')).toBe(true);
    expect(isSecondaryMetric('toString')).toBe(false);
  });

  it('is plain data that survives JSON', () => {
    const observed = observe({ ...request, secondary: SECONDARY_METRICS });
    expect(JSON.parse(JSON.stringify(observed))).toEqual(observed);
  });

  it('has nothing to say where nothing can be scored', () => {
    expect(() => observe({ ...request, minimumCell: 50 })).toThrow(RangeError);
  });
});

describe('ladder', () => {
  it('tells a first score rounded, and then only what beats it by more than a step', () => {
    expect(ladder(null, 0.6543, 0.01)).toBe(0.65);
    expect(ladder(0.65, 0.645, 0.01)).toBe(0.65);
    expect(ladder(0.65, 0.9, 0.01)).toBe(0.65);
    expect(ladder(0.65, 0.634, 0.01)).toBe(0.63);
    expect(ladder(null, 0.1234, 0.005)).toBe(0.125);
  });

  it('tells crafted predictions that differ by less than a step apart by nothing', () => {
    const told = [0.6401, 0.6402, 0.6449].map((value) => ladder(0.65, value, 0.01));
    expect(new Set(told)).toEqual(new Set([0.65]));
  });

  it('refuses a score or step that is none', () => {
    expect(() => ladder(null, Number.NaN, 0.01)).toThrow(RangeError);
    expect(() => ladder(null, 0.5, 0)).toThrow(RangeError);
  });
});

describe('sealedContrast', () => {
  it('is positive for an improvement, relative to what stood before', () => {
    const sealed = { people: [200, 300], positive: [50, 200] };
    const from = [0.5, 0.5];
    const contrast = sealedContrast(from, [0.25, 0.66], sealed, 11)!;
    expect(contrast.estimate).toBeGreaterThan(0);
    expect(contrast.relative).toBeCloseTo(contrast.estimate / Math.LN2, 14);
    expect(contrast.n).toBe(500);
    expect(sealedContrast(from, from, sealed, 11)).toEqual({
      estimate: 0,
      standardError: 0,
      relative: 0,
      n: 500,
    });
    expect(sealedContrast(from, from, sealed, 1000)).toBeNull();
  });
});

describe('simultaneousInterval', () => {
  it('widens with the number of findings', () => {
    const contrast = { estimate: 0.1, standardError: 0.01 };
    const one = simultaneousInterval(contrast, 0.95, 1);
    expect(one.lower).toBeCloseTo(0.1 - 0.0195996398, 9);
    expect(one.upper).toBeCloseTo(0.1 + 0.0195996398, 9);
    // z at 1 − 0.05 / 10
    expect(simultaneousInterval(contrast, 0.95, 5).upper).toBeCloseTo(0.1 + 0.025758293, 9);
  });

  it('refuses a level or number that is none', () => {
    const contrast = { estimate: 0, standardError: 1 };
    expect(() => simultaneousInterval(contrast, 95, 1)).toThrow(RangeError);
    expect(() => simultaneousInterval(contrast, 0.95, 0)).toThrow(RangeError);
  });
});
