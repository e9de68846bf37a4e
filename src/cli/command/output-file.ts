/** `--output FILE` of save and export. As in docker, the file appears only when all of it has arrived. */
import { basename, dirname, join } from 'node:path'
import { errnoOf, messageOf } from '../../base/index.ts'
import { fs } from '../terminal/builtins.ts'
import type { Output } from '../terminal/output.ts'
import { CliError } from './cli-error.ts'

const ownerOnly = 0o600

/** Writes the bytes to the file or, if the path is empty, to the output. `what` (`failed to save image`) begins the
 *  messages about a bad path. */
export async function writeOutput(
  path: string,
  what: string,
  output: Output,
  open: () => Promise<AsyncIterable<Uint8Array>>,
): Promise<void> {
  if (path === '') {
    for await (const chunk of await open()) output.write(chunk)
    return
  }
  checkTarget(path, what)
  const temporary = join(dirname(path), `.tmp-${basename(path)}${process.pid}`)
  let fd: number | undefined
  const unwatch = removeOnSignal(temporary)
  try {
    fd = fs.openSync(temporary, 'wx', ownerOnly)
    for await (const chunk of await open()) {
      for (let done = 0; done < chunk.length; ) done += fs.writeSync(fd, chunk, done)
    }
    // Otherwise a power cut could leave the new name with an empty file.
    fs.fsyncSync(fd)
    fs.closeSync(fd)
    fs.renameSync(temporary, path)
  } catch (error) {
    if (fd === undefined) throw error
    closeQuietly(fd)
    fs.rmSync(temporary, { force: true })
    throw error
  } finally {
    unwatch()
  }
}

/** Removes the incomplete file when a signal ends the command. Returns a function that stops watching. */
function removeOnSignal(path: string): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const onSignal = (signal: NodeJS.Signals): void => {
    fs.rmSync(path, { force: true })
    unwatch()
    process.kill(process.pid, signal)
  }
  const unwatch = (): void => {
    for (const signal of signals) process.off(signal, onSignal)
  }
  for (const signal of signals) process.on(signal, onSignal)
  return unwatch
}

/** Refuses a target that is not a regular file, as docker does: a link, a device, a directory. */
function checkTarget(path: string, what: string): void {
  const refuse = (why: string) => new CliError(1, `${what}: ${why}`)
  const directory = dirname(path)
  try {
    if (!fs.statSync(directory).isDirectory()) throw refuse(`invalid output path: ${directory} is not a directory`)
  } catch (error) {
    if (error instanceof CliError) throw error
    const why = errnoOf(error) === 'ENOENT' ? 'no such file or directory' : messageOf(error)
    throw refuse(`invalid output path: stat ${directory}: ${why}`)
  }
  const status = fs.lstatSync(path, { throwIfNoEntry: false })
  if (status === undefined || status.isFile()) return
  throw refuse(`cannot write to a ${kindOf(status)}`)
}

function kindOf(status: NonNullable<ReturnType<typeof fs.lstatSync>>): string {
  if (status.isDirectory()) return 'directory'
  if (status.isSymbolicLink()) return 'symbolic link directly'
  if (status.isFIFO()) return 'named pipe (FIFO)'
  if (status.isCharacterDevice()) return 'character device file'
  return status.isSocket() ? 'socket' : 'block device file'
}

function closeQuietly(fd: number): void {
  try {
    fs.closeSync(fd)
  } catch {
    // It is closed already: the rename failed.
  }
}
