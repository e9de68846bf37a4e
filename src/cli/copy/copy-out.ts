/** `berth cp CONTAINER:PATH PATH`. */
import { type TarEntry, TarParser, TreeWriter } from '../../archive/index.ts'
import { errnoOf } from '../../base/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext } from '../command/command.ts'
import { fs, posix } from '../terminal/builtins.ts'
import { type ContainerPlace, type CopySource, type CopyTarget, keepEnd, planCopy, splitPath } from './place.ts'

const symlinkBit = 2 ** 27
const directoryBit = 2 ** 31
const maxLinks = 10

/** Copies, and gives the number of bytes of the archive. A target of `-` means standard output. */
export async function copyOut(
  { client, output }: CliContext,
  { container, path }: ContainerPlace,
  target: string,
  { followLink }: { readonly followLink: boolean },
): Promise<number> {
  if (target !== '-') checkDirectory(posix.dirname(posix.resolve(target)))
  let source = path
  let name: string | undefined
  if (followLink) {
    const stat = await client.containerFiles.statPath(container, source)
    if (hasBit(stat.mode, symlinkBit)) {
      const { linkTarget } = stat
      source = keepEnd(
        linkTarget.startsWith('/') ? linkTarget : posix.join(splitPath(source).directory, linkTarget),
        source,
      )
      if (posix.basename(path) !== posix.basename(source)) name = posix.basename(path)
    }
  }
  const { stat, chunks } = await client.containerFiles.readArchive(container, source)
  if (target === '-') {
    let sizeBytes = 0
    for await (const chunk of chunks) {
      output.write(chunk)
      sizeBytes += chunk.length
    }
    return sizeBytes
  }
  const from = { path: source, isDirectory: hasBit(stat.mode, directoryBit), name }
  return await unpack(chunks, from, localTarget(keepEnd(posix.resolve(target), target)))
}

function checkDirectory(directory: string): void {
  if (fs.existsSync(directory)) return
  throw new CliError(1, `invalid output path: directory ${JSON.stringify(directory)} does not exist`)
}

async function unpack(chunks: AsyncIterable<Uint8Array>, source: CopySource, target: CopyTarget): Promise<number> {
  const { directory, rename } = planCopy(source, target)
  const { base } = splitPath(source.path)
  // The entries of a root directory begin with a slash.
  const oldName = base === '/' ? '' : base
  const newName = rename ?? source.name
  const renamed = (name: string): string =>
    newName === undefined || !name.startsWith(oldName) ? name : newName + name.slice(oldName.length)
  const rootFd = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  let sizeBytes = 0
  try {
    using writer = new TreeWriter(rootFd, {
      destination: '',
      owner: 'writer',
      noOverwriteDirNonDir: true,
      shownAs: directory,
    })
    const parser = new TarParser({
      entry: (entry) => writer.entry(renameEntry(entry, renamed)),
      data: (piece, position) => writer.data(piece, position),
      endEntry: () => writer.endEntry(),
    })
    for await (const chunk of chunks) {
      parser.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
      sizeBytes += chunk.length
    }
    parser.end()
    writer.finish()
  } finally {
    fs.closeSync(rootFd)
  }
  return sizeBytes
}

function renameEntry(entry: TarEntry, renamed: (name: string) => string): TarEntry {
  const linkPath = entry.type === 'link' ? renamed(entry.linkPath) : entry.linkPath
  return { ...entry, path: renamed(entry.path), linkPath }
}

/** Describes the target. Symbolic links at its end are followed, even to a path that does not exist yet. */
function localTarget(target: string): CopyTarget {
  let path = target
  for (let links = 0; links <= maxLinks; links += 1) {
    const status = fs.lstatSync(path.replace(/(.)\/+$/, '$1'), { throwIfNoEntry: false })
    if (status === undefined) return missingTarget(path)
    if (!status.isSymbolicLink()) return { path, exists: true, isDirectory: status.isDirectory() }
    const link = fs.readlinkSync(path.replace(/(.)\/+$/, '$1'))
    path = link.startsWith('/') ? link : posix.join(splitPath(path).directory, link)
  }
  throw new CliError(1, `too many symlinks in "${target}"`)
}

function missingTarget(path: string): CopyTarget {
  const { directory } = splitPath(path)
  try {
    if (!fs.statSync(directory).isDirectory()) throw new CliError(1, 'not a directory')
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
    throw new CliError(1, `invalid output path: directory "${directory}" does not exist`, { cause: error })
  }
  return { path, exists: false, isDirectory: false }
}

/** Tests a mode bit above 31, for which JavaScript's operators do not work. */
function hasBit(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1
}
