import { attackBatteryPage } from './attack-battery.ts';
import { cliPage } from './cli.ts';
import { decidedPage } from './decided.ts';
import { environmentPage } from './environment.ts';
import { httpAccessPage } from './http-access.ts';
import { humanMandatePage } from './human-mandate.ts';
import { openApiPage } from './openapi.ts';
import { eventsPage } from './events.ts';
import { exitCodesPage } from './exit-codes.ts';
import { sandboxPage } from './sandbox.ts';
import { studyFilePage } from './study-file.ts';
import { verdictRowsPage } from './verdict-rows.ts';

/** The generated pages: text by file name in docs/reference; `root` is the repository's folder. */
export const referencePages = async (root: string): Promise<Readonly<Record<string, string>>> => ({
  'attack-battery.md': attackBatteryPage(),
  'cli.md': cliPage(),
  'decided.md': decidedPage(),
  'environment.md': environmentPage(),
  'events.md': eventsPage(root),
  'exit-codes.md': exitCodesPage(root),
  'http-access.md': await httpAccessPage(),
  'human-mandate.md': humanMandatePage(),
  'openapi.json': await openApiPage(),
  'sandbox.md': sandboxPage(),
  'study-file.md': studyFilePage(),
  'verdict-rows.md': verdictRowsPage(),
});
