export { DatabaseUnavailable } from './errors.ts';
export { isConflict, openDatabase, type Database, type DatabaseOptions } from './open.ts';
export { integerOf, storableText, textOf } from './columns.ts';
export { placeOf, type DatabaseTarget } from './target.ts';
