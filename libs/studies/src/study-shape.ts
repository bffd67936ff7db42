import {
  cellCount,
  coarsened,
  FILE_DOMAINS,
  LAYERS_BY_DEFAULT,
  SANDBOX_LAYERS,
  languageOf,
  misstep,
  MOST_CELLS,
  SPLITS,
  type CoarseningStep,
  type DimensionPolicy,
  type IntersectionPolicy,
  type MagnitudePolicy,
  type OutcomePolicy,
  type Ratio,
} from '#libs/harness';
import {
  between,
  distinct,
  flag,
  list,
  needed,
  number,
  object,
  oneOf,
  optional,
  orNull,
  pairs,
  prose,
  ruled,
  scalar,
  shown,
  text,
  whole,
  type Shape,
} from './shape.ts';
import type { Path, Report } from './yaml-document.ts';

/** What stands where the file says nothing: each section's own defaults. */
const byDefault = <T>(shape: Shape<T>): T => {
  const value = shape(new Map(), [], (path) => {
    throw new Error(`a default section needs ${path.join('.')}`);
  });
  if (value === undefined) throw new Error('a default section does not fit its own shape');
  return value;
};

/** A section that may be left out as a whole. */
const section = <T>(shape: Shape<T>) => optional<T>(shape, byDefault(shape));

const identifier = text({
  longest: 40,
  pattern: /^[a-z][a-z0-9-]{0,39}$/,
  form: 'a lower-case letter, then up to 39 lower-case letters, digits and hyphens',
});

const name = text({
  longest: 60,
  pattern: /^[A-Za-z][A-Za-z0-9_-]*$/,
  form: 'a letter, then letters, digits, _ and - (60 at most)',
});

const column = text({ longest: 200 });

/** A label leaves the vault and stands in tables: short, on one line. */
const label = text({ longest: 60 });

/** A value of a column, as text: 1 and "1" are the same. */
const cell: Shape<string> = (value, path, report) => {
  const read = scalar(value, path, report);
  return read === undefined ? undefined : String(read);
};

/** A file below a folder: relative, forward slashes, no way out and none into git's own folder. */
const file: Shape<string> = (value, path, report) => {
  const form = 'a relative path with / between its parts, without .., . or .git';
  const read = text({ longest: 200, form })(value, path, report);
  if (read === undefined) return undefined;
  const lawful = read
    .split('/')
    .every((part) => part !== '' && part !== '.' && part !== '..' && !/^\.git$/i.test(part));
  if (lawful && !read.includes('\\') && !/^[A-Za-z]:/.test(read)) return read;
  report(path, { found: shown(read), expected: form, remedy: 'Write the path from the folder.' });
  return undefined;
};

/** What decides how files are run or found, and git's own. */
const SET_UP =
  /(?:^|\/)(?:node_modules(?:\/|$)|(?:package(?:-lock)?|tsconfig)\.json$|\.(?:npmrc|env|gitattributes|gitmodules)$|__pycache__(?:\/|$)|(?:site|user)customize\.py$)/iu;

/** A mutable file, or `file#part`: a declaration of code, or a value of JSON by key or pointer (RFC 6901). */
const mutableFile: Shape<string> = (value, path, report) => {
  const sign = typeof value === 'string' ? value.indexOf('#') : -1;
  const setUp =
    typeof value === 'string' ? SET_UP.exec(sign < 0 ? value : value.slice(0, sign)) : null;
  if (setUp !== null) {
    report(path, {
      found: `${shown(value)}, which says how the program is run or what it imports`,
      expected: 'files of the program itself',
      remedy: 'Leave it fixed.',
    });
    return undefined;
  }
  if (typeof value !== 'string' || sign < 0) return file(value, path, report);
  const read = file(value.slice(0, sign), path, report);
  if (read === undefined) return undefined;
  const part = value.slice(sign + 1);
  const language = languageOf(read);
  const lawful =
    language === 'json'
      ? /^[^\p{Cc}]{1,200}$/u.test(part)
      : language !== 'text' && /^[\p{L}\p{Nl}_$][\p{L}\p{N}_$.]{0,99}$/u.test(part);
  if (lawful) return value;
  report(path, {
    found: shown(value),
    expected:
      language === 'text'
        ? 'parts of code (.js, .ts, .py) and of JSON only'
        : 'the name of a declaration after the #, or a key or JSON pointer of a JSON file',
    remedy: 'Name the part as the file does, or the whole file.',
  });
  return undefined;
};

