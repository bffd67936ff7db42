import type { IdGenerator } from '@opentelemetry/sdk-trace-node';

/** The id that the next span gets; a span is started synchronously, so nobody comes in between. */
let next: string | null = null;

/** Starts a span, in `start`, under this id. */
export const withSpanId = <T>(spanId: string, start: () => T): T => {
  next = spanId;
  try {
    return start();
  } finally {
    next = null;
  }
};

/** Random ids, but for spans whose id is said. */
export const spanIds = (random: IdGenerator): IdGenerator => ({
  generateTraceId: () => random.generateTraceId(),
  generateSpanId: () => next ?? random.generateSpanId(),
});
