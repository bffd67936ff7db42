import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiExtension, ApiOperation } from '@nestjs/swagger';
import type { OperationId } from '../access/permissions.ts';
import type { ProblemCode } from '../problems/problems.ts';

const OPERATION = Symbol('operation');

export interface OperationCard {
  readonly id: OperationId;
  readonly summary: string;
  readonly description: string;
  /** What it may refuse, besides what every operation may. */
  readonly refusals?: readonly ProblemCode[];
  /**
   * `read`: of the ledger. `command`: needs an idempotency key. An auditor's is recorded, of both. `plain`: neither.
   */
  readonly kind: 'read' | 'command' | 'plain';
  /** Answers for as long as somebody listens; no time limit. */
  readonly streams?: boolean;
}

/** Names a route: what it is called in the document, in the table of permissions, in metrics and in the log. */
export const Operation = (card: OperationCard) =>
  applyDecorators(
    SetMetadata(OPERATION, card),
    ApiOperation({
      operationId: card.id,
      summary: card.summary,
      description: card.description,
    }),
    ApiExtension('x-holdfast-kind', card.kind),
    ApiExtension('x-holdfast-streams', card.streams ?? false),
    ApiExtension('x-holdfast-refusals', [...(card.refusals ?? [])]),
  );

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type
export const cardOf = (handler: Function): OperationCard => {
  const card = Reflect.getMetadata(OPERATION, handler) as OperationCard | undefined;
  if (card === undefined) throw new Error(`${handler.name} is no operation`);
  return card;
};

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type
export const operationOf = (handler: Function): OperationId => cardOf(handler).id;
