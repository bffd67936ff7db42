import { Inject } from '@nestjs/common';
import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { ExportedFinding, FindingExport } from '#libs/exports';
import type { Refusal, Result } from '#libs/kernel';
import { signEnvelope } from '#libs/signatures';
import { exportFrom } from '../exporting/export.ts';
import type { Home } from '../home.ts';
import { HOME } from '../tokens.ts';

/** A finding in a format of auditors, signed by the runner's key where the format is signed. */
export class ExportFinding extends Query<Result<ExportedFinding, Refusal>> {
  readonly findingId: string;
  readonly format: FindingExport;
  constructor(findingId: string, format: FindingExport) {
    super();
    this.findingId = findingId;
    this.format = format;
  }
}

@QueryHandler(ExportFinding)
export class ExportFindingHandler implements IQueryHandler<ExportFinding> {
  private readonly home: Home;
  constructor(@Inject(HOME) home: Home) {
    this.home = home;
  }

  execute({ findingId, format }: ExportFinding) {
    const { runner } = this.home.keys;
    return exportFrom(this.home, findingId, format, {
      keyId: runner.keyId,
      sign: (payloadType, payload) => signEnvelope(runner, payloadType, payload),
    });
  }
}