const program = ruled(
  object({
    path: needed(file),
    entry: needed(file),
    runtime: optional(oneOf(['node']), 'node'),
    mutable: needed(
      object({
        hyperparameter: optional(list(mutableFile, 0, 50), []),
        feature: optional(list(mutableFile, 0, 50), []),
        architecture: optional(list(mutableFile, 0, 50), []),
      }),
    ),
    protected_parameters: optional(
      ruled(list(text({ longest: 100 }), 0, 100), distinct('protected parameter')),
      ['seed', 'seconds', 'steps'],
    ),
  }),
  ({ entry, mutable }, path, report) => {
    const owner = new Map<string, string>();
    for (const domain of FILE_DOMAINS) {
      mutable[domain].forEach((each, i) => {
        const place = [...path, 'mutable', domain, i];
        const other = owner.get(each);
        if (each === entry) {
          report(place, {
            found: 'the entry of the program',
            expected: 'a file that the entry reads',
            remedy: 'Leave the entry fixed and let it read what may change.',
          });
        } else if (other !== undefined) {
          report(place, {
            found: `${shown(each)}, which is in ${other} already`,
            expected: 'each file, and each part of one, in one domain',
            remedy: 'Remove it from one of the two: the domain decides what an edit costs.',
          });
        }
        owner.set(each, domain);
      });
    }
    if (owner.size > 0) return;
    report([...path, 'mutable'], {
      found: 'no file at all',
      expected: 'at least one file that the agent may edit',
      remedy: `List one under ${FILE_DOMAINS.join(', ')}.`,
    });
  },
);

/** Labels for the bins between cuts, where the study names none. */
const labelsOf = (cuts: readonly number[]): readonly string[] => [
  `below ${cuts[0]}`,
  ...cuts.slice(1).map((cut, i) => `${cuts[i]} to below ${cut}`),
  `${cuts.at(-1)} and above`,
];

const cuts = ruled(list(number(-1e12, 1e12), 1, 50), (points, path, report) => {
  points.forEach((point, i) => {
    const before = points[i - 1];
    if (before === undefined || point > before) return;
    report([...path, i], {
      found: `${point} after ${before}`,
      expected: 'cuts in ascending order',
      remedy: 'Sort them.',
    });
  });
});

const groups = ruled(pairs(label, list(cell, 1, 1000), 2, 100), (entries, path, report) => {
  const owner = new Map<string, string>();
  for (const [group, values] of entries) {
    values.forEach((value, i) => {
      const other = owner.get(value);
      if (other !== undefined) {
        report([...path, group, i], {
          found: `${shown(value)}, which is in the group ${shown(other)} already`,
          expected: 'each value in one group',
          remedy: 'Remove it from one of the two.',
        });
      }
      owner.set(value, group);
    });
  }
});

const rawDimension = ruled(
  object({
    column: optional(orNull(column), null),
    bins: optional(orNull(cuts), null),
    labels: optional(orNull(ruled(list(label, 2, 51), distinct('label'))), null),
    groups: optional(orNull(groups), null),
    values: optional(orNull(ruled(list(cell, 2, 100), distinct('value'))), null),
  }),
  ({ bins, labels, groups, values }, path, report) => {
    const kinds = [bins, groups, values].filter((kind) => kind !== null);
    if (kinds.length !== 1) {
      report(path, {
        found: kinds.length === 0 ? 'none of bins, groups and values' : 'more than one of them',
        expected: 'exactly one of bins (cuts of a number), groups and values',
        remedy: 'Say in one way how the column becomes a few cohorts.',
      });
    } else if (labels !== null && bins === null) {
      report([...path, 'labels'], {
        found: 'labels without bins',
        expected: 'labels for bins only: groups and values name their own',
        remedy: 'Remove them, or name the groups under groups.',
      });
    } else if (labels !== null && bins !== null && labels.length !== bins.length + 1) {
      report([...path, 'labels'], {
        found: `${labels.length} labels for ${bins.length} cuts`,
        expected: `${bins.length + 1}: below the first cut, between the cuts, from the last on`,
        remedy: 'Add or remove labels, or leave them out: they are then made from the cuts.',
      });
    }
  },
);

