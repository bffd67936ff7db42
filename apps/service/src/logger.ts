import { pino, type DestinationStream, type Logger } from 'pino';
import type { ServiceConfig } from '#libs/config';

/** What a service says of itself: one JSON line each, to the standard output unless told otherwise. */
export const serviceLogger = (
  level: ServiceConfig['logLevel'],
  to: DestinationStream = process.stdout,
): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      // Errors of clients may carry what they were configured with; their names and messages are enough.
      serializers: { err: (error: Error) => ({ name: error.name, message: error.message }) },
    },
    to,
  );
