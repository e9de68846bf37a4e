import { metadataOf } from './call-metadata.ts'

/** Which output a call to the client belongs to. */
export interface ExportCall {
  readonly signal: AbortSignal
  /** Index of the exporter. */
  readonly output: number
  /** Facts that the client may need before it opens the file. */
  readonly attributes?: Readonly<Record<string, string>>
}

/** The headers of such a call. */
export function exportMetadata({ output }: ExportCall, more: Readonly<Record<string, readonly string[]>> = {}) {
  return metadataOf({ 'buildkit-attachable-exporter-id': [String(output)], ...more })
}
