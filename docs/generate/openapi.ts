import { describeApi } from '../../apps/api/src/openapi/describe.ts';

/** The API's description: `docs/reference/openapi.json`. */
export const openApiPage = async (): Promise<string> =>
  `${JSON.stringify(await describeApi(), null, 2)}\n`;
