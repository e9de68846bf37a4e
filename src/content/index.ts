export type { BlobInfo, ExpectedBlob, Ingest, IngestInfo, IngestOptions } from './ingest.ts'
export { type Lease, Leases } from './leases.ts'
export { LocalContentStore } from './local-content-store.ts'
export type { UnfinishedIngests } from './unfinished-ingests.ts'
