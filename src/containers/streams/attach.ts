/** attach: connects a client to a container's standard streams, now or when the container is started. */

import type { Readable } from 'node:stream'
import type { AbortOptions, OutputSink } from '../../base/index.ts'
import type { AttachIo, AttachOptions, OutputSource } from '../../contract/index.ts'
import { readLogs } from '../../logs/index.ts'
import type { AttachHandle } from '../../runtime/index.ts'
import { DetachDetector, parseDetachKeys } from '../live/detach-keys.ts'
import type { PendingAttach } from '../live/live.ts'
import type { Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { checkVerb, isUp } from '../record/state.ts'

const stallLimitMs = 10_000
const stallCheckMs = 1000

/** Finds the container and checks the request; `run` of the result carries the bytes. If the container does not run,
 *  live streams begin with its next start. `signal` ends the attachment as a disconnect of the client does. Rejects
 *  with `notFound`, with `conflict` for a container that is paused or restarting, and with `invalidArgument` for
 *  unknown detach keys. */
export async function attachContainer(
  context: Uses<'containers' | 'live' | 'runtime' | 'events' | 'logger' | 'paths'>,
  idOrName: string,
  options: AttachOptions,
  { signal }: AbortOptions = {},
): Promise<OutputSource<AttachIo>> {
  const detachKeys = parseDetachKeys(options.detachKeys)
  const { id, name, config, state } = context.containers.get(idOrName)
  // Docker's message repeats the name or id that the client sent.
  checkVerb('attach', state.status, idOrName, name)
  return {
    tty: config.Tty === true,
    async run(given) {
      const io = signal === undefined ? given : { ...given, sink: closedBy(signal, given.sink) }
      const streams = {
        stdin: options.stdin && config.OpenStdin === true,
        stdout: options.stdout,
        stderr: options.stderr,
      }
      const request = { streams, io, detachKeys }
      const isLive = options.stream && (streams.stdin || streams.stdout || streams.stderr)
      const isReplayed = options.logs && !(isLive && hasLogOfRun(context, id))
      if (isReplayed) await replayLogs(context, id, options, io.sink)
      publishContainer(context.events, context.containers.get(id), 'attach')
      // Neither logs nor streams were asked for: like Docker's, the answer ends at once.
      if (!isLive) return
      if (options.logs && !isReplayed) await attachWithLogs(context, id, request)
      else await attachLive(context, id, request)
    },
  }
}

/** A sink that reports its client as gone once the signal is aborted. */
function closedBy(signal: AbortSignal, sink: OutputSink): OutputSink {
  return {
    write: (stream, chunk) => signal.aborted || sink.write(stream, chunk),
    onDrain: (callback) => sink.onDrain(callback),
    onClose(callback) {
      let isClosed = false
      const close = () => {
        if (!isClosed) callback()
        isClosed = true
      }
      sink.onClose(close)
      if (signal.aborted) close()
      else signal.addEventListener('abort', close, { once: true })
    },
    end: () => sink.end(),
  }
}

/** True if the output of the current run can be read from a log. */
function hasLogOfRun(context: Uses<'containers'>, id: string): boolean {
  const { state, hostConfig } = context.containers.get(id)
  return isUp(state.status) && hostConfig.LogConfig?.Type !== 'none'
}

/** Sends past and future output, without a gap and without repetition: all output is read from the log, and only the
 *  input is connected to the process. */
async function attachWithLogs(
  context: Uses<'containers' | 'live' | 'runtime' | 'events' | 'logger' | 'paths'>,
  id: string,
  request: Omit<PendingAttach, 'begin'>,
): Promise<void> {
  const { stdin, stdout, stderr } = request.streams
  const inputOnly = { ...request, streams: { stdin, stdout: false, stderr: false } }
  const { closed } = await join(context, id, inputOnly)
  await readLogs(context.paths.log(id), { stdout, stderr, follow: true }, request.io.sink, { ended: closed })
}

async function attachLive(
  context: Uses<'containers' | 'live' | 'runtime' | 'events' | 'logger'>,
  id: string,
  request: Omit<PendingAttach, 'begin'>,
): Promise<void> {
  if (isUp(context.containers.get(id).state.status)) {
    const { closed } = await join(context, id, request)
    await closed
    return
  }
  const { pendingAttaches } = context.live.of(id)
  await new Promise<void>((resolve, reject) => {
    const pending: PendingAttach = {
      ...request,
      begin: (ended) => {
        ended.then(resolve, reject)
      },
    }
    pendingAttaches.add(pending)
    // Starts to read: otherwise a disconnect of the client would go unnoticed.
    request.io.input?.read(0)
    request.io.sink.onClose(() => {
      if (pendingAttaches.delete(pending)) resolve()
    })
  })
}

/** Connects all clients that attached before the start. The container is created but not started, so no output is
 *  missed. */
export async function connectPending(
  context: Uses<'containers' | 'live' | 'runtime' | 'events' | 'logger'>,
  id: string,
): Promise<void> {
  const { pendingAttaches } = context.live.of(id)
  await Promise.all(
    [...pendingAttaches].map(async (pending) => {
      pendingAttaches.delete(pending)
      const joined = join(context, id, pending)
      pending.begin(joined.then(({ closed }) => closed))
      await joined
    }),
  )
}

async function join(
  context: Uses<'containers' | 'live' | 'runtime' | 'events' | 'logger'>,
  id: string,
  { streams, io, detachKeys }: Omit<PendingAttach, 'begin'>,
): Promise<{ readonly closed: Promise<void> }> {
  const { config } = context.containers.get(id)
  const handle = await context.runtime.get(id).attach({
    ...streams,
    sink: io.sink,
    keepOpen: !streams.stdin && config.OpenStdin === true && config.StdinOnce === true,
  })
  if (streams.stdin && io.input !== undefined) {
    const detector = config.Tty === true ? new DetachDetector(detachKeys) : undefined
    pumpInput(io.input, handle, detector, () => {
      const record = context.containers.find(id)
      if (record !== undefined) publishContainer(context.events, record, 'detach')
    })
  }
  const { attachments } = context.live.of(id)
  attachments.add(handle.closed)
  const watch = setInterval(() => letGoIfStuck(context, id, handle), stallCheckMs).unref()
  void handle.closed.then(() => {
    clearInterval(watch)
    attachments.delete(handle.closed)
  })
  return { closed: handle.closed }
}

/** Disconnects a client that has not read for too long and slows down other clients of the same container. It gets what
 *  was sent until then. A single client that does not read blocks its container instead, like a full pipe. */
function letGoIfStuck(context: Uses<'live' | 'logger'>, id: string, handle: AttachHandle): void {
  if (handle.stalledMs < stallLimitMs) return
  const { attachments, followers } = context.live.of(id)
  if (attachments.size + followers < 2) return
  context.logger.warn('attached client does not read and was let go', { container: id })
  handle.close()
}

/** The stdin of a process, which may be a container's or an exec's. */
type InputTarget = Pick<AttachHandle, 'write' | 'onDrain' | 'endStdin' | 'close'>

/** Passes a client's input to a process until the input ends or the detach keys are typed. `onDetach` is called for the
 *  latter. */
export function pumpInput(
  input: Readable,
  target: InputTarget,
  detector: DetachDetector | undefined,
  onDetach: () => void,
): void {
  target.onDrain(() => input.resume())
  input.on('data', (chunk: Buffer) => {
    const { pass, detached } = detector?.push(chunk) ?? { pass: chunk, detached: false }
    if (pass.length > 0 && !target.write(pass)) input.pause()
    if (detached) {
      onDetach()
      target.close()
    }
  })
  input.on('end', () => target.endStdin())
  // The sink handles broken connections; for the input it is just the end.
  input.on('error', () => {})
}

async function replayLogs(context: Uses<'paths'>, id: string, options: AttachOptions, sink: OutputSink): Promise<void> {
  await readLogs(context.paths.log(id), { stdout: options.stdout, stderr: options.stderr, follow: false }, sink, {})
}
