/**
 * What identifies people: by the names of columns, and by values, read as a person would read them (other scripts'
 * digits, look-alike letters, unseen characters, encodings). Pure; the recognisers' libraries are loaded on demand.
 */
export { PII_CLASSES, type PiiClass } from './classes.ts';
export { classOfText, readColumn, type ColumnFinding, type ColumnReader } from './columns.ts';
export { personalTexts, type PersonalText } from './policy-texts.ts';
export { openRecognisers, type Recognised, type Recognisers } from './recognisers.ts';
export { classOfColumn } from './schema.ts';
