import type { Result } from '#libs/kernel';
import { readJavascript } from './javascript.ts';
import { readJson } from './json.ts';
import { readPython } from './python.ts';
import type { Language, Reading, Source, Unreadable } from './source.ts';

/** Reads a text as a program of its language, or as JSON. */
export const readSource = (
  language: Exclude<Language, 'text'>,
  text: string,
  reading: Reading,
): Result<Source, Unreadable> => {
  switch (language) {
    case 'javascript':
    case 'typescript':
      return readJavascript(text, reading);
    case 'python':
      return readPython(text, reading);
    case 'json':
      return readJson(text, reading);
  }
};