/** Named dimensions: each name is the column's too, unless it says another. */
const dimensions =
  (min: number): Shape<readonly DimensionPolicy[]> =>
  (value, path, report) =>
    pairs(
      name,
      rawDimension,
      min,
      20,
    )(value, path, report)?.map(([named, raw]) => {
      const common = { name: named, column: raw.column ?? named };
      if (raw.bins !== null) {
        const labels = raw.labels ?? labelsOf(raw.bins);
        return { ...common, kind: 'bins', cuts: raw.bins, labels };
      }
      const grouped = raw.groups ?? (raw.values ?? []).map((each) => [each, [each]] as const);
      return {
        ...common,
        kind: 'groups',
        labels: grouped.map(([group]) => group),
        values: grouped.map(([, values]) => values),
      };
    });

const positive: Shape<OutcomePolicy['positive']> = (value, path, report) => {
  const read = ruled(
    object({
      at_least: optional(orNull(number(-1e12, 1e12)), null),
      equals: optional(orNull(cell), null),
    }),
    ({ at_least: atLeast, equals }, _path, complain) => {
      if ((atLeast === null) !== (equals === null)) return;
      complain(path, {
        found: atLeast === null ? 'neither at_least nor equals' : 'both at_least and equals',
        expected: 'exactly one of them',
        remedy: 'Write { at_least: 500 } for a number or { equals: "yes" } for a value.',
      });
    },
  )(value, path, report);
  if (read === undefined) return undefined;
  return read.at_least === null ? { equals: read.equals ?? '' } : { atLeast: read.at_least };
};

/** The label of one side can't be the other side's word: a policy that says `negative` means one thing. */
const outcomeLabels = ruled(
  object({ positive: needed(label), negative: needed(label) }),
  ({ positive, negative }, path, report) => {
    if (positive !== negative && positive !== 'negative' && negative !== 'positive') return;
    report(path, {
      found: `${shown(positive)} for positive and ${shown(negative)} for negative`,
      expected: "two different labels, neither of them the other side's own word",
      remedy: 'Name what happened to the person, e.g. { positive: denied, negative: granted }.',
    });
  },
);

const share = whole(1, 97);

const split = ruled(
  object({
    train: needed(share),
    dev: needed(share),
    check: needed(share),
    sealed: needed(share),
  }),
  (shares, path, report) => {
    const sum = SPLITS.reduce((total, each) => total + shares[each], 0);
    if (sum === 100) return;
    report(path, {
      found: `shares that add up to ${sum}`,
      expected: '100 per cent',
      remedy: `Change train, dev, check or sealed by ${Math.abs(100 - sum)} in all.`,
    });
  },
);

/** Labels that become one, in the order that they are tried. */
const coarsen: Shape<readonly CoarseningStep[]> = list(
  object({
    dimension: needed(name),
    merge: needed(ruled(list(label, 2, 100), distinct('label'))),
    into: needed(label),
  }),
  0,
  100,
);

const percent = whole(1, 100);

const rawMagnitude = ruled(
  object({
    column: optional(orNull(column), null),
    decimals: optional(whole(0, 6), 0),
    dominance: optional(
      orNull(object({ largest: optional(whole(1, 10), 2), percent: optional(percent, 85) })),
      { largest: 2, percent: 85 },
    ),
    prior_percent: optional(orNull(percent), 15),
  }),
  ({ dominance, prior_percent: priorPercent }, path, report) => {
    if (dominance !== null || priorPercent !== null) return;
    report(path, {
      found: 'neither dominance nor prior_percent',
      expected: 'at least one of them',
      remedy: 'Leave one out, and its default stands.',
    });
  },
);

