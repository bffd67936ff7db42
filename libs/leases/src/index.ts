/** Leases: who does what, so that no two do the same. */
export * from './memory-leases.ts';
export * from './port.ts';
