/** The service: which parts run in this process, on which servers, and how they end. */
export { serve, type Part, type ServeOptions, type Service } from './serve.ts';
