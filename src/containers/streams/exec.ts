/** exec: extra processes in running containers. */

import type { ExecConfig, ExecInspect } from '../../api/index.ts'
import {
  BerthError,
  conflict,
  internal,
  invalidArgument,
  newId,
  notFound,
  type OutputSink,
  settlesWithin,
  type TerminalSize,
} from '../../base/index.ts'
import type { AttachIo, ExecBackend, OutputSource, StartExecOptions } from '../../contract/index.ts'
import { type ExecHandle, exitCodeOf } from '../../runtime/index.ts'
import { requireAppArmor } from '../isolation/app-armor.ts'
import { cgroupPathOf } from '../isolation/cgroup-path.ts'
import { DetachDetector, parseDetachKeys } from '../live/detach-keys.ts'
import { ExecProcess } from '../live/exec-process.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { ContainerContext } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { checkVerb } from '../record/state.ts'
import { commandText, execProcess } from '../spec/exec-spec.ts'
import { pumpInput } from './attach.ts'
import { enterContainer } from './enter.ts'
import { PreparedExecs } from './prepared-execs.ts'

/** The client's sink without the streams that the exec did not ask for, which are read and dropped. As with Docker, a
 *  client that starts the exec with a terminal gets a single stream. */
function wantedOutput(sink: OutputSink, config: ExecConfig, { tty }: StartExecOptions): OutputSink {
  const stdout = config.AttachStdout === true
  const stderr = config.AttachStderr === true && !tty
  if (stdout && (stderr || config.Tty === true)) return sink
  return {
    write: (stream, chunk) => (stream === 'stdout' ? stdout : stderr) === false || sink.write(stream, chunk),
    onDrain: (callback) => sink.onDrain(callback),
    onClose: (callback) => sink.onClose(callback),
    end: () => sink.end(),
  }
}

/** How long an ended exec can still be inspected. */
const keepEndedMs = 5 * 60_000
const readyPatienceMs = 10_000

/** The execs of all containers, as the API server and embedders call them. Execs are kept in memory: they are forgotten
 *  when the daemon ends. Every method throws `notFound` for an unknown id. */
export class Execs implements ExecBackend {
  readonly #context: ContainerContext
  readonly #byId = new Map<string, ExecProcess>()
  readonly #prepared: PreparedExecs

  constructor(context: ContainerContext) {
    this.#context = context
    this.#prepared = new PreparedExecs(context)
    context.events.subscribe(({ Type, Action, Actor }) => {
      if (Type === 'container' && (Action === 'die' || Action === 'destroy')) this.#forgetUnstarted(Actor.ID)
    })
  }

