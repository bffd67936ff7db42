import { mayCall, PERMISSIONS, type OperationId } from '../../apps/api/src/access/permissions.ts';
import { describeApi } from '../../apps/api/src/openapi/describe.ts';
import { routesOf } from '../../apps/api/src/openapi/document.ts';
import { PROBLEMS, problemType, type ProblemCode } from '../../apps/api/src/problems/problems.ts';
import { ROLES } from '../../libs/kernel/src/index.ts';
import { code, page, table } from './markdown.ts';

/** The reference of who may call what: `docs/reference/http-access.md`. */
export const httpAccessPage = async (): Promise<string> => {
  const document = await describeApi();
  const routes = routesOf(document);
  const rows = routes.map(({ id, method, path }) => {
    const operation = id as OperationId;
    return [
      code(`${method.toUpperCase()} ${path}`),
      code(id),
      ...ROLES.map((role) =>
        PERMISSIONS[operation] === 'public' ? 'anybody' : mayCall(operation, role) ? '✓' : '',
      ),
    ];
  });
  return page('Who may call what', 'apps/api/src/access/permissions.ts and the routes', [
    "The API's one table of permissions. A route without a row in it keeps the server from starting; a test walks every route with every role. What a role may call it may call for the studies of its token's projects only: others are answered as if they were not there. Every parameter and answer is in [openapi.json](openapi.json), which a server gives at `/openapi.json`.",
    table(['route', 'operation', ...ROLES], rows),
    'A server with `HOLDFAST_PUBLIC_LOG=true` gives `/checkpoint` and `/tile/{path}` to anybody.',
    '## An agent',
    "An agent's token can call exactly what its column says: read the study brief, the cohort table, the mutable files and its own run's view, and propose a hypothesis, a mutation, a secondary metric, a finding. Its own run is one that a researcher asked for in its name; an agent that is given a token for one run sees that one alone.",
    '## An auditor',
    'Every read by an auditor is itself an event, `LedgerRead` in the stream `access-<subject>`: which operation, and what was asked for. It is recorded before the answer is made; a read that can not be recorded is refused. The checkpoint and the tiles of the log are the exception: they say nothing of what was recorded, and a log that grew by each look at it would be signed anew for each.',
    '## Problems',
    'Refusals are problem details (RFC 9457); `type` names the problem and never changes.',
    table(
      ['type', 'status', 'title'],
      Object.entries(PROBLEMS).map(([name, { status, title }]) => [
        code(problemType(name as ProblemCode)),
        String(status),
        title,
      ]),
    ),
  ]);
};
