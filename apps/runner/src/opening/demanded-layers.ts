import { missingLayers, type HarnessPolicy } from '#libs/harness';
import { refused, type Refusal, type Result } from '#libs/kernel';
import type { Home } from '../home.ts';

/**
 * Null where some place has every layer that the study demands, or none has announced itself yet: a run may wait for
 * its workers, and each of them looks again before it runs anything.
 */
export const tooWeak = async (
  home: Pick<Home, 'queue' | 'environment'>,
  { sandbox }: Pick<HarnessPolicy, 'sandbox'>,
): Promise<Result<never, Refusal> | null> => {
  const queue = await home.queue();
  if (!queue.ok) return queue;
  const places = await queue.value.places((await home.environment()).runtime);
  const lacking = places.map(({ name, layers }) => ({
    name,
    missing: missingLayers(sandbox.minimum, layers),
  }));
  if (lacking.length === 0 || lacking.some(({ missing }) => missing.length === 0)) return null;
  const shown = lacking
    .slice(0, 5)
    .map(({ name, missing }) => `${name} lacks ${missing.join(', ')}`);
  const more = lacking.length - shown.length;
  return refused({
    code: 'sandbox-too-weak',
    message: `found that ${shown.join('; ')}${more > 0 ? `; and ${more} more` : ''}, expected every layer of sandbox.minimum; "holdfast doctor" says there why a layer is missing and what to do, or take it out of sandbox.minimum of the study`,
  });
};
