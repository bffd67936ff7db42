import { readFileSync } from 'node:fs';

/** This release, as package.json has it; the same from source and from `dist`. */
export const VERSION = ((): string => {
  for (const up of ['../../../package.json', '../../../../package.json']) {
    try {
      const text = readFileSync(new URL(up, import.meta.url), 'utf8');
      return (JSON.parse(text) as { version: string }).version;
    } catch {
      continue;
    }
  }
  throw new Error('package.json is gone: install Holdfast again');
})();
