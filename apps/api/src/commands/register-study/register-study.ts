import { readStudyBelow, type Ledger, type OutsideRequest } from '#apps/runner';
import { seesProject, type Principal } from '#libs/access';
import { ok } from '#libs/kernel';
import type { StudyEvent } from '#libs/studies';
import { ProblemFound } from '../../problems/problems.ts';
import { also, granted } from '../granted.ts';
import type { PlacedStudy, RegisterStudyBody } from './dto.ts';

interface Edge {
  readonly ledger: Ledger;
  readonly studiesFolder: string | null;
  readonly caller: Principal;
}

export const refuseProject = (caller: Principal, project: string): void => {
  if (!seesProject(caller, project))
    throw new ProblemFound(
      'project-forbidden',
      `found the project ${project}, expected one of the token's: ${caller.projects === 'all' ? 'all' : caller.projects.join(', ')}`,
    );
};

/** Two commands on one stream: a retry after a crash between them goes on with the second. */
export const registerStudy = async (
  { ledger, studiesFolder, caller }: Edge,
  request: OutsideRequest,
  { project, folder }: RegisterStudyBody,
): Promise<PlacedStudy> => {
  refuseProject(caller, project);
  const { study } = granted(await readStudyBelow(studiesFolder, folder)).policy;
  const registered = granted(
    await ledger.studies.request(study.id, also(request, 'register'), async () =>
      ok({
        type: 'RegisterStudy',
        id: also(request, 'register').commandId,
        data: { studyId: study.id, title: study.title },
      }),
    ),
  );
  const placing = also(request, 'place');
  const placed = granted(
    await ledger.studies.request<string>(study.id, placing, async ({ state }) => {
      const isNew = state.folder === null && seesProject(caller, state.project);
      const justRegistered = registered.events.length > 0 && state.folder === null;
      const same = state.folder === folder && state.project === project;
      if (!isNew && !justRegistered && !same)
        throw new ProblemFound(
          'study-registered',
          `found study ${study.id} registered already, expected a new one; an operator places it elsewhere`,
        );
      // How it ranks is an operator's to say.
      const { priority } = state;
      return ok({ type: 'PlaceStudy', id: placing.commandId, data: { project, folder, priority } });
    }),
  );
  return placedStudy(ledger, study.id, placed.events);
};

/** What the command said, as the log has it: the same however often it is repeated. */
export const placedStudy = async (
  ledger: Ledger,
  studyId: string,
  events: readonly { readonly type: string; readonly data: unknown }[],
): Promise<PlacedStudy> => {
  const { state } = await ledger.studies.load(studyId);
  const said = (events as readonly StudyEvent[]).find(({ type }) => type === 'StudyPlaced');
  const { project, folder, priority } = said?.type === 'StudyPlaced' ? said.data : state;
  return { studyId, title: state.title ?? '', project, folder, priority };
};
