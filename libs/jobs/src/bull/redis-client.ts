import { Redis } from 'ioredis';
import { messageOf, patientOptions, type RedisConnection } from './connection.ts';

/** A client that waits out an outage; what goes wrong is said by its message alone, which holds no credentials. */
export const openRedis = (
  connection: RedisConnection,
  onNotice: (notice: string) => void,
): Redis => {
  const redis = new Redis(patientOptions(connection));
  redis.on('error', (error: Error) => {
    onNotice(`Redis: ${messageOf(error)}`);
  });
  return redis;
};
