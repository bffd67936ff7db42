import { DatabaseUnavailable } from '#libs/database';

/**
 * The views can't be read or written: their database is down, refuses, is full or locked. Nothing is lost, since
 * they are made of the log: try again once it is back, nothing needs to be opened anew.
 */
export class ViewsUnavailable extends Error {
  override readonly name = 'ViewsUnavailable';
}

/** What the database says, as said of the views. */
export const asViews = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    if (!(cause instanceof DatabaseUnavailable)) throw cause;
    throw new ViewsUnavailable(
      `the views can't be read or written: ${cause.message}; they are made of the log, so nothing is lost: try again once it can`,
      { cause },
    );
  }
};
