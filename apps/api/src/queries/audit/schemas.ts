import { DIRECTIONS } from '#libs/read-models';

export const AS_OF = {
  type: 'object' as const,
  nullable: true,
  required: ['position', 'at'],
  properties: {
    position: { type: 'integer' as const, description: 'The last place in the log that it knows' },
    at: {
      type: 'string' as const,
      format: 'date-time',
      nullable: true,
      description: 'When what stands there was recorded',
    },
  },
};

const text = (description: string) => ({ type: 'string' as const, description });
const maybeText = (description: string) => ({ ...text(description), nullable: true });
const integer = (description: string) => ({ type: 'integer' as const, description });

const NODE = {
  eventId: text('The event'),
  position: integer('Place in the log'),
  stream: text('Its stream'),
  revision: integer('Its place in the stream'),
  type: text('Its type'),
  at: { ...text('When it was recorded'), format: 'date-time' },
  actorRole: text('Role of who caused it'),
  actorId: text('Opaque id of who caused it'),
  studyId: maybeText('Its study; null of what belongs to none'),
  runId: maybeText('Its run; null of what belongs to none'),
  correlationId: text('What ties it to the other events of its run'),
  hash: text('SHA-256 of its canonical bytes'),
  what: text('In a sentence'),
  depth: integer('Steps away from the event that was asked for'),
  planted: {
    type: 'array' as const,
    items: { type: 'string' as const },
    description: 'Dimensions named in it that were planted in the data on purpose',
  },
};

const EDGE = {
  cause: text('Event that was there first'),
  effect: text('Event that rests on it'),
  link: text(
    'The kind of thing that the one made and the other uses; causation: the command came after it',
  ),
};

const listOf = (properties: Readonly<Record<string, object>>) => ({
  type: 'array' as const,
  items: { type: 'object' as const, required: Object.keys(properties), properties },
});

/** The answer of a trace. */
export const TRACE = {
  type: 'object' as const,
  required: ['asOf', 'start', 'direction', 'nodes', 'edges', 'cut'],
  properties: {
    asOf: AS_OF,
    start: text('The event that was asked for'),
    direction: { type: 'string' as const, enum: [...DIRECTIONS] },
    nodes: listOf(NODE),
    edges: listOf(EDGE),
    cut: {
      ...maybeText('Which limit cut it off; null: it is whole'),
      enum: ['depth', 'nodes', null],
    },
  },
};
