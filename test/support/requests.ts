import type { Home } from '#apps/runner';
import { deriveId, ok, type Actor } from '#libs/kernel';
import { good } from './results.ts';

export const RESEARCHER: Actor = { role: 'researcher', id: 'researcher-1' };

/** Registers the tests' study as one that lies in `folder` below the studies folder. */
export const registerParcels = async (home: Home, folder = 'study'): Promise<void> => {
  for (const command of [
    { type: 'RegisterStudy', id: 'register', data: { studyId: 'parcels', title: 'Parcels' } },
    { type: 'PlaceStudy', id: 'place', data: { project: 'post', folder, priority: 5 } },
  ] as const)
    good(await home.studies.send('parcels', command, RESEARCHER));
};

/** Asks for a study's next run, as the API does; whoever asks again with the same key asks once. */
export const requestRun = async (
  home: Home,
  studyId: string,
  key: string,
  agent: string | null = null,
) =>
  good(
    await home.studies.request(
      studyId,
      {
        commandId: deriveId(key),
        causationId: deriveId('body', key, agent ?? ''),
        actor: RESEARCHER,
      },
      async ({ state }) =>
        ok({
          type: 'RequestRun',
          id: deriveId(key),
          data: { runId: `${studyId}-${state.lastNumber + 1}`, seed: 1, agent },
        }),
    ),
  );
