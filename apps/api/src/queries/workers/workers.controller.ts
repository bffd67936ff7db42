import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiProperty, ApiTags } from '@nestjs/swagger';
import { FLEET, type Ledger } from '#apps/runner';
import { Operation } from '../../http/operation.ts';
import { LEDGER, TRAININGS } from '../../tokens.ts';
import type { Trainings } from './trainings.ts';

export class WorkerDevice {
  @ApiProperty({ type: 'integer' }) index!: number;
  @ApiProperty() uuid!: string;
  @ApiProperty() name!: string;
  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'MiB; null where the driver does not say',
  })
  memoryMb!: number | null;
  @ApiProperty() driver!: string;
}

export class WorkerAnnouncement {
  @ApiProperty({ description: 'This process of the worker' }) instance!: string;
  @ApiProperty() keyId!: string;
  @ApiProperty({ description: 'Base64 of the raw 32 bytes (Ed25519)' }) publicKey!: string;
  @ApiProperty() label!: string;
  @ApiProperty({ type: () => WorkerDevice, isArray: true }) devices!: readonly WorkerDevice[];
  @ApiProperty({ description: 'Whether an operator admitted its key' }) admitted!: boolean;
}

export class AdmittedWorker {
  @ApiProperty({ description: 'SHA-256 of the raw public key, first 16 hex digits' })
  keyId!: string;
  @ApiProperty({ description: 'Base64 of the raw 32 bytes (Ed25519)' }) publicKey!: string;
  @ApiProperty({ example: 'gpu-1' }) label!: string;
  @ApiProperty({ enum: ['admitted', 'dismissed'] }) standing!: 'admitted' | 'dismissed';
}

export class Workers {
  @ApiProperty({
    type: () => AdmittedWorker,
    isArray: true,
    description: 'Every worker that was ever admitted, in that order',
  })
  workers!: readonly AdmittedWorker[];
  @ApiProperty({
    type: () => WorkerAnnouncement,
    isArray: true,
    description:
      'What workers say of themselves now, by label: to look at, never a reason to trust',
  })
  announced!: readonly WorkerAnnouncement[];
}

@ApiTags('fleet')
@Controller('v1/workers')
export class WorkersController {
  private readonly ledger: Ledger;
  private readonly trainings: Trainings | null;
  constructor(@Inject(LEDGER) ledger: Ledger, @Inject(TRAININGS) trainings: Trainings | null) {
    this.ledger = ledger;
    this.trainings = trainings;
  }

  @Get()
  @Operation({
    id: 'listWorkers',
    kind: 'read',
    summary: 'The workers',
    description: 'Whose signatures on trainings are taken, and who announces himself.',
  })
  @ApiOkResponse({ type: Workers })
  async list(): Promise<Workers> {
    const { state } = await this.ledger.fleet.load(FLEET);
    const announced = (await this.trainings?.fleetAnnouncements()) ?? [];
    return {
      workers: Object.values(state.workers),
      announced: announced
        .map(({ instance, keyId, publicKey, label, devices }) => ({
          instance,
          keyId,
          publicKey,
          label,
          devices,
          admitted: state.workers[keyId]?.standing === 'admitted',
        }))
        .toSorted((a, b) => compare(a.label, b.label) || compare(a.instance, b.instance)),
    };
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
