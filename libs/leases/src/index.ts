export { openLeases } from './database-leases.ts';
export { keepRenewed } from './keep.ts';
export { memoryLeases } from './memory-leases.ts';
export {
  LeasesUnavailable,
  systemLeaseClock,
  type Lease,
  type LeaseClock,
  type Leases,
} from './port.ts';
