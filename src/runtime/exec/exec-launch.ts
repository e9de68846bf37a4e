/** The OCI runtime program of one exec (`crun exec`). It is a child of the daemon as long as the process lives, with
 *  pipes or a terminal as its stdio.
 *  crun can be started before the process is known: it loads its libraries (half of an exec's time), reads the
 *  container's state, and then waits to read the process from a pipe. If the pipe ends empty, because no exec follows
 *  or the daemon is killed, crun ends without doing anything. */
import type { OutputSink, TerminalSize } from '../../base/index.ts'
import type { OciProcess } from '../../oci/index.ts'
import { closeFd, type SpawnedProcess, spawnProcess } from '../../sys/index.ts'
import type { ExitInfo } from '../conmon/exit-info.ts'
import { runtimeError } from '../programs/runtime-errors.ts'
import { ExecConsole } from './exec-console.ts'
import { ExecPipes } from './exec-pipes.ts'
import { ProcessFile, type ProcessFiles, ProcessPipe, pidFd } from './exec-process-files.ts'
import { RuntimeReply } from './exec-reply.ts'
import type { ExecStdio, ExecStdioOptions } from './exec-stdio.ts'
import { openTools } from './exec-tools.ts'

/** What must be known when the runtime is started. */
export interface ExecPlan extends ExecStdioOptions {
  readonly terminal: boolean
  /** The process also gets busybox, as `toolsProgram`. */
  readonly tools: boolean
}

/** Which runtime program enters which container. */
export interface ExecTarget {
  readonly id: string
  readonly runtimePath: string
  readonly runtimeArgs: readonly string[]
  /** Prefix for paths of this exec's files; no other exec has it. */
  readonly path: string
  /** True for crun, which reads the process from a pipe, sends the terminal through a socket, and writes the pid to a
   *  descriptor. runc does none of this. */
  readonly isCrun: boolean
  /** Directory in which `openTools` keeps its copy of busybox: the exec root. */
  readonly toolsHome: string
}

/** A process that was started by exec. */
export interface ExecHandle {
  /** Process id on the host. */
  readonly pid: number
  /** Resolves once the process has ended and the sink has its output. Never rejects. */
  readonly exited: Promise<ExitInfo>
  /** Sends to stdin. When it returns false, wait for `onDrain` before the next write. */
  write(chunk: Buffer): boolean
  /** Registers a callback that runs each time all written data was sent. */
  onDrain(callback: () => void): void
  /** Ends stdin. Does nothing with a terminal. */
  endStdin(): void
  /** Sets the terminal's window size. Does nothing without a terminal. */
  resize(size: TerminalSize): void
  /** Closes the daemon's ends of stdio; the process continues. Idempotent. */
  close(): void
}

/** Called with the duration of a step of an exec's start, in milliseconds. */
export type ExecTrace = (step: string, ms: number) => void

/** The runtime passes this descriptor on to the process, so it must be the first after stdio. */
const toolsFd = 3
const logFd = 5
const sigkill = 9

/** A started runtime that waits for its process. Call `run` or `discard` once. */
export class ExecLaunch {
  readonly plan: ExecPlan
  readonly #stdio: ExecStdio
  readonly #reply: RuntimeReply
  readonly #child: SpawnedProcess
  readonly #files: ProcessFiles
  #isWaiting = true

  private constructor(
    plan: ExecPlan,
    stdio: ExecStdio,
    reply: RuntimeReply,
    child: SpawnedProcess,
    files: ProcessFiles,
  ) {
    this.plan = plan
    this.#stdio = stdio
    this.#reply = reply
    this.#child = child
    this.#files = files
    void child.exited.then(() => {
      this.#isWaiting = false
    })
  }

  /** Starts the runtime. A runtime other than crun needs `process` now. Throws the system's error when the program
   *  can't be executed or descriptors run out; nothing is left then. */
  static open(target: ExecTarget, plan: ExecPlan, process?: OciProcess): ExecLaunch {
    const reply = new RuntimeReply()
    let stdio: ExecStdio | undefined
    let files: ProcessFiles | undefined
    let tools: number | undefined
    try {
      stdio = openStdio(target, plan, process)
      files = target.isCrun ? new ProcessPipe() : new ProcessFile(target.path, process)
      if (plan.tools) tools = openTools(target.toolsHome)
      const child = spawnProcess({
        path: target.runtimePath,
        args: execArgs(target, stdio.consolePath, plan.tools, files),
        controllingTty: stdio.terminalPath,
        fds: new Map([
          ...stdio.childEnds,
          ...(tools === undefined ? [] : [[toolsFd, tools] as const]),
          [pidFd, reply.pidWrite],
          [logFd, reply.logWrite],
          ...files.childEnds,
        ]),
        setsid: true,
        unref: true,
      })
      return new ExecLaunch(plan, stdio, reply, child, files)
    } catch (error) {
      reply.close()
      files?.close()
      stdio?.close()
      throw error
    } finally {
      if (tools !== undefined) closeFd(tools)
      reply.closeWriteEnds()
      stdio?.closeChildEnds()
      files?.closeChildEnds()
    }
  }

  /** False after `run` or `discard`, or when the runtime has ended. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Runs the process. Rejects with a typed error when it can't be started; `details.exitCode` is then 127 or 126, if
   *  the runtime's message tells. */
  async run(process: OciProcess, sink: OutputSink | undefined, trace?: ExecTrace): Promise<ExecHandle> {
    const began = performance.now()
    this.#isWaiting = false
    const [child, stdio, reply] = [this.#child, this.#stdio, this.#reply]
    this.#files.send(process)
    const pid = await (this.#files.pid?.(child.exited) ?? reply.pid())
    this.#files.close()
    if (pid === undefined) {
      await child.exited
      stdio.close()
      throw runtimeError(reply.message(), { work: 'exec', command: process.args[0] ?? '' })
    }
    trace?.('exec started', performance.now() - began)
    await stdio.open(sink, child.exited)
    const exited = child.exited.then(({ code, signal }): ExitInfo => {
      const finishedAt = new Date()
      stdio.finish()
      reply.close()
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

  /** Kills a runtime that still waits. Does nothing after `run`. Idempotent. */
  discard(): void {
    if (!this.#isWaiting) return
    this.#isWaiting = false
    this.#child.kill(sigkill)
    this.#files.close()
    this.#stdio.close()
    this.#reply.close()
  }
}

function openStdio(target: ExecTarget, plan: ExecPlan, process: OciProcess | undefined): ExecStdio {
  if (!plan.terminal) return new ExecPipes(plan)
  if (target.isCrun) return ExecConsole.listen(`${target.path}.tty`, plan)
  return ExecConsole.own(process?.consoleSize, plan)
}

function execArgs(
  target: ExecTarget,
  consolePath: string | undefined,
  hasTools: boolean,
  { processPath, pidPath }: ProcessFiles,
): string[] {
  return [
    ...target.runtimeArgs,
    `--log=/dev/fd/${logFd}`,
    '--log-format=json',
    'exec',
    '--process',
    processPath,
    '--pid-file',
    pidPath,
    ...(hasTools ? ['--preserve-fds', '1'] : []),
    ...(consolePath === undefined ? [] : ['--console-socket', consolePath]),
    target.id,
  ]
}
