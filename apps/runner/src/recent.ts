/** A map with room for so much: what was not asked for lately makes way. */
export interface Recent<Value> {
  get(key: string): Value | undefined;
  /** @param size - how much of the room it takes; default: 1 */
  set(key: string, value: Value, size?: number): void;
  delete(key: string): void;
}

/**
 * To ask costs no more than a look: nothing is put in order but where something has to make way (the clock of Corbató
 * 1968).
 */
export const recent = <Value>(most: number): Recent<Value> => {
  const held = new Map<string, { readonly value: Value; readonly size: number; asked: boolean }>();
  let taken = 0;
  const remove = (key: string): void => {
    taken -= held.get(key)?.size ?? 0;
    held.delete(key);
  };
  return {
    get: (key) => {
      const known = held.get(key);
      if (known !== undefined) known.asked = true;
      return known?.value;
    },
    set: (key, value, size = 1) => {
      remove(key);
      if (size > most) return;
      held.set(key, { value, size, asked: false });
      taken += size;
      for (const [oldest, entry] of held) {
        if (taken <= most) return;
        if (oldest === key) continue;
        held.delete(oldest);
        // Asked for since it was last looked at: it comes up again after all others.
        if (entry.asked) held.set(oldest, { ...entry, asked: false });
        else taken -= entry.size;
      }
    },
    delete: remove,
  };
};

/**
 * What is held under a key, or is made now; what failed is made again by whoever asks next.
 *
 * @param sizeOf - how much room it takes once it is there; default: 1
 */
export const remembered = <Value>(
  held: Recent<Promise<Value>>,
  key: string,
  make: () => Promise<Value>,
  sizeOf: (value: Value) => number = () => 1,
): Promise<Value> => {
  const known = held.get(key);
  if (known !== undefined) return known;
  const made = make();
  held.set(key, made);
  made.then(
    (value) => {
      if (held.get(key) === made) held.set(key, made, sizeOf(value));
    },
    () => {
      held.delete(key);
    },
  );
  return made;
};
