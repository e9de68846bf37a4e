/** One health check: a process in the container. When its time is over, it is killed with every process that it
 *  started. */
import type { HealthcheckResult } from '../../api/index.ts'
import { formatNs, messageOf, newId, nowNs, type OutputSink, settlesWithin } from '../../base/index.ts'
import type { ExecHandle } from '../../runtime/index.ts'
import { killDescendants } from '../../sys/index.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { ContainerContext } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import type { HealthProbe } from '../record/health.ts'
import { commandText, execProcess } from '../spec/exec-spec.ts'
import { enterContainer } from '../streams/enter.ts'

const outputLimit = 4096

/** Runs one check to its end. Every failure becomes a result. `signal` ends the check early. */
export async function checkHealth(
  context: ContainerContext,
  record: ContainerRecord,
  probe: HealthProbe,
  signal: AbortSignal,
): Promise<HealthcheckResult> {
  const Start = formatNs(nowNs())
  const output = new OutputHead()
  const end = (ExitCode: number, Output: string): HealthcheckResult => ({
    Start,
    End: formatNs(nowNs()),
    ExitCode,
    Output,
  })
  try {
    const handle = await startCheck(context, record, probe, output)
    const kill = () => killDescendants(handle.pid)
    signal.addEventListener('abort', kill, { once: true })
    try {
      if (signal.aborted) kill()
      if (await settlesWithin(handle.exited, Math.min(probe.timeoutMs, 2 ** 31 - 1), context.clock)) {
        return end((await handle.exited).exitCode, output.text)
      }
      kill()
      await handle.exited
      const text = output.text
      const what = `Health check exceeded timeout (${goDuration(probe.timeoutMs)})`
      return end(-1, text === '' ? what : `${what}: ${text}`)
    } finally {
      signal.removeEventListener('abort', kill)
    }
  } catch (error) {
    return end(-1, messageOf(error))
  }
}

/** Starts the check's process, and publishes the events of an exec. */
async function startCheck(
  context: ContainerContext,
  record: ContainerRecord,
  probe: HealthProbe,
  sink: OutputSink,
): Promise<ExecHandle> {
  const config = { Cmd: probe.command }
  const execID = newId()
  publishContainer(context.events, record, `exec_create: ${commandText(config)}`, { execID })
  publishContainer(context.events, record, `exec_start: ${commandText(config)}`, { execID })
  const handle = await enterContainer(context, record, {
    process: execProcess(context, record, config),
    stdin: false,
    sink,
  })
  void handle.exited.then(({ exitCode }) => {
    publishContainer(context.events, record, 'exec_die', { execID, exitCode: String(exitCode) })
  })
  return handle
}

/** Keeps the first `outputLimit` bytes of the output. */
class OutputHead implements OutputSink {
  readonly #chunks: Buffer[] = []
  #sizeBytes = 0
  #isCut = false

  write(_stream: unknown, chunk: Buffer): boolean {
    const rest = outputLimit - this.#sizeBytes
    if (chunk.length > rest) this.#isCut = true
    if (rest > 0) this.#chunks.push(Buffer.from(chunk.subarray(0, rest)))
    this.#sizeBytes += Math.min(rest, chunk.length)
    return true
  }

  onDrain(): void {
    // Nothing to do: `write` never asks the caller to wait.
  }

  onClose(): void {
    // Nothing to do: this sink is open until the end.
  }

  end(): void {
    // Nothing to do: `text` gives the result.
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('utf8') + (this.#isCut ? '...' : '')
  }
}

/** Formats a duration as Go does: `1m30s`, `500ms`. */
function goDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`
  const seconds = ms / 1000
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const rest = `${Number((seconds % 60).toFixed(9))}s`
  if (hours > 0) return `${hours}h${minutes}m${rest}`
  return minutes > 0 ? `${minutes}m${rest}` : rest
}
