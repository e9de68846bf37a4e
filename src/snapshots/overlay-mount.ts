import type { Mount } from '../sys/index.ts'

/** What an overlay is made of. Numbers name directories under the root; the uppermost layer comes first. */
export interface OverlayParts {
  readonly root: string
  readonly lower: readonly number[]
  /** The writable layer, or undefined for a mount that can't be written. */
  readonly upper: number | undefined
  readonly readOnly: boolean
  readonly volatile: boolean
  /** Whom the root of the mount's user namespace is; then `root` is the mapped one. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** What all files are labelled with. A bind can't have that: a single layer is then stacked on an empty one, whose
   *  directory is `emptyName` below `root`. */
  readonly label?: string | undefined
}

/** An empty directory beside those of the snapshots. */
export const emptyName = 'empty'

/** Layers come from strangers: a redirect or metadata-only file in one of them is not followed. index and
 *  nfs_export would tie an upper directory to the file handles of its lower ones, which a restored data root breaks. */
const safeOptions = ['index=off', 'redirect_dir=nofollow', 'metacopy=off'] as const

/** The mount that shows these layers as one tree. Pure. */
export function overlayMount({ root, lower, upper, readOnly, volatile, owner, label = '' }: OverlayParts): Mount {
  const [only] = lower
  const isLabelled = label !== ''
  const layers = lower.map((number) => `${number}/fs`)
  if (layers.length + (upper === undefined ? 0 : 1) < 2) {
    if (isLabelled) layers.push(emptyName)
    else if (upper === undefined) return bindOf(`${root}/${only}/fs`, true)
    else return bindOf(`${root}/${upper}/fs`, readOnly)
  }
  // A label has commas.
  const context = isLabelled ? [`context="${label}"`] : []
  const options = [`lowerdir=${layers.join(':')}`, ...safeOptions, ...context]
  if (upper === undefined) return { type: 'overlay', source: 'overlay', cwd: root, options: ['ro', ...options] }
  return {
    type: 'overlay',
    source: 'overlay',
    cwd: root,
    owner,
    options: [
      ...(readOnly ? ['ro'] : []),
      ...options,
      `upperdir=${upper}/fs`,
      `workdir=${upper}/work`,
      ...(volatile ? ['volatile'] : []),
    ],
  }
}

function bindOf(source: string, readOnly: boolean): Mount {
  return { type: 'bind', source, options: ['rbind', readOnly ? 'ro' : 'rw'] }
}
