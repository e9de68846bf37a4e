/** Starting conmon, the monitor that owns a container's stdio, log and exit code and outlives the daemon.
 *  It is our direct child (`--sync`), so that its pid is known at once, and becomes init's when we die.
 *  https://github.com/containers/conmon/blob/main/docs/conmon.8.md */
import { writeFileSync } from 'node:fs'
import { internal, messageOf } from '../../base/index.ts'
import { closeFd, defaultEnv, FdReader, makePipe, type SpawnedProcess, spawnProcess } from '../../sys/index.ts'
import { bundleFiles } from '../bundle/paths.ts'
import { runtimeError } from '../programs/runtime-errors.ts'

export interface ConmonOptions {
  readonly id: string
  readonly bundle: string
  readonly exitDir: string
  readonly conmonPath: string
  readonly runtimePath: string
  readonly runtimeArgs: readonly string[]
  readonly terminal: boolean
  readonly stdin: boolean
  /** Stdin stays open when an attached client leaves. */
  readonly leaveStdinOpen: boolean
  /** Undefined: the output is only for attached clients. */
  readonly logPath: string | undefined
  /** For error messages. */
  readonly command: string
}

/** A conmon whose container is created and waits for its start. */
export interface StartedConmon {
  readonly conmonPid: number
  readonly pid: number
}

/** Anything that a small JSON line can't be. */
const maxReplyBytes = 64 * 1024
const syncFd = 3
const startFd = 4
const sigkill = 9

/** Starts conmon, which creates the container as soon as `ready` resolves (conmon's own start-up, 3 ms, does not
 *  wait for it). Rejects with a typed error when `ready` rejects or the runtime refuses. */
export async function startConmon(options: ConmonOptions, ready: Promise<unknown> | undefined): Promise<StartedConmon> {
  const [syncRead, syncWrite] = makePipe()
  const [startRead, startWrite] = ready === undefined ? [-1, -1] : makePipe()
  let conmon: SpawnedProcess
  let reply: Promise<string>
  try {
    conmon = spawnProcess({
      path: options.conmonPath,
      args: conmonArgs(options),
      env: {
        ...defaultEnv,
        // Log times in UTC.
        TZ: 'UTC0',
        _OCI_SYNCPIPE: String(syncFd),
        ...(ready === undefined ? {} : { _OCI_STARTPIPE: String(startFd) }),
      },
      // conmon makes its `oom` file in its working directory.
      cwd: options.bundle,
      fds: new Map([[syncFd, syncWrite], ...(ready === undefined ? [] : ([[startFd, startRead]] as const))]),
      unref: true,
    })
    reply = readReply(syncRead)
  } catch (error) {
    closeFd(syncRead)
    if (startWrite !== -1) closeFd(startWrite)
    throw error
  } finally {
    closeFd(syncWrite)
    if (startRead !== -1) closeFd(startRead)
  }
  // With --sync conmon leaves this to its parent.
  writeFileSync(bundleFiles(options.bundle).conmonPid, String(conmon.pid), { mode: 0o600 })
  if (ready !== undefined) await release(conmon, startWrite, ready)
  return { conmonPid: conmon.pid, pid: parseReply(await reply, options.command) }
}

async function release(conmon: SpawnedProcess, startWrite: number, ready: Promise<unknown>): Promise<void> {
  try {
    await ready
  } catch (error) {
    // Closing the pipe would let it go on, so it is ended before.
    conmon.kill(sigkill)
    await conmon.exited
    throw error
  } finally {
    closeFd(startWrite)
  }
}

function conmonArgs(options: ConmonOptions): string[] {
  const files = bundleFiles(options.bundle)
  return [
    '--api-version=1',
    '--sync',
    '--full-attach',
    '--no-sync-log',
    '--log-level=error',
    '-c',
    options.id,
    '-u',
    options.id,
    '-n',
    options.id,
    '-b',
    options.bundle,
    '-p',
    files.pid,
    '--exit-dir',
    options.exitDir,
    '-l',
    options.logPath === undefined ? 'off' : `k8s-file:${options.logPath}`,
    '-r',
    options.runtimePath,
    ...options.runtimeArgs.flatMap((arg) => ['--runtime-arg', arg]),
    ...(options.terminal ? ['-t'] : []),
    ...(options.stdin ? ['-i'] : []),
    ...(options.leaveStdinOpen ? ['--leave-stdin-open'] : []),
  ]
}

/** Everything up to the first line end, or up to the end of the pipe. */
function readReply(fd: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let text = ''
  const reader = FdReader.start(fd, {
    onData(chunk) {
      text += chunk.toString('utf8')
      if (!text.includes('\n') && text.length < maxReplyBytes) return
      // conmon keeps its end for the container's whole life; ours is not needed any more.
      reader.close()
      resolve(text)
    },
    onEnd() {
      resolve(text)
    },
  })
  return promise
}

function parseReply(text: string, command: string): number {
  let reply: { readonly data?: unknown; readonly message?: unknown }
  try {
    reply = JSON.parse(text) as typeof reply
  } catch (cause) {
    const said = text.trim() === '' ? 'it ended without an answer' : messageOf(cause)
    throw internal(`conmon did not start the container: ${said}`, { cause, details: { exitCode: 125 } })
  }
  if (typeof reply.data === 'number' && reply.data > 0) return reply.data
  throw runtimeError(typeof reply.message === 'string' ? reply.message : 'unknown error', { work: 'create', command })
}
