import { ApiProperty } from '@nestjs/swagger';

const FILES = {
  type: 'object',
  additionalProperties: { type: 'string' },
  description: "Whole text by path, relative to the program's folder",
} as const;

export class ProgramFilesAnswer {
  @ApiProperty(FILES) files!: Readonly<Record<string, string>>;
}

export class DimensionAnswer {
  @ApiProperty() name!: string;
  @ApiProperty({ type: 'string', isArray: true }) labels!: readonly string[];
}

export class StudyBriefAnswer {
  @ApiProperty() title!: string;
  @ApiProperty() question!: string;
  @ApiProperty() outcome!: string;
  @ApiProperty({ type: () => DimensionAnswer, isArray: true })
  dimensions!: readonly DimensionAnswer[];
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    description: 'Files that can be edited, by domain',
  })
  mutable!: Readonly<Record<string, readonly string[]>>;
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'number' },
    description: 'Units by what is charged',
  })
  costs!: Readonly<Record<string, number>>;
  @ApiProperty({ description: "The program's file that is run; it can not be edited" })
  entry!: string;
}

export class AgentBudgetAnswer {
  @ApiProperty() total!: number;
  @ApiProperty() remaining!: number;
}

export class AttemptErrorAnswer {
  @ApiProperty({ type: 'string', nullable: true }) errorClass!: string | null;
  @ApiProperty({ type: 'string', nullable: true }) file!: string | null;
  @ApiProperty({ type: 'integer', nullable: true }) line!: number | null;
}

export class AttemptAnswer {
  @ApiProperty({ type: 'integer' }) number!: number;
  @ApiProperty() hypothesis!: string;
  @ApiProperty({ type: 'string', nullable: true }) domain!: string | null;
  @ApiProperty(FILES) base!: Readonly<Record<string, string>>;
  @ApiProperty({ ...FILES, nullable: true }) proposed!: Readonly<Record<string, string>> | null;
  @ApiProperty({
    enum: ['kept', 'discarded', 'reverted', 'crashed', 'timed-out', 'refused', 'pending'],
  })
  outcome!: string;
  @ApiProperty({ type: () => AttemptErrorAnswer, nullable: true })
  error!: AttemptErrorAnswer | null;
  @ApiProperty({ type: 'number', nullable: true }) score!: number | null;
}

export class AgentViewAnswer extends ProgramFilesAnswer {
  @ApiProperty() runId!: string;
  @ApiProperty({ type: 'integer' }) seed!: number;
  @ApiProperty({ type: () => StudyBriefAnswer }) brief!: StudyBriefAnswer;
  @ApiProperty({ type: () => AgentBudgetAnswer }) budget!: AgentBudgetAnswer;
  @ApiProperty({ description: 'The base cohort table as CSV' }) cohorts!: string;
  @ApiProperty({
    type: 'number',
    nullable: true,
    description: 'The rounded score, lower is better; null before the baseline',
  })
  score!: number | null;
  @ApiProperty({ type: () => AttemptAnswer, isArray: true })
  attempts!: readonly AttemptAnswer[];
}
