import { counted, withoutKey } from '#libs/kernel';
import { saidBy, type Handlers, type Page } from './page.ts';
import { heading } from './style.ts';
import { short, wrap } from './text.ts';
import { findingLines, INDENT } from './verdict.ts';

/** The findings with their verdicts, and what people decide about them. */
export const findings = (page: Page): Handlers => {
  const { style, now, print } = page;
  const { paint, width } = style;
  const printed = (text: string): void =>
    print(...wrap(text, width - 4).map((line, index) => `${index === 0 ? '  ' : '    '}${line}`));
  return {
    FindingProposed: ({ data }) => {
      if (now.findings.length === 0) {
        const look = `scored once on the sealed rows (look ${data.sealedLook})`;
        print('', `${heading(style, 'FINDINGS')}  ${paint.dim(look)}`);
      }
      now.findings.push(data);
    },
    FindingVerified: ({ data }) => {
      const finding = now.findings.find(({ findingId }) => findingId === data.findingId);
      if (finding === undefined) return;
      // The same rows of each finding: what was found is shown once, of the others what does not hold.
      const detail = now.verdicts === 0 ? 'lines' : 'failed';
      now.verdicts += 1;
      print('', ...findingLines(style, { ...finding, ...finding.claim }, data, detail));
    },
    AcceptedLineReverted: ({ data }) =>
      print(`${INDENT}${paint.red(`accepted line taken back to tree ${short(data.toTree)}`)}`),
    FindingReviewed: ({ data }) =>
      printed(
        `${data.findingId}: ${data.decision} by a reviewer: ${saidBy(page, withoutKey(data.reason))}`,
      ),
    FindingReplayed: ({ data }) =>
      printed(`${data.findingId}: trained again for ${counted(data.steps, 'step')}: ${data.class}`),
    FindingAccepted: ({ data }) =>
      printed(`${data.findingId}: the accepted line now is tree ${short(data.tree)}`),
  };
};
