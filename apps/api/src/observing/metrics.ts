import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What Prometheus is told of this process. */
export interface Metrics {
  readonly registry: Registry;
  answered(method: string, route: string, status: number, seconds: number): void;
  streamOpened(): void;
  streamClosed(): void;
  recorded(type: string): void;
}

const BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is asked for at the time of a scrape. */
export interface Sources {
  readonly version: string;
  readonly logPosition: () => Promise<number>;
  readonly viewsPosition: () => Promise<number>;
  readonly runsByStatus: () => Promise<Readonly<Record<string, number>>>;
}

export const apiMetrics = ({ version, ...sources }: Sources): Metrics => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const durations = new Histogram({
    name: 'holdfast_http_request_duration_seconds',
    help: 'Time until an answer was sent, by route and status',
    labelNames: ['method', 'route', 'status'],
    buckets: BUCKETS,
    registers,
  });
  const streams = new Gauge({
    name: 'holdfast_http_event_streams',
    help: 'Streams of events that are open',
    registers,
  });
  const events = new Counter({
    name: 'holdfast_events_total',
    help: 'Events that were recorded since this process started, by type, whoever wrote them',
    labelNames: ['type'],
    registers,
  });
  new Gauge({
    name: 'holdfast_build_info',
    help: 'Release, as a label',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.version }, 1);
  /** A gauge that is asked for at a scrape; one that can't be had is left out, not made up. */
  const asked = (name: string, help: string, ask: () => Promise<number>): void => {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers,
      collect: async () => {
        gauge.reset();
        const value = await ask().catch(() => null);
        if (value === null) gauge.remove();
        else gauge.set(value);
      },
    });
  };
  asked('holdfast_log_position', 'Last position of the event log', sources.logPosition);
  asked(
    'holdfast_views_lag',
    'Positions of the log that the views are behind',
    async () => (await sources.logPosition()) - (await sources.viewsPosition()),
  );
  const runs: Gauge = new Gauge({
    name: 'holdfast_runs',
    help: 'Runs, by status',
    labelNames: ['status'],
    registers,
    collect: async () => {
      runs.reset();
      const counts = await sources.runsByStatus().catch(() => ({}));
      for (const [status, count] of Object.entries(counts)) runs.set({ status }, count);
    },
  });
  return {
    registry,
    answered: (method, route, status, seconds) => {
      durations.observe({ method, route, status }, seconds);
    },
    streamOpened: () => {
      streams.inc();
    },
    streamClosed: () => {
      streams.dec();
    },
    recorded: (type) => {
      events.inc({ type });
    },
  };
};
