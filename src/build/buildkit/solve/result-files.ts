/** The files of a result, which clients may read during a build: those of the image for one platform, read-only. Paths
 *  are resolved inside its root, so no symlink leads out of it. */
import { closeSync, constants, openSync, readSync } from 'node:fs'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { invalidArgument, notFound } from '../../../base/index.ts'
import { compileSegment } from '../../dockerfile/index.ts'
import type { BuiltImage } from '../../model/built-image.ts'
import { DirectoryTree, resolveInTree, type TreeEntry } from '../../tree/index.ts'
import type { StatSchema } from '../gen/fsutil_pb.ts'
import { goMode } from '../session/fsutil.ts'
import type { Builder } from './builder.ts'

type Stat = MessageInitShape<typeof StatSchema>

/** An answer is a single message, so its size is limited. */
const maxReadBytes = 16 * 1024 * 1024

/** Reads the files of one result. */
export class ResultFiles {
  readonly #builder: Pick<Builder, 'openView'>
  readonly #image: BuiltImage | undefined

  /** With several images, the first one is used. */
  constructor(builder: Pick<Builder, 'openView'>, images: readonly BuiltImage[]) {
    this.#builder = builder
    this.#image = images[0]
  }

  /** Gives a file's bytes from `offset` on; `length` 0 reads to the end. Throws `notFound`, and `invalidArgument` for
   *  something that is not a regular file. */
  async read(path: string, { offset = 0, length = 0 } = {}): Promise<Buffer> {
    return await this.#with(path, (found) => {
      if (found.entry.type !== 'file') throw invalidArgument(`read ${path}: not a regular file`)
      const rest = Math.max(0, found.entry.sizeBytes - offset)
      const wanted = length > 0 ? Math.min(length, rest) : rest
      if (wanted > maxReadBytes) throw invalidArgument(`read ${path}: more than ${maxReadBytes} bytes at once`)
      const bytes = Buffer.alloc(wanted)
      const fd = openSync(found.place, constants.O_RDONLY | constants.O_NOFOLLOW)
      try {
        return bytes.subarray(0, readSync(fd, bytes, 0, wanted, offset))
      } finally {
        closeSync(fd)
      }
    })
  }

  /** Gives the metadata of a path. Symlinks are followed. Throws `notFound`. */
  async stat(path: string): Promise<Stat> {
    return await this.#with(path, ({ entry, real }) => toStat(real.slice(real.lastIndexOf('/') + 1), entry))
  }

  /** Lists a directory in bytewise order. With `pattern`, only names that match. Throws `notFound`. */
  async list(path: string, pattern: string): Promise<readonly Stat[]> {
    return await this.#with(path, ({ entry, real, tree }) => {
      if (entry.type !== 'directory') throw invalidArgument(`read ${path}: not a directory`)
      const fits = pattern === '' ? () => true : compileSegment(pattern)
      return tree
        .list(real)
        .filter(fits)
        .flatMap((name) => {
          const one = tree.lstat(real === '' ? name : `${real}/${name}`)
          return one === undefined ? [] : [toStat(name, one)]
        })
    })
  }

  async #with<T>(
    path: string,
    use: (found: { tree: DirectoryTree; real: string; place: string; entry: TreeEntry }) => T,
  ): Promise<T> {
    const chainId = this.#image?.layers.at(-1)?.chainId
    if (chainId === undefined) throw notFound(`${path}: no such file or directory`)
    using view = await this.#builder.openView(chainId)
    const tree = new DirectoryTree(view.path)
    const real = resolveInTree(tree, path)
    const entry = real === undefined ? undefined : tree.lstat(real)
    if (real === undefined || entry === undefined) throw notFound(`${path}: no such file or directory`)
    return use({ tree, real, place: `${view.path}/${real}`, entry })
  }
}

function toStat(name: string, { type, mode, uid, gid, sizeBytes, mtimeNs, linkPath, xattrs }: TreeEntry): Stat {
  const kind = type === 'directory' ? 'd' : type === 'symlink' ? 'l' : 'f'
  return {
    path: name,
    mode: goMode(kind, mode),
    uid,
    gid,
    size: BigInt(sizeBytes),
    modTime: mtimeNs,
    linkname: linkPath,
    ...(xattrs === undefined ? {} : { xattrs: Object.fromEntries(xattrs) }),
  }
}
