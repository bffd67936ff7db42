export * from './port.ts';
export { searchAgent } from './search-agent.ts';
