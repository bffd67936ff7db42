import type { DeadLetters, FleetAnnouncement } from '#libs/jobs';

/** What the API needs of the trainings on Redis; embedded there are none. */
export interface Trainings {
  readonly deadLetters: DeadLetters;
  readonly fleetAnnouncements: () => Promise<readonly FleetAnnouncement[]>;
}
