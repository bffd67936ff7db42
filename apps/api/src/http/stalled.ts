import type { FastifyReply } from 'fastify';

/**
 * Cuts off a reader whose buffer has stayed full for so long, since what waits for him is held for him. Whoever reads,
 * however slowly, is not cut off.
 */
export const dropStalled = (
  { raw }: FastifyReply,
  milliseconds: number,
  said: () => void = () => undefined,
): void => {
  let since: number | null = null;
  // Whoever reads empties the buffer now and then.
  raw.on('drain', () => {
    since = null;
  });
  const looking = setInterval(
    () => {
      since = raw.writableNeedDrain ? (since ?? performance.now()) : null;
      if (since === null || performance.now() - since < milliseconds) return;
      said();
      raw.destroy();
    },
    Math.max(20, milliseconds / 4),
  );
  raw.once('close', () => {
    clearInterval(looking);
  });
};
