import { context, propagation, trace } from '@opentelemetry/api';
import type { SpanExporter } from '@opentelemetry/sdk-trace-node';
import { spanIds } from './span-ids.ts';

export interface TelemetryConfig {
  /** Which process this is: `holdfast-api`, `holdfast-runner`, `holdfast-worker`. */
  readonly service: string;
  readonly version: string;
  /** Where traces go: the full URL of an OTLP/HTTP collector, `/v1/traces` included; null: nowhere. */
  readonly otlpTracesUrl: string | null;
  /** In place of the collector: tests look into it. */
  readonly exporter?: SpanExporter;
}

export interface Telemetry {
  /** Sends what is waiting, then stops. A collector that can't be reached keeps nobody from ending. */
  shutdown(): Promise<void>;
}

const NOTHING: Telemetry = { shutdown: async () => undefined };

/** How long the last spans may take to leave. */
const PATIENCE_MS = 3_000;

/**
 * Starts this process's traces; call it once, before anything else. Without an endpoint every span is a no-op and
 * nothing leaves the machine. What makes spans is loaded here, since every command line loads this lib.
 *
 * @example
 * const telemetry = await startTelemetry({ service: 'holdfast-runner', version: VERSION, otlpTracesUrl: config.otlpTracesUrl });
 */
export const startTelemetry = async ({
  service,
  version,
  otlpTracesUrl,
  exporter,
}: TelemetryConfig): Promise<Telemetry> => {
  if (otlpTracesUrl === null && exporter === undefined) return NOTHING;
  const [
    { OTLPTraceExporter },
    { resourceFromAttributes },
    { BatchSpanProcessor, NodeTracerProvider, RandomIdGenerator, SimpleSpanProcessor },
    { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION },
  ] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/semantic-conventions'),
  ]);
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({
      [ATTR_SERVICE_NAME]: service,
      [ATTR_SERVICE_VERSION]: version,
    }),
    idGenerator: spanIds(new RandomIdGenerator()),
    spanProcessors: [
      exporter === undefined
        ? new BatchSpanProcessor(
            new OTLPTraceExporter({ url: otlpTracesUrl ?? '', timeoutMillis: PATIENCE_MS }),
          )
        : new SimpleSpanProcessor(exporter),
    ],
  });
  // Context manager and W3C propagator are the provider's defaults.
  provider.register();
  return {
    shutdown: async () => {
      await provider.shutdown().catch(() => undefined);
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
};
