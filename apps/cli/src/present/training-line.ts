import { budgetBar, totalOf, type Page } from './page.ts';
import { bar, count, padEnd, units } from './text.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** Columns from which on there is room for the budget's bar. */
const ROOMY = 104;

export interface TrainingProgress {
  readonly step: number;
  readonly of: number;
}

/** The training under way, on the line that is redrawn; null when nothing trains. Each call turns the sign. */
export const trainingLine = (
  page: Page,
): ((progress: TrainingProgress | null) => string | null) => {
  const { style, now } = page;
  const { paint, width } = style;
  const roomy = width >= ROOMY;
  let frame = 0;
  return (progress) => {
    if (now.training === null) return null;
    frame = (frame + 1) % FRAMES.length;
    const share = progress === null || progress.of === 0 ? 0 : progress.step / progress.of;
    const { filled, empty } = bar(share, roomy ? 20 : 10);
    const steps = progress === null ? '' : `${count(progress.step)}/${count(progress.of)} steps`;
    return [
      paint.cyan(FRAMES[frame]),
      padEnd(`training ${now.training}`, Math.min(44, width - (roomy ? 80 : 48))),
      paint.cyan(filled) + paint.dim(empty),
      padEnd(steps, 16),
      ...(roomy ? [paint.dim('budget'), budgetBar(page, 12)] : []),
      `${units(now.left)} of ${units(totalOf(page))} left`,
    ].join(' ');
  };
};
