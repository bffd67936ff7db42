import type { DestinationStream, Logger } from 'pino';
import { startApi, type Api } from '#apps/api';
import { watchTrainings, type Ledger } from '#apps/runner';
import type { ServiceConfig } from '#libs/config';
import { ok, type Refusal, type Result } from '#libs/kernel';

/** Starts the API on a ledger, with what it may see of the trainings on Redis. */
export const serveApi = async (
  ledger: Ledger,
  config: ServiceConfig,
  log: Logger,
  logTo: DestinationStream,
): Promise<Result<Api, Refusal>> => {
  const { host, port, tls, behindTlsProxy, publicLog, oidc, redis, studies } = config;
  const trainings =
    redis === null
      ? null
      : await watchTrainings(ledger, redis, (notice) => {
          log.warn({ part: 'api' }, notice);
        });
  if (trainings?.ok === false) return trainings;
  const api = await startApi({
    ledger,
    config: { host, port, tls, behindTlsProxy, publicLog, oidc },
    studiesFolder: studies,
    trainings: trainings?.value ?? null,
    dependencies:
      trainings === null
        ? []
        : [
            {
              name: 'redis',
              look: async () => {
                const workers = await trainings.value.fleetAnnouncements();
                return `${workers.length} workers announce themselves`;
              },
            },
          ],
    logTo,
  });
  return ok({
    ...api,
    close: async () => {
      await api.close();
      await trainings?.value.close();
    },
  });
};
