import { ApiProperty } from '@nestjs/swagger';
import { Finite, ListOf, OneOf, Text, Words } from '../../http/members.ts';

/** Longest text that an agent may say of itself; the mandate's screen has the same. */
const LONGEST = 300;

export class HypothesisBody {
  @Words(LONGEST, {
    about: 'A sentence about cohorts: no individual, no prescription',
    example: 'Cohorts by region tell more than by age alone',
  })
  statement!: string;

  @Finite(-1, 1, {
    about: 'Relative gain that it expects: 0.02 for 2 % less log-loss',
    example: 0.02,
  })
  expectedEffect!: number;
}

export class EditBody {
  @Words(1024, { about: "Path relative to the program's folder", example: 'features.json' })
  path!: string;

  @Text(1_500_000, { about: "The file's whole new text" }) content!: string;
}

export class MutationBody {
  @OneOf(['hyperparameter', 'feature', 'architecture'], {
    about: 'As the agent declares it; what it costs, the harness decides from the diff',
  })
  domain!: 'hyperparameter' | 'feature' | 'architecture';

  @Words(LONGEST, { about: 'What it changes' }) summary!: string;

  @ListOf(() => EditBody, 64, { about: 'The files that it changes' }) edits!: EditBody[];
}

export class MetricBody {
  @Words(100, { about: 'Name of a metric that the evaluator has', example: 'brier' })
  metric!: string;
  @Words(LONGEST, { about: 'Why' }) summary!: string;
}

export class FindingBody {
  @Words(LONGEST, { about: 'Why the agent is done' }) reason!: string;
}

export class ProposalAnswer {
  @ApiProperty({ example: 'pay-1' }) runId!: string;
  @ApiProperty({
    enum: ['proposed', 'refused', 'exhausted', 'halted', 'ended'],
    description:
      "proposed: it is on its way. refused: the edit does not apply; not charged, but too many end the loop. exhausted: the budget does not cover it, and the loop is over. halted: it breached the harness's boundary, and the run is over. ended: the loop is over, its line goes on to its findings",
  })
  outcome!: 'proposed' | 'refused' | 'exhausted' | 'halted' | 'ended';
  @ApiProperty({ type: 'string', nullable: true, description: 'Why, where it is not `proposed`' })
  because!: string | null;
  @ApiProperty({ type: 'number', nullable: true, description: 'Units left, where it was charged' })
  remaining!: number | null;
}
