import { hash } from 'node:crypto';
import { erasureDecider } from '#libs/erasures';
import { deriveId } from '#libs/kernel';
import { SEALED } from '../../libs/kernel/src/testing/sealed-text.ts';
import { chained } from '../../libs/provenance/src/testing/honest-run.ts';
import { decided, writeGoldenLog } from './recording.ts';

/**
 * Records a golden log of erasures:
 * `npx node --conditions=source test/golden/record-erasures.ts test/golden/v1-erasures.jsonl`; never over a file that
 * is there.
 */

const erasures = decided(
  erasureDecider,
  [],
  {
    type: 'EraseText',
    id: deriveId('erase', 1),
    data: { stream: 'finding-f1', revision: 2, keyId: SEALED.keyId },
  },
  {
    type: 'ErasePerson',
    id: deriveId('erase', 2),
    data: { personId: `person-${'0f'.repeat(16)}` },
  },
);

writeGoldenLog(chained('erasures', erasures, (bytes) => hash('sha256', bytes, 'hex')));
