import { Inject } from '@nestjs/common';
import { Command, CommandHandler, type ICommandHandler } from '@nestjs/cqrs';
import { deriveId, type Refusal, type Result } from '#libs/kernel';
import { LOCAL_REVIEWER } from '../actors.ts';
import type { Home } from '../home.ts';
import { sealReason } from '../private-texts.ts';
import { pointAcceptedRef } from '../proving/accepted-line.ts';
import { runOf, studyOf } from '../proving/names.ts';
import { HOME } from '../tokens.ts';

/** A reviewer accepts or rejects a finding, with a reason. Only a finding with PASS moves the accepted line. */
export class ReviewFinding extends Command<Result<unknown, Refusal>> {
  readonly findingId: string;
  readonly decision: 'accepted' | 'rejected';
  readonly reason: string;
  constructor(findingId: string, decision: 'accepted' | 'rejected', reason: string) {
    super();
    this.findingId = findingId;
    this.decision = decision;
    this.reason = reason;
  }
}

@CommandHandler(ReviewFinding)
export class ReviewFindingHandler implements ICommandHandler<ReviewFinding> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  async execute({ findingId, decision, reason }: ReviewFinding) {
    const { findings } = this.home;
    const sealed = await sealReason(this.home, reason, {
      stream: `finding-${findingId}`,
      type: 'FindingReviewed',
    });
    if (!sealed.ok) return sealed;
    const { head } = await findings.load(findingId);
    const sent = await findings.send(
      findingId,
      {
        type: 'ReviewFinding',
        id: deriveId('review', findingId, head?.id ?? ''),
        data: { decision, reason: sealed.value },
      },
      LOCAL_REVIEWER,
    );
    if (sent.ok) await pointAcceptedRef(this.home, studyOf(runOf(findingId)));
    return sent;
  }
}
