/** What the prune commands print. */
import type { ImageDeleteItem } from '../../api/index.ts'
import { humanSize } from '../format/units.ts'

/** What one kind of object gave back; `text` is empty when nothing went. */
export interface Pruned {
  readonly text: string
  readonly reclaimedBytes: number
}

/** `Deleted Containers:` and the names. */
export function prunedNames(kind: string, names: readonly string[] | null | undefined): string {
  return names == null || names.length === 0 ? '' : `Deleted ${kind}:\n${names.join('\n')}\n`
}

/** `Deleted Images:` and what became of them. */
export function prunedImages(items: readonly ImageDeleteItem[] | null): string {
  const lines = (items ?? []).map(({ Untagged, Deleted }) =>
    Untagged === undefined || Untagged === '' ? `deleted: ${Deleted}` : `untagged: ${Untagged}`,
  )
  return prunedNames('Images', lines)
}

/** The last line. */
export function totalReclaimed(bytes: number): string {
  return `Total reclaimed space: ${humanSize(bytes, 4)}\n`
}
