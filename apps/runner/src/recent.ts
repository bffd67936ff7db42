/** A map with room for so many: what was not asked for longest makes way. */
export interface Recent<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): void;
  delete(key: string): void;
}

export const recent = <Value>(most: number): Recent<Value> => {
  const values = new Map<string, Value>();
  const put = (key: string, value: Value): void => {
    values.delete(key);
    values.set(key, value);
  };
  return {
    get: (key) => {
      const value = values.get(key);
      if (value !== undefined) put(key, value);
      return value;
    },
    set: (key, value) => {
      put(key, value);
      for (const oldest of values.keys()) {
        if (values.size <= most) return;
        values.delete(oldest);
      }
    },
    delete: (key) => void values.delete(key),
  };
};

/** What is held under a key, or is made now; what failed is made again by whoever asks next. */
export const remembered = <Value>(
  held: Recent<Promise<Value>>,
  key: string,
  make: () => Promise<Value>,
): Promise<Value> => {
  const known = held.get(key);
  if (known !== undefined) return known;
  const made = make();
  held.set(key, made);
  made.catch(() => held.delete(key));
  return made;
};
