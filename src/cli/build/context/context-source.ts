/** The meaning of the operand of `build`: a directory, a stream, or an address. */
import { createHash } from 'node:crypto'
import { errnoOf, messageOf } from '../../../base/index.ts'
import { remoteSource } from '../../../build/dockerfile/index.ts'
import { CliError } from '../../command/cli-error.ts'
import { fs, posix } from '../../terminal/builtins.ts'
import type { Input } from '../../terminal/input.ts'

/** The origin of a build's files. */
export type ContextSource =
  | { readonly kind: 'local'; readonly directory: string }
  | { readonly kind: 'remote'; readonly url: string }
  | { readonly kind: 'tar'; readonly chunks: AsyncIterable<Buffer> }
  /** The user gave a Dockerfile in place of a context. */
  | { readonly kind: 'none'; readonly dockerfile: string }

/** Finds out what the operand means. Throws, with Docker's texts, for anything else. */
export async function resolveContext(operand: string, input: Input): Promise<ContextSource> {
  if (operand === '-') return await contextOfInput(input)
  const url = remoteUrl(operand)
  if (url !== undefined) return { kind: 'remote', url }
  return { kind: 'local', directory: existingDirectory(operand) }
}

/** The address of a context that the daemon fetches. Undefined for a path. */
export function remoteUrl(operand: string): string | undefined {
  if (remoteSource(operand) !== undefined) return operand
  // The only host that may come without a scheme.
  return operand.startsWith('github.com/')
    ? `https://${operand.replace(/^([^#?]*?)(?:\.git)?(?=[#?]|$)/, '$1.git')}`
    : undefined
}

/** Checks a directory, and gives its real path. */
export function existingDirectory(operand: string): string {
  try {
    const directory = fs.realpathSync(posix.resolve(operand))
    if (fs.statSync(directory).isDirectory()) return directory
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') {
      throw new CliError(1, `ERROR: unable to prepare context: path ${JSON.stringify(operand)} not found`, {
        cause: error,
      })
    }
    throw new CliError(1, `ERROR: unable to prepare context: ${messageOf(error)}`, { cause: error })
  }
  throw new CliError(1, `ERROR: unable to prepare context: path ${JSON.stringify(operand)} is not a directory`)
}

/** The identity of a directory among those that clients show to a daemon: this machine's id and the path. */
export function contextKey(directory: string): string {
  return createHash('sha256').update(`${machineId()}\0${directory}`).digest('hex')
}

function machineId(): string {
  try {
    return fs.readFileSync('/etc/machine-id', 'utf8').trim()
  } catch {
    return process.getBuiltinModule('node:os').hostname()
  }
}

const maxDockerfileBytes = 16 * 1024 * 1024

async function contextOfInput(input: Input): Promise<ContextSource> {
  const iterator: AsyncIterator<Buffer> = input.chunks()[Symbol.asyncIterator]()
  const chunks: Buffer[] = []
  let size = 0
  let isEnded = false
  while (!isEnded && size < tarMagicEnd) {
    const { done, value } = await iterator.next()
    if (done === true) isEnded = true
    else {
      chunks.push(value)
      size += value.length
    }
  }
  const start = Buffer.concat(chunks)
  const rest = { [Symbol.asyncIterator]: () => iterator }
  if (isArchive(start)) return { kind: 'tar', chunks: joined(start, rest) }
  const parts: Buffer[] = [start]
  for await (const chunk of rest) {
    parts.push(chunk)
    size += chunk.length
    if (size > maxDockerfileBytes) throw new CliError(1, 'ERROR: stdin is neither an archive nor a Dockerfile')
  }
  const dockerfile = Buffer.concat(parts)
  if (dockerfile.length === 0) throw new CliError(1, 'ERROR: failed to build: the Dockerfile cannot be empty')
  return { kind: 'none', dockerfile: dockerfile.toString('utf8') }
}

async function* joined(start: Buffer, rest: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  yield start
  yield* rest
}

const tarMagicEnd = 262
/** The first bytes of gzip, zstd, xz and bzip2. */
const compressed = [
  [0x1f, 0x8b],
  [0x28, 0xb5, 0x2f, 0xfd],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
  [0x42, 0x5a, 0x68],
]

function isArchive(start: Buffer): boolean {
  if (compressed.some((magic) => start.subarray(0, magic.length).equals(Buffer.from(magic)))) return true
  if (start.toString('latin1', 257, 262) === 'ustar') return true
  // A tar from before POSIX has no magic number, so its checksum must be right.
  return start.length >= tarMagicEnd && isOldTar(start)
}

function isOldTar(start: Buffer): boolean {
  const block = start.subarray(0, 512)
  if (block.length < 512) return false
  const said = Number.parseInt(block.toString('latin1', 148, 156).replace(/[\0 ].*$/, ''), 8)
  let sum = 8 * 0x20
  for (const [index, byte] of block.entries()) if (index < 148 || index >= 156) sum += byte
  return sum === said
}
