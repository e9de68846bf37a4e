/** One more process in a running container: `crun exec` as our child for as long as the process lives, with our
 *  pipes or a pty as its stdio. The runtime tells through two pipes of its own that the process runs (its pid) or
 *  why it does not, so that the process's stderr carries nothing of ours. */
import { rmSync, writeFileSync } from 'node:fs'
import type { OutputSink } from '../base/index.ts'
import type { OciProcess } from '../oci/index.ts'
import { closeFd, FdReader, makePipe, type SpawnedProcess, spawnProcess } from '../sys/index.ts'
import type { TerminalSize } from './conmon-control.ts'
import { ExecConsole } from './exec-console.ts'
import { PidFile } from './exec-pid-file.ts'
import { ExecPipes } from './exec-pipes.ts'
import type { ExecStdio } from './exec-stdio.ts'
import { openTools } from './exec-tools.ts'
import type { ExitInfo } from './exit-info.ts'
import { runtimeError } from './runtime-errors.ts'

export interface ExecOptions {
  readonly process: OciProcess
  /** Whether the process's stdin can be written to; otherwise it is /dev/null. */
  readonly stdin: boolean
  /** Where its output goes; without one to /dev/null, and the process outlives the daemon. */
  readonly sink?: OutputSink
  /** The process also gets busybox, as `toolsProgram`. */
  readonly tools?: boolean
  readonly trace?: (step: string, ms: number) => void
}

/** A process that was started by exec. */
export interface ExecHandle {
  /** In the host's pid namespace. */
  readonly pid: number
  /** Settles once the process has ended and its output was handed to the sink. Never rejects. */
  readonly exited: Promise<ExitInfo>
  /** Sends to stdin. False: wait for `onDrain`. */
  write(chunk: Buffer): boolean
  onDrain(callback: () => void): void
  endStdin(): void
  resize(size: TerminalSize): void
  /** Closes our ends of its stdio; the process goes on. Idempotent. */
  close(): void
}

/** Which program joins which container. */
export interface ExecTarget {
  readonly id: string
  readonly runtimePath: string
  readonly runtimeArgs: readonly string[]
  /** Where the process spec lies while the runtime reads it. */
  readonly specPath: string
  /** Sends the terminal through a socket, and writes the pid to a descriptor (crun); else neither (runc). */
  readonly isCrun: boolean
  /** The daemon's directory for what lasts until a reboot. */
  readonly toolsHome: string
}

/** Handed on to the process, so it must be the first one. */
const toolsFd = 3
const pidFd = 4
const logFd = 5

/** Starts a process. Rejects with a typed error (details.exitCode 126, 127, 125) when it can't be. */
export async function startExec(target: ExecTarget, options: ExecOptions): Promise<ExecHandle> {
  const began = performance.now()
  const stdio: ExecStdio = options.process.terminal ? openConsole(target, options) : new ExecPipes(options)
  const said = new RuntimeReply()
  const pidFile = target.isCrun ? undefined : new PidFile(`${target.specPath}.pid`)
  let tools: number | undefined
  let child: SpawnedProcess
  try {
    if (options.tools === true) tools = openTools(target.toolsHome)
    writeFileSync(target.specPath, JSON.stringify(options.process))
    child = spawnProcess({
      path: target.runtimePath,
      args: execArgs(target, stdio.consolePath, tools !== undefined, pidFile?.path ?? `/dev/fd/${pidFd}`),
      controllingTty: stdio.terminalPath,
      fds: new Map([
        ...stdio.childEnds,
        ...(tools === undefined ? [] : [[toolsFd, tools] as const]),
        [pidFd, said.pidWrite],
        [logFd, said.logWrite],
      ]),
      setsid: true,
      unref: true,
    })
  } catch (error) {
    said.close()
    pidFile?.close()
    stdio.close()
    rmSync(target.specPath, { force: true })
    throw error
  } finally {
    if (tools !== undefined) closeFd(tools)
    said.closeWriteEnds()
    stdio.closeChildEnds()
  }
  options.trace?.('exec spawn', performance.now() - began)
  const pid = await (pidFile?.pid(child.exited) ?? said.pid())
  rmSync(target.specPath, { force: true })
  pidFile?.close()
  if (pid === undefined) {
    await child.exited
    stdio.close()
    throw runtimeError(said.message(), { work: 'exec', command: options.process.args[0] ?? '' })
  }
  options.trace?.('exec started', performance.now() - began)
  await stdio.open(child.exited)
  const exited = child.exited.then(({ code, signal }): ExitInfo => {
    const finishedAt = new Date()
    stdio.finish()
    said.close()
    return { exitCode: code ?? 128 + (signal ?? 0), finishedAt, oomKilled: false }
  })
  return {
    pid,
    exited,
    write: (chunk) => stdio.write(chunk),
    onDrain: (callback) => stdio.onDrain(callback),
    endStdin: () => stdio.endStdin(),
    resize: (size) => stdio.resize(size),
    close: () => stdio.close(),
  }
}

function openConsole(target: ExecTarget, options: ExecOptions): ExecConsole {
  if (target.isCrun) return ExecConsole.listen(`${target.specPath}.tty`, options)
  return ExecConsole.own(options.process.consoleSize, options)
}

function execArgs(target: ExecTarget, consolePath: string | undefined, hasTools: boolean, pidPath: string): string[] {
  return [
    ...target.runtimeArgs,
    `--log=/dev/fd/${logFd}`,
    '--log-format=json',
    'exec',
    '--process',
    target.specPath,
    '--pid-file',
    pidPath,
    ...(hasTools ? ['--preserve-fds', '1'] : []),
    ...(consolePath === undefined ? [] : ['--console-socket', consolePath]),
    target.id,
  ]
}

/** What the runtime says while it starts a process: a pid, or nothing and then log lines. */
class RuntimeReply {
  readonly pidWrite: number
  readonly logWrite: number
  readonly #pid = Promise.withResolvers<number | undefined>()
  readonly #log: Buffer[] = []
  readonly #readers: FdReader[]

  constructor() {
    const [pidRead, pidWrite] = makePipe()
    const [logRead, logWrite] = makePipe()
    this.pidWrite = pidWrite
    this.logWrite = logWrite
    this.#readers = [
      // The runtime keeps its end until the process has ended: the pid itself is the end of the message.
      FdReader.start(
        pidRead,
        {
          onData: (chunk) => {
            this.#readers[0]?.close()
            this.#pid.resolve(Number.parseInt(chunk.toString('latin1'), 10))
          },
          onEnd: () => this.#pid.resolve(undefined),
        },
        { unref: true },
      ),
      FdReader.start(logRead, { onData: (chunk) => this.#log.push(chunk), onEnd() {} }, { unref: true }),
    ]
  }

  closeWriteEnds(): void {
    closeFd(this.pidWrite)
    closeFd(this.logWrite)
  }

  /** The new process's pid, or undefined when the runtime ended without one. */
  pid(): Promise<number | undefined> {
    return this.#pid.promise
  }

  /** The error texts of a runtime that has ended. */
  message(): string {
    this.#readers[1]?.drain()
    this.close()
    const lines = Buffer.concat(this.#log).toString('utf8').split('\n')
    return lines
      .map(messageOfLogLine)
      .filter((text) => text !== '')
      .join('\n')
  }

  close(): void {
    for (const reader of this.#readers) reader.close()
  }
}

function messageOfLogLine(line: string): string {
  try {
    const { msg } = JSON.parse(line) as { msg?: unknown }
    return typeof msg === 'string' ? msg : ''
  } catch {
    return line
  }
}
