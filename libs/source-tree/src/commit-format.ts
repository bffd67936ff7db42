/** Who our commits are by: constant, so that the same input gives the same commit on a retry. */
const IDENTITY = 'Holdfast <holdfast@localhost>';

const TRAILER_NAME = /^[A-Za-z][A-Za-z0-9-]*$/;

/** What keeps a message with trailers from being written so that git reads the same back; empty when nothing does. */
export const messageProblems = (
  message: string,
  trailers: Readonly<Record<string, string>>,
): readonly string[] => {
  const problems: string[] = [];
  if (message.trim() === '') problems.push('the message is empty');
  if (!message.isWellFormed() || /(?![\n\t])\p{Cc}/u.test(message)) {
    problems.push('the message holds control characters or a lone surrogate');
  }
  for (const [name, value] of Object.entries(trailers)) {
    if (!TRAILER_NAME.test(name)) {
      problems.push(`the trailer ${JSON.stringify(name)} is not letters, digits and hyphens`);
    }
    if (value.trim() === '' || !value.isWellFormed() || /\p{Cc}/u.test(value)) {
      problems.push(
        `the trailer ${name} has the value ${JSON.stringify(value)}, expected one line of text`,
      );
    }
  }
  return problems;
};

/**
 * The bytes of a commit.
 *
 * @param commit.seconds - Unix time of author and committer, UTC
 */
export const serialiseCommit = (commit: {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly seconds: number;
  readonly message: string;
  readonly trailers: Readonly<Record<string, string>>;
}): Uint8Array => {
  const who = `${IDENTITY} ${commit.seconds} +0000`;
  const trailers = Object.entries(commit.trailers).map(
    ([name, value]) => `${name}: ${value.trim()}\n`,
  );
  const lines = [
    `tree ${commit.tree}`,
    ...commit.parents.map((parent) => `parent ${parent}`),
    `author ${who}`,
    `committer ${who}`,
    '',
    commit.message.trim(),
    ...(trailers.length === 0 ? [] : ['']),
  ];
  return new TextEncoder().encode(`${lines.join('\n')}\n${trailers.join('')}`);
};