/** Named sums, each of the column of its name unless it says another. */
const magnitudes: Shape<readonly MagnitudePolicy[]> = (value, path, report) =>
  pairs(
    name,
    rawMagnitude,
    0,
    10,
  )(value, path, report)?.map(([named, { prior_percent: priorPercent, ...raw }]) => ({
    name: named,
    column: raw.column ?? named,
    decimals: raw.decimals,
    dominance: raw.dominance,
    priorPercent,
  }));

const disclosure = object({
  empty_cells: optional(oneOf(['hidden', 'shown']), 'hidden'),
  minimum_outcome: optional(whole(0, 1_000_000), 0),
  totals: optional(oneOf(['auto', 'told']), 'auto'),
  tables: optional(oneOf(['one', 'any']), 'one'),
});

/** A table or view of PostgreSQL, never an expression: what is to be computed is a view in the database. */
const table = text({
  longest: 127,
  pattern: /^[A-Za-z_][A-Za-z0-9_]{0,62}\.[A-Za-z_][A-Za-z0-9_]{0,62}$/,
  form: 'schema.table, each of letters, digits and _ (make a view for anything else)',
});

const reason = prose(300);

const rawData = object({
  path: optional(orNull(file), null),
  table: optional(orNull(table), null),
  format: optional(orNull(oneOf(['csv', 'parquet'])), null),
  row_id: optional(orNull(column), null),
  identifiers: optional(ruled(list(column, 0, 200), distinct('identifier')), []),
  outcome: needed(
    object({
      name: needed(name),
      column: needed(column),
      positive: needed(positive),
      labels: optional(outcomeLabels, { positive: 'positive', negative: 'negative' }),
    }),
  ),
  dimensions: needed(dimensions(1)),
  coarsen: optional(coarsen, []),
  magnitudes: optional(magnitudes, []),
  planted: optional(ruled(list(name, 0, 20), distinct('planted dimension')), []),
  protected: optional(dimensions(0), []),
  split: optional(split, { train: 50, dev: 20, check: 15, sealed: 15 }),
  // With fewer than three people in a cell, one of them can work out the other.
  minimum_cell: optional(whole(3, 1_000_000), 11),
  disclosure: section(disclosure),
  pii: section(object({ allow: optional(pairs(column, reason, 0, 50), []) })),
});

type RawData = NonNullable<ReturnType<typeof rawData>>;

/** What a column is, apart from being a dimension; null when it is nothing else. */
const otherUse = (data: RawData, used: string): string | null => {
  if (data.identifiers.includes(used)) return 'an identifier';
  if (data.row_id === used) return 'the row id';
  return data.outcome.column === used ? "the outcome's column" : null;
};

/** From where the rows come: a file of the study, or a table that is read into a snapshot. */
const sourceRule = (data: RawData, path: Path, report: Report): void => {
  if ((data.path === null) === (data.table === null)) {
    report(path, {
      found: data.path === null ? 'neither path nor table' : 'both path and table',
      expected: 'exactly one of path (a file) and table (of PostgreSQL)',
      remedy: 'Say in one way where the rows are.',
    });
  }
  if (data.table === null) return;
  if (data.format !== null) {
    report([...path, 'format'], {
      found: `the format ${data.format} of a table`,
      expected: 'a format for files only',
      remedy: 'Remove it.',
    });
  }
  if (data.row_id === null) {
    report([...path, 'table'], {
      found: 'a table without a row_id',
      expected: 'a row_id: the rows of a table stand in no order of their own',
      remedy: 'Name a column with a different value in each row.',
    });
  }
};

