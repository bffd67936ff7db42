/** Numbers in the sentences that `holdfast check` says. */

/** At most four significant digits, without a tail of zeros. */
export const digits = (value: number): string => String(Number(value.toPrecision(4)));

export const percent = (share: number): string => `${digits(share * 100)} %`;

/** Two significant digits: of what is told beforehand no more is worth saying. */
export const roughly = (value: number): number => Number(value.toPrecision(2));

/** Thousands in groups, so that a long number can be read. */
export const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');
