import { fleetDecider, type FleetCommand } from '#libs/fleet';
import { deriveId } from '#libs/kernel';
import { chained, honestRun, sealed } from '../../libs/provenance/src/testing/honest-run.ts';
import { SEALED } from '../../libs/kernel/src/testing/sealed-text.ts';
import { decided, makeWorkshop, writeGoldenLog } from './recording.ts';

/**
 * Records a golden log of the fleet, and of a run in which an admitted worker signed:
 * `npx node --conditions=source test/golden/record-workers.ts test/golden/v1-workers.jsonl`; never over a file that
 * is there.
 */

const workshop = makeWorkshop();
const { other } = workshop;

const admit = (nth: number, label: string): FleetCommand => ({
  type: 'AdmitWorker',
  id: deriveId('admit', nth),
  data: { ...other, label },
});
const commands: readonly FleetCommand[] = [
  admit(1, 'gpu-1'),
  {
    type: 'DismissWorker',
    id: deriveId('dismiss', 1),
    data: { keyId: other.keyId, reason: SEALED },
  },
  admit(2, 'gpu-1-l4'),
];
const fleet = decided(fleetDecider, [], ...commands);

const { events: run } = sealed(workshop, honestRun(workshop, ['kept', 'kept-elsewhere']));

writeGoldenLog([...chained('fleet', fleet, workshop.sha256), ...run]);
