/** What each key of a study file means; the page fails when a key is missing here, or one here is no key. */
export const MEANINGS: Readonly<Record<string, string>> = {
  version: 'Version of this format.',
  study: 'What the study is.',
  'study.id': 'Names the study, its stream and its runs (`<id>-1`, `<id>-2`, …).',
  'study.title': 'For people.',
  'study.question': 'What the study asks of its cohorts.',
  program:
    'The training program: [Write a training program](../how-to/write-a-training-program.md).',
  'program.path':
    "Folder of the program, relative to the study's folder: the source tree that is pinned.",
  'program.entry': 'The file that is run, relative to the program. It is fixed: no mutable file.',
  'program.runtime': 'What runs it.',
  'program.mutable':
    'What the agent may edit, by domain; the domain is the price. A file, or a part of one: `model.js#build` is a declaration of code, `config.json#rate` or `config.json#/a/rate` a value of JSON. All else is fixed.',
  'program.mutable.hyperparameter':
    'What an edit of is a hyperparameter mutation, as long as it changes values alone; in code, anything else is charged as architecture.',
  'program.mutable.feature':
    'What an edit of is a feature mutation; imports, classes, loops without a bound, recursion, generators and async functions are charged as architecture.',
  'program.mutable.architecture': 'What an edit of is an architecture mutation.',
  'program.protected_parameters':
    'Names that no edit may set: one that does is a breach and halts the run.',
  data: 'The data, which never leave the vault as rows.',
  'data.path': "The data file, relative to the study's folder. Exactly one of `path` and `table`.",
  'data.table':
    'Table or view of PostgreSQL, as `schema.table`, read into a snapshot: [Read data from PostgreSQL](../how-to/read-data-from-postgresql.md). Needs a `row_id`.',
  'data.format': 'Of a file. Left out or null: from its name.',
  'data.row_id': 'Column with a different id in each row; null: a row is its place in the file.',
  'data.identifiers': 'Columns that are never read; none of them can be a dimension.',
  'data.outcome': 'What is predicted.',
  'data.outcome.name': 'Its name in findings.',
  'data.outcome.column': 'Its column.',
  'data.outcome.positive': 'When it counts as positive: exactly one of the two.',
  'data.outcome.positive.at_least': 'From this number on.',
  'data.outcome.positive.equals': 'For this value.',
  'data.outcome.labels': 'What the two outcomes are called, in gates, messages and reports.',
  'data.outcome.labels.positive': 'The outcome that counts as positive, e.g. `denied`.',
  'data.outcome.labels.negative': 'The other one, e.g. `granted`.',
  'data.dimensions':
    'Cohort dimensions, each by bins, groups or values. Only their labels leave the vault. Their full product may have 20,000 cells at most.',
  'data.dimensions.<name>': 'Exactly one of `bins`, `groups` and `values`.',
  'data.dimensions.<name>.column': "Its column; null: the dimension's name.",
  'data.dimensions.<name>.bins':
    'Cuts of a number, ascending: below the first, …, from the last on.',
  'data.dimensions.<name>.labels':
    'Labels of the bins, one more than cuts; null: made from the cuts.',
  'data.dimensions.<name>.groups':
    'Label to the values that it stands for. A value in no group halts the run at the pre-loop gate.',
  'data.dimensions.<name>.groups.<name>': 'The values of the group.',
  'data.dimensions.<name>.values': 'Values that are their own labels.',
  'data.coarsen':
    'Steps to coarser dimensions, taken in this order and only as far as suppression needs: [Disclosure control](../how-to/set-up-a-study.md#what-leaves-the-vault).',
  'data.coarsen[].dimension': 'The dimension that becomes coarser.',
  'data.coarsen[].merge': 'Its labels that become one, as the steps before left them.',
  'data.coarsen[].into': 'The label that they become.',
  'data.magnitudes':
    'Numbers from 0 on whose sum is released for each cohort, as `sum_<name>`. A cohort that few people dominate is hidden.',
  'data.magnitudes.<name>': 'At least one of `dominance` and `prior_percent`.',
  'data.magnitudes.<name>.column': "Its column; null: the magnitude's name.",
  'data.magnitudes.<name>.decimals':
    'Decimals that are kept of each number: sums are exact in that unit.',
  'data.magnitudes.<name>.dominance': 'The (n,k) rule; null: not asked.',
  'data.magnitudes.<name>.dominance.largest': 'n: so many of the largest numbers together …',
  'data.magnitudes.<name>.dominance.percent': 'k: … may be at most this share of the sum.',
  'data.magnitudes.<name>.prior_percent':
    'The p% rule: all but the two largest numbers are at least this share of the largest; null: not asked.',
  'data.planted': 'Dimensions put into the data on purpose, called so wherever they show.',
  'data.protected':
    'Protected attributes: the evaluator has them, the program does not. Written like dimensions.',
  'data.protected.<name>': 'Exactly one of `bins`, `groups` and `values`.',
  'data.protected.<name>.column': "Its column; null: the attribute's name.",
  'data.protected.<name>.bins': 'As in a dimension.',
  'data.protected.<name>.labels': 'As in a dimension.',
  'data.protected.<name>.groups': 'As in a dimension.',
  'data.protected.<name>.groups.<name>': 'As in a dimension.',
  'data.protected.<name>.values': 'As in a dimension.',
  'data.split': 'Shares of the rows in per cent, by a keyed hash of the row id; together 100.',
  'data.split.train': 'Becomes the cohort table that the program sees.',
  'data.split.dev': 'Scores every training.',
  'data.split.check': 'Feeds the gap chart only.',
  'data.split.sealed': 'Scored once a run, after the loop has ended.',
  'data.minimum_cell': 'A cohort of fewer people is neither released nor scored.',
  'data.disclosure': 'What may be told of cohorts that are not released.',
  'data.disclosure.empty_cells':
    '`hidden`: an empty cell looks like a small one. `shown`: it stands in the table with n 0.',
  'data.disclosure.minimum_outcome':
    'Fewest people with each outcome in a released cohort. 0: one where everybody has the same outcome is released.',
  'data.disclosure.totals':
    'Totals of the train rows in the log. `auto`: withheld where they would tell of a hidden cohort. `told`: further cohorts are hidden instead.',
  'data.disclosure.tables':
    '`one`: a run whose base table differs from that of an earlier run of the same data is halted. `any`: a human answers for what the tables tell together.',
  'data.pii':
    'Screening for what identifies people: [Set up a study](../how-to/set-up-a-study.md).',
  'data.pii.allow':
    'False alarms: columns that may be declared although they look like it. Labels of theirs are not screened either.',
  'data.pii.allow.<name>': 'Why that is right, for whoever audits the run.',
  objective: 'What is improved.',
  'objective.metric': 'Binomial log-loss per person, natural logarithm; lower is better.',
  budget: 'The mutation budget, in units; charges are never refunded.',
  'budget.total': 'Units of one run.',
  'budget.costs': 'Price of each.',
  'budget.costs.hypothesis': 'Every iteration pays one.',
  'budget.costs.hyperparameter':
    'Price of such a mutation; one that touches several domains pays the dearest.',
  'budget.costs.feature': 'Price of such a mutation.',
  'budget.costs.architecture': 'Price of such a mutation.',
  'budget.costs.metric': 'Price of a secondary metric: measured and shown, never deciding.',
  training: 'Limits of one training in the sandbox.',
  'training.seconds': 'Wall clock.',
  'training.memory_mb': 'Memory of the process tree.',
  'training.output_mb': 'What the program may write to /out.',
  'training.processes': 'Processes and threads.',
  sandbox: 'What contains a training.',
  'sandbox.minimum':
    'Layers that must hold, by name: [The sandbox](sandbox.md). A machine or worker with fewer is refused, and `holdfast doctor` says what it has.',
  replicates:
    'Trainings by seed: of the unchanged program, and of each candidate before it is kept; not charged. A program that its seed moves needs five or so.',
  keep: 'When a mutation is kept.',
  'keep.false_keeps':
    'Bound on the chance that the whole run keeps anything that is no better than noise.',
  'keep.effect':
    'Relative gain that the study wants caught: `holdfast check` tells the chance that a keep of that size is seen. It decides nothing.',
  charts:
    'The CUSUM charts (Page 1954): [Choose k, h and the budget](../how-to/choose-k-h-and-budget.md).',
  'charts.gain':
    'Relative gain of a candidate over the incumbent; one that is not better counts as 0.',
  'charts.gain.reference': 'μ₀.',
  'charts.gain.allowance': 'k, as a share: 0.05 is 5 %.',
  'charts.gain.decision_interval': 'h, as a share.',
  'charts.gap': 'By how many standard errors a step helps more on dev rows than on check rows.',
  'charts.gap.reference': 'μ₀, in standard errors.',
  'charts.gap.allowance': 'k, in standard errors.',
  'charts.gap.decision_interval': 'h, in standard errors.',
  'charts.value': "Each candidate's metric, two-sided.",
  'charts.value.reference':
    "μ₀, in the metric's unit; or `baseline`: the baseline's replicates, and k and h count in their noise.",
  'charts.value.allowance': "k, in the metric's unit, or in standard deviations between seeds.",
  'charts.value.decision_interval': 'h, likewise.',
  'charts.stability':
    'The incumbent, trained again with a seed that no training had, in units of its own noise; two-sided. Needs 2 replicates or more.',
  'charts.stability.allowance': 'k, in standard deviations between seeds.',
  'charts.stability.decision_interval': 'h, likewise.',
  'charts.stability.every': 'Decided mutations from one re-measurement to the next; not charged.',
  gates: 'The three gates; a breach halts the run for good.',
  'gates.pre_loop': 'On the data, before anything is trained.',
  'gates.pre_loop.minimum_rows': 'Fewest people in each split.',
  'gates.pre_loop.minimum_group':
    'Fewest dev people in each protected group; not below `data.minimum_cell`.',
  'gates.pre_loop.maximum_suppression':
    'Greatest share of the train rows, in per cent, that the minimum cell may hide.',
  'gates.mid_loop': 'On each mutation.',
  'gates.mid_loop.maximum_files': 'Files that a mutation may change.',
  'gates.mid_loop.maximum_file_bytes': 'Size of a changed file.',
  'gates.mid_loop.maximum_refusals': 'Proposals in a row that do not apply before the loop ends.',
  'gates.post_loop':
    'On the fairness of each mutation that would be kept, measured on the dev rows. Null: measured and shown, no bound.',
  'gates.post_loop.threshold': 'Predictions from here on are decided as the positive outcome.',
  'gates.post_loop.favourable':
    'The decision that is the good one for the person: `positive`, `negative`, or its label.',
  'gates.post_loop.minimum_group':
    'Fewest people for a rate to be measurable, in each group and intersection; not below `data.minimum_cell`. "Not measurable" under a bound is a breach, of the pre-loop gate already where the dev rows show it.',
  'gates.post_loop.decide':
    "What a bound is compared with: `interval`, the unfavourable end of the measure's confidence interval (lower for a ratio, upper for a difference), or `estimate`.",
  'gates.post_loop.level':
    'Confidence level of the intervals, over all pairs of groups that a measure compares (Bonferroni).',
  'gates.post_loop.intersections':
    'Protected attributes whose combinations are measured like groups: `all` (every two), or a list; an entry is a list of two to four names, or a mapping that merges combinations.',
  'gates.post_loop.intersections[].of': 'The attributes, by name.',
  'gates.post_loop.intersections[].groups':
    'What the combinations are merged into where some have too few people; each is in one group.',
  'gates.post_loop.intersections[].groups.<name>':
    'Its combinations: a label of each attribute, in the order of `of`.',
  'gates.post_loop.disparate_impact':
    'Least ratio of the favourable rates; 4/5 is the four-fifths rule. Compared in whole numbers.',
  'gates.post_loop.demographic_parity': 'Greatest difference of the favourable rates.',
  'gates.post_loop.equal_opportunity': 'Greatest difference of the true positive rates.',
  'gates.post_loop.equalized_odds': 'Greatest difference of the true or false positive rates.',
  agent: 'Who proposes.',
  'agent.kind': 'The offline, seeded search agent.',
  'agent.knobs': 'All that the agent may set.',
  'agent.knobs[].file': 'A mutable JSON file, relative to the program.',
  'agent.knobs[].key': 'A key of it.',
  'agent.knobs[].choose':
    '`one`: the value is one of the values. `subset`: it is a list drawn from them.',
  'agent.knobs[].values': 'What may stand there.',
  governance: 'Exceptions that people take responsibility for.',
  'governance.accept_ungoverned':
    'Accepts a run whose agent is not kept apart from the harness; else that is a BLOCK.',
};
