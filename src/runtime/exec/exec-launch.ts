/** The runtime program of one exec (`crun exec`), our child for as long as the process lives, with our pipes or a pty
 *  as its stdio. crun is started without a word of what it will run: it loads its libraries (half of an exec's time) and
 *  reads the container's state meanwhile, and waits for the process at the end of a pipe. If the pipe ends empty,
 *  because nobody starts the exec or the daemon is killed, crun ends and has done nothing. */
import { rmSync, writeFileSync } from 'node:fs'
import type { OutputSink, TerminalSize } from '../../base/index.ts'
import type { OciProcess } from '../../oci/index.ts'
import { closeFd, FdWriter, makePipe, type SpawnedProcess, spawnProcess } from '../../sys/index.ts'
import type { ExitInfo } from '../conmon/exit-info.ts'
import { runtimeError } from '../programs/runtime-errors.ts'
import { ExecConsole } from './exec-console.ts'
import { PidFile } from './exec-pid-file.ts'
import { ExecPipes } from './exec-pipes.ts'
import { RuntimeReply } from './exec-reply.ts'
import type { ExecStdio, ExecStdioOptions } from './exec-stdio.ts'
import { openTools } from './exec-tools.ts'

/** What is settled when the runtime is started. */
export interface ExecPlan extends ExecStdioOptions {
  readonly terminal: boolean
  /** The process also gets busybox, as `toolsProgram`. */
  readonly tools: boolean
}

/** Which program joins which container. */
export interface ExecTarget {
  readonly id: string
  readonly runtimePath: string
  readonly runtimeArgs: readonly string[]
  /** Where files of this exec may lie: a name that is nobody else's. */
  readonly path: string
  /** Reads the process from a pipe, sends the terminal through a socket, and writes the pid to a descriptor (crun);
   *  else none of it (runc). */
  readonly isCrun: boolean
  /** The daemon's directory for what lasts until a reboot. */
  readonly toolsHome: string
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

export type ExecTrace = (step: string, ms: number) => void

/** Handed on to the process, so it must be the first one. */
const toolsFd = 3
const pidFd = 4
const logFd = 5
const processFd = 6
const sigkill = 9

/** A started runtime. Ends by `run` or `discard`. */
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

  /** Starts the runtime. One that is not crun must be told the process now. Throws when the program can't be executed
   *  or descriptors run out; nothing is left then. */
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

  /** False once it was used, or the runtime has ended. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  /** Has the process run. Rejects with a typed error (details.exitCode 126, 127, 125) when it can't be. */
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

  /** Ends a runtime that waits. Idempotent; nothing happens after `run`. */
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

/** How the runtime is told what to run, and where it puts the pid. */
interface ProcessFiles {
  readonly processPath: string
  readonly pidPath: string
  readonly childEnds: ReadonlyMap<number, number>
  closeChildEnds(): void
  send(process: OciProcess): void
  /** Absent: the pid comes through the descriptor. */
  pid?(ended: Promise<unknown>): Promise<number | undefined>
  /** Idempotent. */
  close(): void
}

/** For crun. */
class ProcessPipe implements ProcessFiles {
  readonly processPath = `/dev/fd/${processFd}`
  readonly pidPath = `/dev/fd/${pidFd}`
  readonly childEnds: ReadonlyMap<number, number>
  readonly #read: number
  readonly #writer: FdWriter

  constructor() {
    const [read, write] = makePipe()
    this.#read = read
    this.childEnds = new Map([[processFd, read]])
    this.#writer = FdWriter.open(write, {}, { unref: true })
  }

  closeChildEnds(): void {
    closeFd(this.#read)
  }

  send(process: OciProcess): void {
    this.#writer.write(Buffer.from(JSON.stringify(process)))
    this.#writer.end()
  }

  close(): void {
    this.#writer.close()
  }
}

/** For runc, which reads the file at once. */
class ProcessFile implements ProcessFiles {
  readonly processPath: string
  readonly pidPath: string
  readonly childEnds = new Map<number, number>()
  readonly #pid: PidFile

  constructor(path: string, process: OciProcess | undefined) {
    this.processPath = path
    this.pidPath = `${path}.pid`
    this.#pid = new PidFile(this.pidPath)
    // It has the environment, passwords included.
    writeFileSync(path, JSON.stringify(process), { mode: 0o600 })
  }

  closeChildEnds(): void {
    // It has only paths.
  }

  send(): void {
    // It was there from the beginning.
  }

  pid(ended: Promise<unknown>): Promise<number | undefined> {
    return this.#pid.pid(ended)
  }

  close(): void {
    rmSync(this.processPath, { force: true })
    this.#pid.close()
  }
}
