/**
 * A database cannot be reached or used: a server that is down or refuses the login, a connection that broke, a
 * time limit that passed, a full disk, a lock that was not given. What was under way may or may not have been
 * written, if it was a commit that broke: read again before you repeat it. Using the database again reconnects.
 */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
}
