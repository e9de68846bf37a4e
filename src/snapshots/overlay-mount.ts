import type { Mount } from '../sys/index.ts'

/** The parts of an overlay. Numbers are directories below the root; the uppermost layer comes first. */
export interface OverlayParts {
  readonly root: string
  readonly lower: readonly number[]
  /** The writable layer, or undefined for a mount that can't be written. */
  readonly upper: number | undefined
  readonly readOnly: boolean
  readonly volatile: boolean
  /** The root user of the mount's user namespace, for a mapped `root`. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
  /** The SELinux label of all files. A bind mount can't have one, so a single layer is stacked on an empty one: the
   *  directory `emptyName` below `root`. */
  readonly label?: string | undefined
}

/** Name of the empty directory beside those of the snapshots. */
export const emptyName = 'empty'

/** Layers come from strangers, so redirects and metadata-only files in them are not followed. `index` and `nfs_export`
 *  would tie an upper directory to the file handles of its lower ones, and a restored data root has other handles. */
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
  // Quoted, because a label can contain commas.
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