/** An exception for a column that nothing declares would stand there unseen until something does. */
const exceptionRule = (data: RawData, path: Path, report: Report): void => {
  const declared = [
    data.outcome.column,
    ...[...data.dimensions, ...data.protected].map((each) => each.column),
  ];
  for (const [excepted] of data.pii.allow) {
    if (declared.includes(excepted)) continue;
    report(
      [...path, 'pii', 'allow', excepted],
      {
        found: `the column ${shown(excepted)}, which nothing declares`,
        expected: 'a column of a dimension, a protected attribute or the outcome',
        remedy: 'Remove it, or correct the name.',
      },
      'key',
    );
  }
};

const dataRule = (data: RawData, path: Path, report: Report): void => {
  sourceRule(data, path, report);
  exceptionRule(data, path, report);
  const secret = new Map(data.protected.map((each) => [each.column, each.name]));
  for (const kind of ['dimensions', 'protected'] as const) {
    for (const dimension of data[kind]) {
      const attribute = kind === 'dimensions' ? secret.get(dimension.column) : undefined;
      const use =
        otherUse(data, dimension.column) ??
        (attribute === undefined ? null : `the protected attribute ${attribute}`);
      if (use !== null) {
        report([...path, kind, dimension.name, 'column'], {
          found: `the column ${shown(dimension.column)}, which is ${use}`,
          expected: 'a column that is nothing else',
          remedy: 'Take another column, or remove this entry.',
        });
      } else if (
        kind === 'protected' &&
        data.dimensions.some((each) => each.name === dimension.name)
      ) {
        report(
          [...path, kind, dimension.name],
          {
            found: 'the name of a dimension',
            expected: 'a name of its own',
            remedy: 'Rename one of the two.',
          },
          'key',
        );
      }
    }
  }
  data.planted.forEach((planted, i) => {
    if (data.dimensions.some((each) => each.name === planted)) return;
    report([...path, 'planted', i], {
      found: shown(planted),
      expected: `one of the dimensions: ${data.dimensions.map((each) => each.name).join(', ')}`,
      remedy: 'Name a dimension, or remove it.',
    });
  });
  for (const { name: named, column: used } of data.magnitudes) {
    const attribute = secret.get(used);
    const use =
      otherUse(data, used) ??
      (attribute === undefined ? null : `the protected attribute ${attribute}`);
    if (use === null) continue;
    report([...path, 'magnitudes', named, 'column'], {
      found: `the column ${shown(used)}, which is ${use}`,
      expected: 'a column whose sums may be known',
      remedy: 'Take another column, or remove this entry.',
    });
  }
  for (const [i, step] of data.coarsen.entries()) {
    const found = misstep(coarsened(data.dimensions, data.coarsen.slice(0, i)), step);
    if (found === null) continue;
    report([...path, 'coarsen', i], {
      found,
      expected:
        'labels of a dimension, as the steps before this one left them, and a label for them that is not taken',
      remedy: 'Correct the names, or the order of the steps.',
    });
    break;
  }
  const half = Math.floor(data.minimum_cell / 2);
  if (data.disclosure.minimum_outcome > half)
    report([...path, 'disclosure', 'minimum_outcome'], {
      found: String(data.disclosure.minimum_outcome),
      expected: `at most ${half}, half of the minimum cell`,
      remedy: 'Lower it, or raise minimum_cell.',
    });
  const cells = cellCount(data.dimensions);
  if (cells > MOST_CELLS) {
    report([...path, 'dimensions'], {
      found: `${cells} cells in the product of all dimensions`,
      expected: `at most ${MOST_CELLS}`,
      remedy: 'Use fewer dimensions or coarser ones.',
    });
  }
};

const charge = whole(1, 1_000_000);

const budget = ruled(
  object({
    total: optional(charge, 100),
    costs: section(
      object({
        hypothesis: optional(charge, 5),
        hyperparameter: optional(charge, 10),
        feature: optional(charge, 20),
        architecture: optional(charge, 25),
        metric: optional(charge, 10),
      }),
    ),
  }),
  ({ total, costs }, path, report) => {
    const cheapest = costs.hypothesis + Math.min(...FILE_DOMAINS.map((domain) => costs[domain]));
    if (total >= cheapest) return;
    report([...path, 'total'], {
      found: String(total),
      expected: `at least ${cheapest}: a hypothesis and the cheapest mutation`,
      remedy: 'Raise the total or lower the costs.',
    });
  },
);

