export { DatabaseUnavailable } from './errors.ts';
export { isConflict, openDatabase, type Database, type DatabaseOptions } from './open.ts';
export { storableText, textOf } from './text.ts';
export { placeOf, type DatabaseTarget } from './target.ts';
