/** The files of an image as a tar, for `--output type=tar` and `type=local`. */
import { packDirectory, packEntries, readTar, type TarMemberInput } from '../../archive/index.ts'

export interface RootArchiveOptions {
  readonly signal: AbortSignal
  /** Seconds: the time that every file gets. */
  readonly epoch: number | undefined
  /** Files beside those of the image, by name. */
  readonly extra: ReadonlyMap<string, Buffer>
}

/** Packs what is below `root`, in a fixed order; undefined: there is nothing. */
export function rootArchive(
  root: string | undefined,
  { signal, epoch, extra }: RootArchiveOptions,
): AsyncIterable<Buffer> {
  const packed = root === undefined ? packEntries([]) : packDirectory(root, { signal })
  if (epoch === undefined && extra.size === 0) return packed
  return packEntries(withExtra(packed, epoch === undefined ? undefined : BigInt(epoch) * 1_000_000_000n, extra))
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