/** A number above 0 and up to `max`. */
const above0 =
  (max: number): Shape<number> =>
  (value, path, report) => {
    if (typeof value === 'number' && value > 0 && value <= max) return value;
    report(path, {
      found: shown(value),
      expected: `a number above 0, up to ${max}`,
      remedy: 'Write such a number.',
    });
    return undefined;
  };

const gain = object({
  reference: optional(number(-10, 10), 0),
  allowance: optional(above0(10), 0.05),
  decision_interval: optional(above0(100), 0.1),
});

/** In standard errors. */
const gap = object({
  reference: optional(number(-100, 100), 0),
  allowance: optional(above0(10), 0.5),
  decision_interval: optional(above0(100), 5),
});

/** A number, or the baseline's own replicates. */
const reference: Shape<number | 'baseline'> = (given, path, report) => {
  if (given === 'baseline') return given;
  if (typeof given === 'number' && Math.abs(given) <= 1e9) return given;
  report(path, {
    found: shown(given),
    expected: 'a number from -1e9 to 1e9, or baseline',
    remedy: "Write the metric that you expect, or baseline for that of the program's replicates.",
  });
  return undefined;
};

/** In the metric's unit; in standard deviations between seeds where the baseline is the reference. */
const value = object({
  reference: needed(reference),
  allowance: needed(above0(1e9)),
  decision_interval: needed(above0(1e9)),
});

/** In standard deviations between seeds. */
const stability = object({
  allowance: optional(above0(10), 0.5),
  decision_interval: optional(above0(100), 5),
  every: optional(whole(1, 1000), 5),
});

const charts = ruled(
  object({
    gain: optional(orNull(gain), byDefault(gain)),
    gap: optional(orNull(gap), byDefault(gap)),
    value: optional(orNull(value), null),
    stability: optional(orNull(stability), null),
  }),
  (kinds, path, report) => {
    if (Object.values(kinds).some((kind) => kind !== null)) return;
    report(path, {
      found: 'no chart',
      expected: 'at least one of gain, gap, value and stability',
      remedy: 'Leave gain out, and its default stands.',
    });
  },
);

/** A ratio such as 4/5, kept as two whole numbers so that it is compared without rounding. */
const ratio: Shape<Ratio> = (value, path, report) => {
  const match = typeof value === 'string' ? /^([0-9]{1,4})\s*\/\s*([0-9]{1,4})$/.exec(value) : null;
  const [numerator, denominator] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  if (numerator > 0 && numerator <= denominator) return { numerator, denominator };
  report(path, {
    found: shown(value),
    expected: 'a ratio of two whole numbers up to 1, such as 4/5, or null for no bound',
    remedy: 'Write it as a fraction.',
  });
  return undefined;
};

const difference = orNull(number(0, 1));

const preLoop = object({
  minimum_rows: optional(whole(1, 1e9), 1000),
  minimum_group: optional(whole(1, 1e9), 100),
  maximum_suppression: optional(number(0, 100), 10),
});

const midLoop = object({
  maximum_files: optional(whole(1, 1000), 3),
  maximum_file_bytes: optional(whole(1, 16 * 1024 * 1024), 65_536),
  maximum_refusals: optional(whole(1, 1000), 3),
});

/** Protected attributes in one intersection: their combinations multiply. */
const MOST_CROSSED = 4;

const crossedNames = ruled(list(name, 2, MOST_CROSSED), distinct('attribute'));

const intersection: Shape<IntersectionPolicy> = (value, path, report) => {
  if (Array.isArray(value)) {
    const of = crossedNames(value, path, report);
    return of && { of, groups: null };
  }
  const read = object({
    of: needed(crossedNames),
    groups: needed(pairs(label, list(list(label, 2, MOST_CROSSED), 1, 1000), 2, 100)),
  })(value, path, report);
  return (
    read && {
      of: read.of,
      groups: read.groups.map(([merged, combinations]) => ({ label: merged, combinations })),
    }
  );
};

