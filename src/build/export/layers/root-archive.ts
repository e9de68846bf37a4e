/** The files of images as one tar, for `--output type=tar` and `type=local`. */
import { packDirectory, packEntries, readTar, type TarMemberInput } from '../../../archive/index.ts'
import { invalidArgument } from '../../../base/index.ts'

/** Options of `rootsArchive`. */
export interface RootArchiveOptions {
  readonly signal: AbortSignal
  /** The time that every file gets, in seconds since 1970. Undefined: files keep their times. */
  readonly epoch: number | undefined
}

/** The files of one platform's image. */
export interface PlatformRoot {
  /** Path of the root filesystem. Undefined: the image has no files. */
  readonly path: string | undefined
  /** The directory that the files go into, such as `linux_amd64`. Empty for the top. */
  readonly directory: string
  readonly platform: string
  /** Additional files, by name. */
  readonly extra: ReadonlyMap<string, Buffer>
}

/** Packs the files of all platforms one after another, each in a fixed order. Throws `invalidArgument` when two
 *  platforms have a file at the same path. */
export async function* rootsArchive(
  roots: readonly PlatformRoot[],
  { signal, epoch }: RootArchiveOptions,
): AsyncIterable<Buffer> {
  const [first, ...others] = roots
  const isAlone = first !== undefined && others.length === 0 && first.directory === '' && first.extra.size === 0
  if (isAlone && epoch === undefined && first.path !== undefined) yield* packDirectory(first.path, { signal })
  else yield* packEntries(membersOf(roots, signal, epoch === undefined ? undefined : BigInt(epoch) * 1_000_000_000n))
}

async function* membersOf(
  roots: readonly PlatformRoot[],
  signal: AbortSignal,
  mtimeNs: bigint | undefined,
): AsyncIterable<TarMemberInput> {
  const seen = new SeenPaths()
  for (const { path, directory, platform, extra } of roots) {
    const prefix = directory === '' ? '' : `${directory}/`
    const time = mtimeNs === undefined ? {} : { mtimeNs }
    if (directory !== '') yield { entry: { type: 'directory', path: prefix, ...time } }
    const packed = path === undefined ? packEntries([]) : packDirectory(path, { signal })
    for await (const { entry, ...content } of withExtra(packed, mtimeNs, extra)) {
      const moved = { ...entry, path: `${prefix}${entry.path}` }
      if (!seen.isNew(moved, platform)) continue
      yield { ...content, entry: entry.type === 'link' ? { ...moved, linkPath: `${prefix}${entry.linkPath}` } : moved }
    }
  }
}

/** Notes the paths that were packed. Platforms may have directories in common. */
class SeenPaths {
  readonly #seen = new Map<string, { readonly platform: string; readonly isDirectory: boolean }>()

  isNew({ path, type }: TarMemberInput['entry'], platform: string): boolean {
    const isDirectory = type === 'directory'
    const before = this.#seen.get(path)
    if (before === undefined) {
      this.#seen.set(path, { platform, isDirectory })
      return true
    }
    if (isDirectory && before.isDirectory) return false
    const names = `${path} from ${before.platform} with ${platform}`
    throw invalidArgument(`cannot overwrite ${names} when split option is disabled`)
  }
}

async function* withExtra(
  packed: AsyncIterable<Buffer>,
  mtimeNs: bigint | undefined,
  extra: ReadonlyMap<string, Buffer>,
): AsyncIterable<TarMemberInput> {
  for await (const { entry, body } of readTar(packed)) {
    const { sparse: _sparse, ...plain } = entry
    const timed = mtimeNs === undefined ? plain : { ...plain, mtimeNs }
    yield entry.type === 'file' ? { entry: timed, body } : { entry: timed }
  }
  for (const [path, body] of extra) yield { entry: { type: 'file', path, mtimeNs: mtimeNs ?? 0n }, body }
}
