import { attackBatteryPage } from './attack-battery.ts';
import { cliPage } from './cli.ts';
import { environmentPage } from './environment.ts';
import { httpAccessPage } from './http-access.ts';
import { openApiPage } from './openapi.ts';
import { eventsPage } from './events.ts';
import { exitCodesPage } from './exit-codes.ts';
import { studyFilePage } from './study-file.ts';
import { verdictRowsPage } from './verdict-rows.ts';

/** The generated pages: text by file name in docs/reference; `root` is the repository's folder. */
export const referencePages = async (root: string): Promise<Readonly<Record<string, string>>> => ({
  'attack-battery.md': attackBatteryPage(),
  'cli.md': cliPage(),
  'environment.md': environmentPage(),
  'events.md': eventsPage(root),
  'exit-codes.md': exitCodesPage(root),
  'http-access.md': await httpAccessPage(),
  'openapi.json': await openApiPage(),
  'study-file.md': studyFilePage(),
  'verdict-rows.md': verdictRowsPage(),
});
