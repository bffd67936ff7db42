/** Traces by OpenTelemetry: nothing unless an endpoint is configured. */
export * from './run-trace.ts';
export * from './telemetry.ts';