/** `all`: every two protected attributes. */
const intersections: Shape<'all' | readonly IntersectionPolicy[]> = (value, path, report) =>
  value === 'all' ? value : list(intersection, 0, 50)(value, path, report);

const postLoop = object({
  threshold: optional(between(0, 1), 0.5),
  favourable: optional(label, 'positive'),
  minimum_group: optional(whole(1, 1e9), 100),
  decide: optional(oneOf(['interval', 'estimate']), 'interval'),
  level: optional(between(0.5, 1), 0.95),
  intersections: optional(intersections, []),
  disparate_impact: optional(orNull(ratio), { numerator: 4, denominator: 5 }),
  demographic_parity: optional(difference, null),
  equal_opportunity: optional(difference, null),
  equalized_odds: optional(difference, null),
});

const knobs = ruled(
  list(
    object({
      file: needed(file),
      key: needed(
        text({
          longest: 100,
          pattern: /^[A-Za-z_][\w.-]*$/,
          form: 'a letter or _, then letters, digits, _, . and -',
        }),
      ),
      choose: optional(oneOf(['one', 'subset']), 'one'),
      values: needed(ruled(list(scalar, 1, 200), distinct('value'))),
    }),
    0,
    200,
  ),
  (all, path, report) => {
    all.forEach((knob, i) => {
      const first = all.findIndex((each) => each.file === knob.file && each.key === knob.key);
      if (first === i) return;
      report([...path, i], {
        found: `a second knob for ${knob.key} of ${knob.file}`,
        expected: 'one knob for each key of a file',
        remedy: `Add its values to knobs[${first}].`,
      });
    });
  },
);

const wholeFile = object({
  version: optional(oneOf([1]), 1),
  study: needed(
    object({ id: needed(identifier), title: needed(prose(120)), question: needed(prose(500)) }),
  ),
  program: needed(program),
  data: needed(ruled(rawData, dataRule)),
  objective: section(object({ metric: optional(oneOf(['log-loss']), 'log-loss') })),
  budget: section(budget),
  training: section(
    object({
      seconds: optional(whole(1, 86_400), 10),
      memory_mb: optional(whole(64, 1_048_576), 512),
      output_mb: optional(whole(1, 4096), 4),
      processes: optional(whole(1, 4096), 16),
    }),
  ),
  sandbox: section(
    object({
      minimum: optional(
        ruled(list(oneOf(SANDBOX_LAYERS), 0, SANDBOX_LAYERS.length), distinct('layer')),
        LAYERS_BY_DEFAULT,
      ),
    }),
  ),
  replicates: optional(whole(1, 100), 3),
  keep: section(
    object({
      false_keeps: optional(between(0, 1), 0.05),
      effect: optional(between(0, 1), 0.02),
    }),
  ),
  charts: section(charts),
  gates: section(
    object({
      pre_loop: section(preLoop),
      mid_loop: section(midLoop),
      post_loop: section(postLoop),
    }),
  ),
  agent: section(
    object({ kind: optional(oneOf(['search']), 'search'), knobs: optional(knobs, []) }),
  ),
  governance: section(object({ accept_ungoverned: optional(flag, false) })),
});

/** The study file as it is written, in snake_case, with every default filled in. */
export const studyShape = ruled(wholeFile, ({ charts: chosen, replicates }, path, report) => {
  // Noise that is known of one training is known of none.
  const inNoise = [
    ...(chosen.stability === null ? [] : ['stability']),
    ...(chosen.value?.reference === 'baseline' ? ['value'] : []),
  ];
  if (inNoise.length === 0 || replicates >= 2) return;
  report([...path, 'replicates'], {
    found: `${replicates} with the ${inNoise.join(' and the ')} chart in units of the noise between seeds`,
    expected: 'at least 2: one training has no noise that could be known',
    remedy: 'Raise replicates to 3 or more, or leave the chart out.',
  });
});

export type StudyFileContent = NonNullable<ReturnType<typeof studyShape>>;
