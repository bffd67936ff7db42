/** Gives each row its columns, as pairs of a column's number and its value. */
export const makeEncoder = (features, interactions) => {
  const index = new Map();
  const column = (name) => {
    if (!index.has(name)) index.set(name, index.size);
    return index.get(name);
  };
  const encode = (row) => {
    const values = features.map((feature) => `${feature}=${row[feature]}`);
    const names = [...values];
    if (interactions === 'pairs') {
      values.forEach((a, i) => values.slice(i + 1).forEach((b) => names.push(`${a} & ${b}`)));
    }
    return names.map((name) => [column(name), 1]);
  };
  return { encode, count: () => index.size };
};
