import { isSealedText, type PrivateText, type RecordedEvent } from '#libs/kernel';
import type { Erasables, ReadText, TextPlace } from './port.ts';

/** What is shown of a text that was read. */
const shown = (read: ReadText): string => {
  switch (read.kind) {
    case 'text':
      return read.text;
    case 'erased':
      return '(erased)';
    case 'altered':
      return '(altered: not what was sealed for this event)';
  }
};

/** A human's text for those who may read it; `(erased)` where its key is gone. */
export const shownText = async (
  erasables: Pick<Erasables, 'read'>,
  text: PrivateText,
  place: TextPlace,
): Promise<string> => shown(await erasables.read(text, place));

/** An event with its sealed texts in clear, for showing; what is hashed of it stays as it is. */
export const shownEvent = async (
  erasables: Pick<Erasables, 'read'>,
  event: RecordedEvent,
): Promise<RecordedEvent> => {
  const { data, stream, type } = event;
  if (typeof data !== 'object' || data === null) return event;
  const sealed = Object.entries(data).filter(([, member]) => isSealedText(member));
  if (sealed.length === 0) return event;
  const opened = await Promise.all(
    sealed.map(async ([name, text]) => [
      name,
      { kind: 'plain', text: await shownText(erasables, text as PrivateText, { stream, type }) },
    ]),
  );
  return { ...event, data: { ...data, ...(Object.fromEntries(opened) as object) } };
};
