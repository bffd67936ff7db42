import { createHash } from 'node:crypto';
import { Controller, Get, Inject, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { readStudyBelow, type Ledger } from '#apps/runner';
import type { Principal } from '#libs/access';
import type { HarnessPolicy } from '#libs/harness';
import { policyDigest } from '#libs/studies';
import { Caller } from '../../access/access.guard.ts';
import { Operation } from '../../http/operation.ts';
import { DEFAULT_ROWS, linkNext, OrderedPageQuery, PageLinks, placeOf } from '../../http/paging.ts';
import { StudyPath } from '../../http/paths.ts';
import { pageFor } from '../../ledger/views.ts';
import { visibleStudy, type VisibleStudy } from '../../ledger/visible.ts';
import { LEDGER, STUDIES_FOLDER } from '../../tokens.ts';

export class StudySummary {
  @ApiProperty({ example: 'pay' }) studyId!: string;
  @ApiProperty() title!: string;
  @ApiProperty({ description: 'Who sees it' }) project!: string;
  @ApiProperty({
    type: 'string',
    nullable: true,
    description:
      'Where it lies below the studies folder; null of one that only a command line knows',
  })
  folder!: string | null;
  @ApiProperty({ type: 'integer', description: 'Of its trainings, from 1 (first) to 10 (last)' })
  priority!: number;
  @ApiProperty({ type: 'integer', description: 'Runs that were asked for or counted' })
  runs!: number;
  @ApiProperty({ type: 'integer', description: 'Looks at the sealed rows, of all runs' })
  sealedLooks!: number;
  @ApiProperty({ description: 'Units spent by the runs that ended' }) spent!: number;
}

export class StudiesPage extends PageLinks {
  @ApiProperty({ type: () => StudySummary, isArray: true }) rows!: readonly StudySummary[];
}

export class StudyPolicy {
  @ApiProperty({ description: "SHA-256 of the policy's canonical JSON (RFC 8785)" })
  digest!: string;
  @ApiProperty({
    enum: ['study-file', 'run'],
    description:
      'study-file: what a new run would be pinned to; run: what the newest run is pinned to',
  })
  from!: 'study-file' | 'run';
  @ApiProperty({ type: 'object', additionalProperties: true }) policy!: unknown;
}

export class SplitCommitment {
  @ApiProperty({ description: 'SHA-256 of the data' }) dataDigest!: string;
  @ApiProperty({ description: 'Commitment to the key that splits their rows' }) commitment!: string;
}

export class StudyDetails extends StudySummary {
  @ApiProperty({
    type: () => StudyPolicy,
    nullable: true,
    description: "The harness's policy; null where neither a file nor a run says it here",
  })
  policy!: StudyPolicy | null;
  @ApiProperty({ type: () => SplitCommitment, isArray: true })
  splits!: readonly SplitCommitment[];
}

const summaryOf = ({ studyId, state }: Pick<VisibleStudy, 'studyId' | 'state'>): StudySummary => ({
  studyId,
  title: state.title ?? '',
  project: state.project,
  folder: state.folder,
  priority: state.priority,
  runs: state.lastNumber,
  sealedLooks: state.looks,
  spent: state.totalSpent,
});

@ApiTags('studies')
@Controller('v1/studies')
export class StudiesController {
  private readonly ledger: Ledger;
  private readonly studiesFolder: string | null;
  constructor(
    @Inject(LEDGER) ledger: Ledger,
    @Inject(STUDIES_FOLDER) studiesFolder: string | null,
  ) {
    this.ledger = ledger;
    this.studiesFolder = studiesFolder;
  }

  @Get()
  @Operation({
    id: 'listStudies',
    kind: 'read',
    summary: 'The studies',
    description: "Studies of the caller's projects, in the order in which they were registered.",
    refusals: ['cursor-invalid'],
  })
  @ApiOkResponse({ type: StudiesPage })
  async list(
    @Caller() caller: Principal,
    @Query() query: OrderedPageQuery,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StudiesPage> {
    const page = await pageFor(this.ledger, caller, 'studies', {
      order: query.order,
      limit: query.limit ?? DEFAULT_ROWS,
      cursor: placeOf(request),
    });
    const rows: StudySummary[] = [];
    for (const { studyId } of page.rows) {
      const { state } = await this.ledger.studies.load(studyId);
      rows.push(summaryOf({ studyId, state }));
    }
    return { rows, next: linkNext(page.next, request, reply) };
  }

  @Get(':studyId')
  @Operation({
    id: 'getStudy',
    kind: 'read',
    summary: "A study, with the harness's policy and its digest",
    description:
      "What an agent can not change: gates, budget, charts, mutable files, the data's shape. A run is pinned to the digest.",
    refusals: ['study-unknown'],
  })
  @ApiOkResponse({ type: StudyDetails })
  async show(@Caller() caller: Principal, @Param() { studyId }: StudyPath): Promise<StudyDetails> {
    const study = await visibleStudy(this.ledger, caller, studyId);
    return {
      ...summaryOf(study),
      policy: (await this.onDisk(study)) ?? (await this.pinned(study)),
      splits: [...study.state.splits].map(([dataDigest, commitment]) => ({
        dataDigest,
        commitment,
      })),
    };
  }

  private async onDisk({ studyId, state }: VisibleStudy): Promise<StudyPolicy | null> {
    if (state.folder === null || this.studiesFolder === null) return null;
    const study = await readStudyBelow(this.studiesFolder, state.folder);
    if (!study.ok || study.value.policy.study.id !== studyId) return null;
    return shownPolicy(study.value.policy, 'study-file');
  }

  private async pinned({ state }: VisibleStudy): Promise<StudyPolicy | null> {
    const newest = state.runs.last();
    if (newest === undefined) return null;
    const { opened } = (await this.ledger.runs.load(newest.runId)).state;
    return opened === null ? null : shownPolicy(opened.policy, 'run');
  }
}

const shownPolicy = (policy: HarnessPolicy, from: StudyPolicy['from']): StudyPolicy => ({
  digest: policyDigest(policy, (text) => createHash('sha256').update(text).digest('hex')),
  from,
  policy,
});
