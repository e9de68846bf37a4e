/** The files of an image as a tar, for `--output type=tar` and `type=local`. */
import { packDirectory, packEntries, readTar, type TarMemberInput } from '../../../archive/index.ts'
import { invalidArgument } from '../../../base/index.ts'

export interface RootArchiveOptions {
  readonly signal: AbortSignal
  /** Seconds: the time that every file gets. */
  readonly epoch: number | undefined
}

/** The files of one platform's image. */
export interface PlatformRoot {
  /** Undefined: there are none. */
  readonly path: string | undefined
  /** The directory that gets them: `linux_amd64`; empty for the top. */
  readonly directory: string
  readonly platform: string
  /** Files beside those of the image, by name. */
  readonly extra: ReadonlyMap<string, Buffer>
}

/** Packs those of all platforms, one behind the other and each in a fixed order. Throws `invalidArgument` when two have a file of one name. */
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

/** Platforms may have directories in common. */
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
