import type { FastifyReply } from 'fastify';

/**
 * Cuts off a reader who has taken nothing for so long, so that nobody holds a place by not reading. Watches until the
 * answer is closed.
 */
export const dropStalled = (reply: FastifyReply, milliseconds: number, said: () => void): void => {
  const { raw } = reply;
  if (raw.destroyed) return;
  let since: number | null = null;
  // A buffer that is full whenever one looks may well have been emptied in between: a long file to a good reader is so.
  raw.on('drain', () => {
    since = null;
  });
  const watch = setInterval(
    () => {
      since = raw.writableNeedDrain ? (since ?? performance.now()) : null;
      if (since === null || performance.now() - since < milliseconds) return;
      said();
      raw.destroy();
    },
    Math.max(20, milliseconds / 4),
  );
  raw.once('close', () => {
    clearInterval(watch);
  });
};
