import { metadataOf } from './call-metadata.ts'

/** Which output a call to the client is for. */
export interface ExportCall {
  readonly signal: AbortSignal
  /** Index of the exporter. */
  readonly output: number
  /** What the client may want to know before it opens the file. */
  readonly attributes?: Readonly<Record<string, string>>
}

/** The call's headers. */
export function exportMetadata({ output }: ExportCall, more: Readonly<Record<string, readonly string[]>> = {}) {
  return metadataOf({ 'buildkit-attachable-exporter-id': [String(output)], ...more })
}
