export {
  type BlobInfo,
  type ContentReader,
  type ContentStore,
  type ContentWriter,
  defaultReadLimitBytes,
  type ExpectedBlob,
  type Ingest,
  type IngestInfo,
  type IngestOptions,
} from './content-store.ts'
export { type Lease, Leases } from './leases.ts'
export { LocalContentStore } from './local-content-store.ts'
export { MemoryContentStore } from './memory-content-store.ts'
