/** Runs a helper program and collects its output. */
import { type AbortOptions, BerthError } from '../../base/index.ts'
import { FdReader } from '../files/fd-reader.ts'
import { FdWriter } from '../files/fd-writer.ts'
import { closeFd, makePipe } from '../native/fd.ts'
import { type SpawnedProcess, spawnProcess } from './spawn.ts'

/** Options of `runCommand`. */
export interface RunCommandOptions extends AbortOptions {
  /** Written to the program's stdin. Default: stdin is /dev/null. */
  readonly input?: string | Uint8Array | undefined
  /** The whole environment. Default: `defaultEnv`. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly cwd?: string | undefined
  /** Further descriptors for the child, from 3 on: its number → ours. */
  readonly fds?: ReadonlyMap<number, number> | undefined
  /** If the program takes longer, it is killed and the call rejects. Default: no limit. */
  readonly timeoutMs?: number | undefined
  /** If the program writes more, it is killed and the call rejects. Default: 64 MiB. */
  readonly maxOutputBytes?: number | undefined
  /** Called with the program's process id before any of its effects can be seen. */
  readonly onStart?: ((pid: number) => void) | undefined
}

/** How a program ended, and what it wrote. */
export interface CommandResult {
  /** The exit code; 128 + n when signal n killed it, as in shells. */
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
}

const sigkill = 9
const defaultMaxOutputBytes = 64 * 1024 * 1024

/** Runs a program and resolves with its exit code and output, whatever the code is. Rejects when it can't be executed
 *  (ENOENT, EACCES), when the signal aborts, after the time limit (`unavailable`) and with too much output
 *  (`dataLoss`). Doesn't wait for output of background children after the program itself has ended. */
export async function runCommand(
  path: string,
  args: readonly string[],
  options: RunCommandOptions = {},
): Promise<CommandResult> {
  options.signal?.throwIfAborted()
  const run = startWithPipes(path, args, options)
  options.onStart?.(run.child.pid)
  let failure: Error | undefined
  const abandon = (error: Error) => {
    failure ??= error
    run.child.kill(sigkill)
  }
  run.onOverflow(() => abandon(new BerthError('dataLoss', `${path} wrote too much output`)))
  const { signal, timeoutMs } = options
  const onAbort = () =>
    abandon(signal?.reason instanceof Error ? signal.reason : new BerthError('cancelled', 'cancelled'))
  signal?.addEventListener('abort', onAbort)
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => abandon(new BerthError('unavailable', `${path} took longer than ${timeoutMs} ms`)), timeoutMs)
  try {
    const { code, signal: killer } = await run.child.exited
    run.finish()
    if (failure !== undefined) throw failure
    return { code: code ?? 128 + (killer ?? 0), stdout: Buffer.concat(run.stdout), stderr: textOf(run.stderr) }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', onAbort)
  }
}

interface PipedRun {
  readonly child: SpawnedProcess
  readonly stdout: readonly Buffer[]
  readonly stderr: readonly Buffer[]
  onOverflow(callback: () => void): void
  /** Reads the rest of the pipes and closes them. */
  finish(): void
}

function startWithPipes(path: string, args: readonly string[], options: RunCommandOptions): PipedRun {
  const ours: number[] = []
  const theirs: number[] = []
  const pipe = (childReads: boolean): [ours: number, theirs: number] => {
    const [readEnd, writeEnd] = makePipe()
    ours.push(childReads ? writeEnd : readEnd)
    theirs.push(childReads ? readEnd : writeEnd)
    return childReads ? [writeEnd, readEnd] : [readEnd, writeEnd]
  }
  let child: SpawnedProcess
  const fds = new Map(options.fds ?? [])
  try {
    for (const [target, childReads] of [
      [0, true],
      [1, false],
      [2, false],
    ] as const) {
      if (target === 0 && options.input === undefined) continue
      fds.set(target, pipe(childReads)[1])
    }
    child = spawnProcess({ path, args, env: options.env, cwd: options.cwd, fds })
  } catch (error) {
    for (const fd of ours) closeFd(fd)
    throw error
  } finally {
    for (const fd of theirs) closeFd(fd)
  }
  return collect(child, ours, options)
}

function collect(child: SpawnedProcess, ours: readonly number[], options: RunCommandOptions): PipedRun {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  let left = options.maxOutputBytes ?? defaultMaxOutputBytes
  let overflow = () => {}
  const into = (chunks: Buffer[]) => ({
    onData(chunk: Buffer) {
      left -= chunk.byteLength
      if (left < 0) overflow()
      else chunks.push(chunk)
    },
    // A read error only ends the output early. The exit code tells whether the program succeeded.
    onEnd() {},
  })
  const [outFd = -1, errFd = -1] = ours.slice(-2)
  const readers = [FdReader.start(outFd, into(stdout)), FdReader.start(errFd, into(stderr))]
  let writer: FdWriter | undefined
  if (options.input !== undefined) {
    // A program may end without reading its input: EPIPE is not an error here.
    writer = FdWriter.open(ours[0] ?? -1)
    writer.write(Buffer.from(options.input))
    writer.end()
  }
  return {
    child,
    stdout,
    stderr,
    onOverflow(callback) {
      overflow = callback
    },
    finish() {
      writer?.close()
      for (const reader of readers) {
        reader.drain()
        reader.close()
      }
    },
  }
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8')
}
