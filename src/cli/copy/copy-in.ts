/** `berth cp PATH CONTAINER:PATH`. */

import type { ContainerPathStat } from '../../api/index.ts'
import { packDirectory, packName } from '../../archive/index.ts'
import { errnoOf, isKind } from '../../base/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext } from '../command/command.ts'
import { fs, posix } from '../terminal/builtins.ts'
import { type ContainerPlace, type CopySource, type CopyTarget, keepEnd, planCopy, splitPath } from './place.ts'

const symlinkBit = 2 ** 27
const directoryBit = 2 ** 31
/** The mode bits of devices, fifos and sockets. */
const oddBits = [2 ** 26, 2 ** 25, 2 ** 24, 2 ** 21, 2 ** 19]

/** How a copy into a container is made. */
export interface CopyInOptions {
  readonly followLink: boolean
  /** True if the container's user shall own the files. */
  readonly archive: boolean
}

/** Copies, and gives the number of bytes of the archive. A source of `-` means an archive on standard input. */
export async function copyIn(
  context: CliContext,
  source: string,
  { container, path }: ContainerPlace,
  { followLink, archive }: CopyInOptions,
): Promise<number> {
  const { client, input } = context
  const target = await containerTarget(context, container, path)
  const options = { copyUidGid: archive, noOverwriteDirNonDir: true }
  if (source === '-') {
    if (!target.isDirectory) throw new CliError(1, `destination "${container}:${path}" must be a directory`)
    await client.containerFiles.extract(container, target.path, input.chunks(), options)
    return 0
  }
  const found = localSource(keepEnd(posix.resolve(source), source), followLink)
  const { directory, rename } = planCopy(found, target)
  let sizeBytes = 0
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of pack(found, rename ?? found.name)) {
      sizeBytes += chunk.length
      yield chunk
    }
  }
  await client.containerFiles.extract(container, directory, counted(), options)
  return sizeBytes
}

/** Describes the target. If it does not exist, its parent directory may still take the copy. */
async function containerTarget({ client }: CliContext, container: string, path: string): Promise<CopyTarget> {
  let at = path
  let stat = await statOrNothing(client, container, at)
  if (stat !== undefined && hasBit(stat.mode, symlinkBit)) {
    const { linkTarget } = stat
    at = linkTarget.startsWith('/') ? linkTarget : posix.join(splitPath(at).directory, linkTarget)
    stat = await statOrNothing(client, container, at)
  }
  if (stat !== undefined && oddBits.some((bit) => hasBit(stat.mode, bit))) {
    const why = hasBit(stat.mode, 2 ** 26) ? 'got a device' : 'got an irregular file'
    throw new CliError(1, `destination "${container}:${path}" must be a directory or a regular file: ${why}`)
  }
  return { path: at, exists: stat !== undefined, isDirectory: stat !== undefined && hasBit(stat.mode, directoryBit) }
}

async function statOrNothing(
  client: CliContext['client'],
  container: string,
  path: string,
): Promise<ContainerPathStat | undefined> {
  try {
    return await client.containerFiles.statPath(container, path)
  } catch (error) {
    if (isKind(error, 'unavailable')) throw error
    return undefined
  }
}

function localSource(source: string, followLink: boolean): CopySource {
  try {
    const path = followLink ? keepEnd(fs.realpathSync(source), source) : source
    const isDirectory = fs.lstatSync(path).isDirectory()
    const isRenamed = followLink && posix.basename(source) !== posix.basename(path)
    return { path, isDirectory, name: isRenamed ? posix.basename(source) : undefined }
  } catch (error) {
    const code = errnoOf(error)
    const why =
      code === 'ENOENT' ? 'no such file or directory' : code === 'ENOTDIR' ? 'not a directory' : `${code ?? error}`
    throw new CliError(1, `lstat ${source}: ${why}`, { cause: error })
  }
}

async function* pack({ path, isDirectory }: CopySource, name: string | undefined): AsyncGenerator<Buffer> {
  const { directory, base } = splitPath(path)
  if (isDirectory) {
    yield* packDirectory(path, { prefix: base === '/' && name === undefined ? '/' : `${name ?? base}/` })
    return
  }
  const fd = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  try {
    yield* packName(fd, base, name ?? base)
  } finally {
    fs.closeSync(fd)
  }
}

function hasBit(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1
}
