export type { Ingest } from './ingest.ts'
export { type Lease, Leases } from './leases.ts'
export { LocalContentStore } from './local-content-store.ts'
