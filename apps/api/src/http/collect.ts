/** Everything that comes, made into something each. */
export const collect = async <T, U = T>(
  from: AsyncIterable<T>,
  make: (one: T) => U,
): Promise<U[]> => {
  const all: U[] = [];
  for await (const one of from) all.push(make(one));
  return all;
};