  /** Stores what to run, and gives the new exec's id. Throws `notFound`, `conflict` if the container does not run, and
   *  `invalidArgument` if there is no command or a detach key is unknown. */
  async create(idOrName: string, config: ExecConfig): Promise<{ readonly Id: string }> {
    const record = this.#context.containers.get(idOrName)
    this.#requireRun(record)
    this.#context.cgroups.expectMove()
    if ((config.Cmd?.length ?? 0) === 0) throw invalidArgument('No exec command specified')
    parseDetachKeys(config.DetachKeys ?? undefined)
    const exec = new ExecProcess(newId(), record.id, config)
    this.#byId.set(exec.id, exec)
    this.#context.live.of(record.id).execs.set(exec.id, exec)
    publishContainer(this.#context.events, record, `exec_create: ${commandText(config)}`, { execID: exec.id })
    this.#prepared.prepare(exec)
    return { Id: exec.id }
  }

  /** Starts the exec. With `detach`, resolves when the process runs; otherwise `run` of the result starts the process
   *  and carries its streams. Throws `conflict` if the container does not run, or if the exec was already started. */
  async start(execId: string, options: StartExecOptions): Promise<OutputSource<AttachIo>> {
    const exec = this.#get(execId)
    const record = this.#context.containers.find(exec.containerId)
    if (record === undefined) throw notFound(`No such container: ${exec.containerId}`)
    this.#requireRun(record)
    const { tty } = options
    if (exec.started) {
      const state = exec.exitCode === undefined ? 'is already running' : 'has already run'
      const refusal = conflict(`Error: Exec command ${exec.id} ${state}`)
      if (options.detach) throw refusal
      // Like Docker, answer 200 first and send this error over the connection. `compose watch` attaches and then starts
      // the same exec again, and gives up at any other status.
      return {
        tty,
        async run() {
          throw refusal
        },
      }
    }
    exec.started = true
    if (options.detach) {
      await this.#run(record, exec, options, undefined)
      return { tty, async run() {} }
    }
    return { tty, run: (io) => this.#attached(record, exec, options, io) }
  }

  /** The answer to `GET /exec/{id}/json`. An ended exec can be inspected for five minutes. */
  async inspect(execId: string): Promise<ExecInspect> {
    return this.#get(execId).inspect()
  }

  /** Sets the window size of the exec's terminal, in characters. A client may ask before the process runs, so this
   *  waits for the start. Throws `internal` if the start takes too long, and `conflict` if the process does not run. */
  async resize(execId: string, size: TerminalSize): Promise<void> {
    const exec = this.#get(execId)
    if (!(await settlesWithin(exec.ready, readyPatienceMs, this.#context.clock))) {
      throw internal('timeout waiting for exec session ready')
    }
    if (exec.handle === undefined) throw conflict(`exec ${execId} is not running`)
    exec.handle.resize(size)
  }

  async #attached(record: ContainerRecord, exec: ExecProcess, options: StartExecOptions, io: AttachIo): Promise<void> {
    const { AttachStdin, AttachStdout, AttachStderr } = exec.config
    if (!AttachStdin && !AttachStdout && !AttachStderr) {
      // No stream was asked for: like Docker's, the answer ends when the process runs.
      await this.#run(record, exec, options, undefined)
      return
    }
    const sink = wantedOutput(io.sink, exec.config, options)
    const handle = await this.#run(record, exec, options, { ...io, sink })
    const { promise: left, resolve: leave } = Promise.withResolvers<void>()
    if (io.input !== undefined && exec.config.AttachStdin === true) {
      const keys = parseDetachKeys(exec.config.DetachKeys ?? undefined)
      const detector = exec.config.Tty === true ? new DetachDetector(keys) : undefined
      pumpInput(io.input, handle, detector, () => {
        publishContainer(this.#context.events, record, 'exec_detach', { execID: exec.id })
        leave()
      })
    }
    io.sink.onClose(leave)
    await Promise.race([handle.exited, left])
  }

  async #run(
    record: ContainerRecord,
    exec: ExecProcess,
    options: StartExecOptions,
    io: AttachIo | undefined,
  ): Promise<ExecHandle> {
    const { context, config } = { context: this.#context, config: exec.config }
    context.cgroups.expectMove()
    const prepared = this.#prepared.take(exec.id)
    const trace = context.trace
    publishContainer(context.events, record, `exec_start: ${commandText(config)}`, { execID: exec.id })
    try {
      await requireAppArmor(context, record.hostConfig)
      const handle = await enterContainer(context, record, {
        process: execProcess(context, record, config, options.consoleSize),
        stdin: config.AttachStdin === true && io !== undefined,
        tools: config.BerthTools === true,
        prepared,
        ...(trace === undefined ? {} : { trace: (step, ms) => trace(record.id, step, ms) }),
        ...(io === undefined ? {} : { sink: io.sink }),
      })
      exec.begin(handle)
      exec.setReady()
      void handle.exited.then(({ exitCode }) => this.#ended(record, exec, exitCode))
      return handle
    } catch (error) {
      prepared?.discard()
      const code = exitCodeOf(error) ?? 126
      this.#forget(exec, code)
      this.#requireSameRun(record)
      throw error
    }
  }

  /** Throws `conflict` if the container does not run, or was killed and is about to end. */
  #requireRun({ id, name, state }: ContainerRecord): void {
    const isDying = state.status === 'running' && this.#context.live.find(id)?.killed === true
    checkVerb('exec', isDying ? 'exited' : state.status, id, name)
  }

  /** Throws Docker's error if the container ended or was paused while the process was being started. The runtime then
   *  fails at some point with a message that explains nothing. */
  #requireSameRun({ id, name, state }: ContainerRecord): void {
    const { containers, live, processes, cgroups } = this.#context
    const now = containers.find(id)
    const isOver = now === undefined || live.find(id)?.killed === true || !processes.isAlive(state.pid)
    const isHeld = !isOver && cgroups.isFrozen(cgroupPathOf(this.#context, id))
    checkVerb('exec', isOver ? 'exited' : isHeld ? 'paused' : now.state.status, id, name)
  }

  #ended(record: ContainerRecord, exec: ExecProcess, exitCode: number): void {
    publishContainer(this.#context.events, record, 'exec_die', { execID: exec.id, exitCode: String(exitCode) })
    this.#forget(exec, exitCode)
  }

  #forget(exec: ExecProcess, exitCode: number): void {
    exec.end(exitCode)
    // The container may have ended first, and been removed since.
    this.#context.live.find(exec.containerId)?.execs.delete(exec.id)
    this.#context.clock.after(keepEndedMs, () => this.#byId.delete(exec.id), { background: true })
  }

  /** Forgets the execs of an ended run that were never started, because they can no longer be. */
  #forgetUnstarted(containerId: string): void {
    for (const exec of this.#byId.values()) {
      if (exec.containerId !== containerId || exec.started) continue
      this.#prepared.take(exec.id)?.discard()
      this.#byId.delete(exec.id)
    }
  }

  #get(execId: string): ExecProcess {
    const exec = this.#byId.get(execId)
    if (exec === undefined) throw new BerthError('notFound', `No such exec instance: ${execId}`)
    return exec
  }
}
