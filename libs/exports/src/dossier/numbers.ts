/** With the true minus sign, and without a zero that looks negative. */
export const decimal = (value: number, digits = 4): string => {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace('-', '') : text.replace('-', '\u2212');
};

/** 0.169 is `16.9 %`. */
export const percent = (share: number, digits = 1): string =>
  `${decimal(share * 100, digits)}\u00a0%`;

/** 28155 is `28,155`. */
export const count = (n: number): string => n.toLocaleString('en-US');

/** `1 run`, `2 runs` */
export const counted = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)}\u00a0${n === 1 ? one : many}`;

/** `2026-11-26T03:54:10.123Z` is `2026-11-26 03:54:10 UTC`. */
export const moment = (time: string): string => `${time.slice(0, 10)} ${time.slice(11, 19)} UTC`;

/** `a, b and c` */
export const listed = (items: readonly string[]): string =>
  items.length < 2
    ? (items[0] ?? 'none')
    : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;

/** A git object id or a digest, long enough to find it again. */
export const short = (hash: string): string => hash.slice(0, 12);

/** An effect with its standard error, on one line: `0.0100 ± 0.0010`. */
export const withError = (value: number, standardError: number, digits = 4): string =>
  `${decimal(value, digits)}\u00a0±\u00a0${decimal(standardError, digits)}`;
