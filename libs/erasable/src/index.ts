/** What has to be erasable: the keys of what people wrote, and who the ids of people stand for. */
export { openErasables } from './database-erasables.ts';
export {
  ErasablesUnavailable,
  LOCAL_ISSUER,
  type Erasables,
  type Identity,
  type Person,
  type ReadText,
  type TextPlace,
} from './port.ts';
export { shownEvent, shownText } from './reading.ts';
