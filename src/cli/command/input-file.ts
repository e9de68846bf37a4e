/** Files as bodies of requests. */
import { errnoOf, messageOf } from '../../base/index.ts'
import { fs } from '../terminal/builtins.ts'
import { CliError } from './cli-error.ts'

const chunkBytes = 1 << 20

/** Opens the file at once, so that a missing file is reported before anything is sent; reads it in chunks. */
export function readInputFile(path: string): AsyncGenerator<Buffer, void, undefined> {
  return readChunks(openFile(path), path)
}

function openFile(path: string): number {
  try {
    return fs.openSync(path, 'r')
  } catch (error) {
    throw failure('open', path, error)
  }
}

async function* readChunks(fd: number, path: string): AsyncGenerator<Buffer, void, undefined> {
  try {
    for (;;) {
      const buffer = Buffer.allocUnsafe(chunkBytes)
      const count = readSome(fd, buffer, path)
      if (count === 0) return
      yield buffer.subarray(0, count)
    }
  } finally {
    fs.closeSync(fd)
  }
}

function readSome(fd: number, buffer: Buffer, path: string): number {
  try {
    return fs.readSync(fd, buffer)
  } catch (error) {
    throw failure('read', path, error)
  }
}

/** An error with Go's text. */
function failure(call: string, path: string, error: unknown): CliError {
  const texts: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EISDIR: 'is a directory',
    ENOTDIR: 'not a directory',
  }
  return new CliError(1, `${call} ${path}: ${texts[errnoOf(error) ?? ''] ?? messageOf(error)}`, { cause: error })
}
