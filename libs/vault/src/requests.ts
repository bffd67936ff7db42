import { cellLabels, type Breach, type CohortDimension, type DataPolicy } from '#libs/harness';

/** What somebody asks of the data, once the base cohort table has left the vault. */
export interface DataRequest {
  /** Names of declared dimensions to group by; none: everybody together. */
  readonly dimensions: readonly string[];
  readonly rows?: 'cohorts' | 'individuals';
  /** Further columns that the request names. */
  readonly columns?: readonly string[];
}

/** A released cell of the base table. */
export interface BaseCell {
  readonly cell: number;
  readonly people: number;
  readonly positive: number;
}

/** Counts by cohort, from the base table alone. */
export interface CohortAnswer {
  readonly dimensions: readonly string[];
  readonly outcome: string;
  readonly minimumCell: number;
  /** Cohorts with at least the minimum, in the order of the dimensions' labels. */
  readonly cohorts: readonly {
    readonly labels: readonly string[];
    readonly people: number;
    readonly positive: number;
  }[];
}

/**
 * Every rule that a request for data breaks; empty: it may be answered. Pure: it needs the policy only.
 *
 * @returns breaches of the rules `individual-level`, `identifier`, `protected-attribute` and `undeclared-column`
 */
export const checkDataRequest = (policy: DataPolicy, request: DataRequest): readonly Breach[] => {
  const breaches: Breach[] = [];
  const breach = (rule: string, found: string, expected: string) => {
    breaches.push({ rule, found, expected, file: null, line: null });
  };
  const names = policy.dimensions.map(({ name }) => name);
  const identifiers = new Set(policy.identifiers);
  if (policy.rowId !== null) identifiers.add(policy.rowId);
  const shielded = new Set(policy.protected.flatMap(({ name, column }) => [name, column]));

  if ((request.rows ?? 'cohorts') !== 'cohorts') {
    breach(
      'individual-level',
      'a request for individual records',
      `cohorts of at least ${policy.minimumCell} people`,
    );
  }
  const check = (asked: string, allowed: readonly string[]) => {
    if (identifiers.has(asked)) {
      breach('identifier', `a request for the identifier "${asked}"`, 'no identifier');
    } else if (shielded.has(asked)) {
      breach(
        'protected-attribute',
        `a request for the protected attribute "${asked}"`,
        'no protected attribute: they are for evaluation only',
      );
    } else if (!allowed.includes(asked)) {
      breach(
        'undeclared-column',
        `a request for "${asked}"`,
        `declared dimensions: ${names.join(', ')}`,
      );
    }
  };
  for (const asked of request.dimensions) check(asked, names);
  for (const asked of request.columns ?? []) check(asked, [...names, policy.outcome.name]);
  return breaches;
};

/** Adds up the released cells. What was suppressed stays suppressed: nothing here has ever seen it. */
export const aggregate = (
  policy: Pick<DataPolicy, 'outcome' | 'minimumCell'> & {
    readonly dimensions: readonly CohortDimension[];
  },
  base: readonly BaseCell[],
  asked: readonly string[],
): CohortAnswer => {
  const dimensions = [...new Set(asked)].map((name) =>
    policy.dimensions.find((dimension) => dimension.name === name)!,
  );
  const places = dimensions.map((dimension) => policy.dimensions.indexOf(dimension));
  const order = (labels: readonly string[]) =>
    labels.reduce(
      (rank, label, i) =>
        rank * dimensions[i]!.labels.length + dimensions[i]!.labels.indexOf(label),
      0,
    );
  const cohorts = new Map<number, { labels: string[]; people: number; positive: number }>();
  for (const { cell, people, positive } of base) {
    const all = cellLabels(policy.dimensions, cell);
    const labels = places.map((place) => all[place]!);
    const cohort = cohorts.get(order(labels)) ?? { labels, people: 0, positive: 0 };
    cohort.people += people;
    cohort.positive += positive;
    cohorts.set(order(labels), cohort);
  }
  return {
    dimensions: dimensions.map(({ name }) => name),
    outcome: policy.outcome.name,
    minimumCell: policy.minimumCell,
    cohorts: [...cohorts]
      .sort(([a], [b]) => a - b)
      .map(([, cohort]) => cohort)
      .filter(({ people }) => people >= policy.minimumCell),
  };
};
