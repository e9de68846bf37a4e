/** The output of the prune commands. */
import type { ImageDeleteItem } from '../../api/index.ts'
import { humanSize } from '../format/units.ts'

/** The result for one kind of object. `text` is empty when nothing was removed. */
export interface Pruned {
  readonly text: string
  readonly reclaimedBytes: number
}

/** `Deleted Containers:` and their names. */
export function prunedNames(kind: string, names: readonly string[] | null | undefined): string {
  return names == null || names.length === 0 ? '' : `Deleted ${kind}:\n${names.join('\n')}\n`
}

/** `Deleted Images:` and what was untagged or deleted. */
export function prunedImages(items: readonly ImageDeleteItem[] | null): string {
  const lines = (items ?? []).map(({ Untagged, Deleted }) =>
    Untagged === undefined || Untagged === '' ? `deleted: ${Deleted}` : `untagged: ${Untagged}`,
  )
  return prunedNames('Images', lines)
}

/** The last line: the total of freed space. */
export function totalReclaimed(bytes: number): string {
  return `Total reclaimed space: ${humanSize(bytes, 4)}\n`
}
