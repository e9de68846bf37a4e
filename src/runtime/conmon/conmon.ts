/** Starts conmon, the monitor that owns a container's stdio, log and exit code. conmon outlives the daemon.
 *  With `--sync` it is a direct child of the daemon, so its pid is known at once. When the daemon dies, init adopts it.
 *  https://github.com/containers/conmon/blob/main/docs/conmon.8.md */
import { writeFileSync } from 'node:fs'
import { internal, messageOf } from '../../base/index.ts'
import { closeFd, defaultEnv, FdReader, makePipe, type SpawnedProcess, spawnProcess } from '../../sys/index.ts'
import { bundleFiles } from '../bundle/paths.ts'
import { runtimeError } from '../programs/runtime-errors.ts'

/** The container for which a conmon is started. */
export interface ConmonOptions {
  readonly id: string
  readonly bundle: string
  /** Directory to which conmon writes the exit file. */
  readonly exitDir: string
  readonly conmonPath: string
  readonly runtimePath: string
  /** Arguments before every command of the OCI runtime. */
  readonly runtimeArgs: readonly string[]
  readonly terminal: boolean
  readonly stdin: boolean
  /** Stdin stays open when an attached client leaves. */
  readonly leaveStdinOpen: boolean
  /** Undefined: no log; only attached clients get the output. */
  readonly logPath: string | undefined
  /** The container's program, for error messages. */
  readonly command: string
}

/** A conmon whose container is created and waits for its start. */
export interface StartedConmon {
  readonly conmonPid: number
  /** Process id of the container's first process on the host. */
  readonly pid: number
}

/** Longer than any valid message from conmon. */
const maxReplyBytes = 64 * 1024
const syncFd = 3
const startFd = 4
const sigkill = 9

/** Starts conmon, which creates the container as soon as `ready` resolves. (conmon's own start-up takes 3 ms and does
 *  not wait for `ready`.) Rejects with the error of `ready`, or with a typed error when the OCI runtime refuses. */
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
  // With --sync, conmon leaves it to its parent to write this file.
  writeFileSync(bundleFiles(options.bundle).conmonPid, String(conmon.pid), { mode: 0o600 })
  if (ready !== undefined) await release(conmon, startWrite, ready)
  return { conmonPid: conmon.pid, pid: parseReply(await reply, options.command) }
}

async function release(conmon: SpawnedProcess, startWrite: number, ready: Promise<unknown>): Promise<void> {
  try {
    await ready
  } catch (error) {
    // Closing the pipe would let conmon continue, so it is killed first.
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

/** The first line from conmon, or everything up to the end of the pipe. */
function readReply(fd: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let text = ''
  const reader = FdReader.start(fd, {
    onData(chunk) {
      text += chunk.toString('utf8')
      if (!text.includes('\n') && text.length < maxReplyBytes) return
      // conmon keeps its end of the pipe open as long as the container lives. Ours is not needed any more.
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
