import {
  createParamDecorator,
  Inject,
  Injectable,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Ledger } from '#apps/runner';
import type { LocalTokens, Principal } from '#libs/access';
import { operationOf } from '../http/operation.ts';
import { ProblemFound } from '../problems/problems.ts';
import { LEDGER, LOCAL_TOKENS, OIDC, PUBLIC_LOG } from '../tokens.ts';
import { authenticate } from './authenticate.ts';
import type { Oidc } from './oidc.ts';
import { isOpen, mayCall } from './permissions.ts';

/** Whose request it is, once it was let in. */
const principals = new WeakMap<FastifyRequest, Principal>();

export const principalOf = (request: FastifyRequest): Principal | null =>
  principals.get(request) ?? null;

/** Lets a request in, or not: the first thing that happens to it after its route is known. */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly local: LocalTokens;
  private readonly oidc: Oidc | null;
  private readonly ledger: Ledger;
  private readonly publicLog: boolean;
  constructor(
    @Inject(LOCAL_TOKENS) local: LocalTokens,
    @Inject(OIDC) oidc: Oidc | null,
    @Inject(LEDGER) ledger: Ledger,
    @Inject(PUBLIC_LOG) publicLog: boolean,
  ) {
    this.local = local;
    this.oidc = oidc;
    this.ledger = ledger;
    this.publicLog = publicLog;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const operation = operationOf(context.getHandler());
    const { authorization } = request.headers;
    if (authorization === undefined && isOpen(operation, this.publicLog)) return true;
    const principal = await authenticate(authorization, {
      local: this.local,
      oidc: this.oidc,
      erasables: this.ledger.erasables,
    });
    principals.set(request, principal);
    if (mayCall(operation, principal.role)) return true;
    throw new ProblemFound(
      'forbidden',
      `found the role ${principal.role}, which may not call ${operation}; docs/reference/http-access.md says who may`,
      { headers: { 'www-authenticate': 'Bearer realm="holdfast", error="insufficient_scope"' } },
    );
  }
}

/** The caller, in a controller's method. */
export const Caller = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const principal = principalOf(context.switchToHttp().getRequest<FastifyRequest>());
  if (principal === null) throw new Error('a public operation asked who its caller is');
  return principal;
});
