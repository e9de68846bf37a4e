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
}

/** Layers come from strangers: a redirect or metadata-only file in one of them is not followed. index and
 *  nfs_export would tie an upper directory to the file handles of its lower ones, which a restored data root breaks. */
const safeOptions = ['index=off', 'redirect_dir=nofollow', 'metacopy=off'] as const

/** The mount that shows these layers as one tree. Pure. */
export function overlayMount({ root, lower, upper, readOnly, volatile, owner }: OverlayParts): Mount {
  const [only] = lower
  if (upper === undefined && lower.length === 1 && only !== undefined) return bindOf(`${root}/${only}/fs`, true)
  if (upper !== undefined && lower.length === 0) return bindOf(`${root}/${upper}/fs`, readOnly)
  const options = [`lowerdir=${lower.map((number) => `${number}/fs`).join(':')}`, ...safeOptions]
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
