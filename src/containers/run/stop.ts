/** stop, kill and restart. None holds the container's lock while it waits for the process to end. */

import { internal, isKind, settleAll, settlesWithin } from '../../base/index.ts'
import type { StopOptions } from '../../contract/index.ts'
import { parseSignal } from '../../sys/index.ts'
import { type ContainerRecord, withState } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { checkVerb, isActive, isUp } from '../record/state.ts'
import { letDie, resumePaused } from './pause.ts'
import { startContainer } from './start.ts'
import { stayDown } from './stay-down.ts'

const defaultTimeoutSeconds = 10
const sigkill = 9
const sigterm = 15
/** How long a killed process may take to go before the caller is told. */
const killPatienceMs = 10_000

/** Asks the process to end, kills it when the time is over, and resolves when it has ended. */
export async function stopContainer(context: ContainerContext, idOrName: string, options: StopOptions): Promise<void> {
  const record = context.containers.get(idOrName)
  checkVerb('stop', record.state.status, record.id, record.name)
  await endByUser(context, record, options)
  publishStop(context, record.id)
}

/** Tells of a stop, unless the container was removed meanwhile: nothing follows `destroy`. */
function publishStop({ containers, events }: Uses<'containers' | 'events'>, id: string): void {
  const record = containers.find(id)
  if (record !== undefined) publishContainer(events, record, 'stop')
}

async function endByUser(
  context: ContainerContext,
  { id, config, state }: ContainerRecord,
  options: StopOptions,
): Promise<void> {
  const live = context.live.of(id)
  const signal = signalNumber(options.signal || config.StopSignal || 'SIGTERM', sigterm)
  // A restart that had begun is waited for, then ended like any run.
  if (state.status === 'restarting' && (await stayDown(context, id))) return
  const record = context.containers.find(id)
  if (record === undefined || !isUp(record.state.status)) return
  context.containers.save(withState(record, {}, { stoppedByUser: true }))
  const stopped = live.nextStop()
  if (!send(context, record, signal)) return void (await stopped)
  const seconds = options.timeoutSeconds ?? config.StopTimeout ?? defaultTimeoutSeconds
  if (seconds < 0) return void (await stopped)
  if (await settlesWithin(stopped, seconds * 1000, context.clock)) return
  send(context, record, sigkill)
  if (!(await settlesWithin(stopped, killPatienceMs, context.clock))) {
    throw internal(`cannot stop container: ${id}: tried to kill container, but did not receive an exit event`)
  }
}

/** Stops all running containers because the engine is being closed: for restart policies, no user has stopped them.
 *  Each is asked to end, and killed after `timeoutSeconds`; negative: it is given any time. Every container is tried, and
 *  one that can't be stopped is waited for only so long; then rejects with an AggregateError of the failures. */
export async function stopForShutdown(context: ContainerContext, timeoutSeconds: number): Promise<void> {
  const running = context.containers.all().filter(({ state }) => isUp(state.status))
  await settleAll(
    'containers were not stopped',
    running.map((record) => stopOneForShutdown(context, record, timeoutSeconds)),
  )
}

async function stopOneForShutdown(
  context: ContainerContext,
  { id, stoppedByUser }: ContainerRecord,
  timeoutSeconds: number,
): Promise<void> {
  const stopped = stopContainer(context, id, { timeoutSeconds })
  try {
    // Beside the process that does not die: a lock that is never given back, an end that is never told.
    const limitMs = timeoutSeconds * 1000 + killPatienceMs * 2
    if (timeoutSeconds < 0) await stopped
    else if (!(await settlesWithin(stopped, limitMs, context.clock)))
      throw internal(`cannot stop container: ${id}: not stopped in time`)
  } catch (error) {
    context.logger.error('container was not stopped', { container: id, error })
    throw error
  } finally {
    const record = context.containers.find(id)
    if (record !== undefined) context.containers.save(withState(record, {}, { stoppedByUser }))
  }
}

/** Sends a signal and tells of it; false when the process has ended meanwhile. */
function send(context: ContainerContext, record: ContainerRecord, signal: number): boolean {
  try {
    context.runtime.get(record.id).kill(signal)
  } catch (error) {
    if (isKind(error, 'conflict')) return false
    throw error
  }
  publishContainer(context.events, record, 'kill', { signal: String(signal) })
  if (signal === sigkill) letDie(context, record.id)
  // As Docker does: what is asked to end may not stand still.
  else if (!record.config.StopSignal || signal === stopSignalOf(record)) resumePaused(context, record.id)
  return true
}

/** Sends a signal (name or number; '' is KILL). With KILL and the stop signal no restart policy acts. */
export async function killContainer(context: ContainerContext, idOrName: string, signalText: string): Promise<void> {
  const signal = signalNumber(signalText, sigkill)
  const record = context.containers.get(idOrName)
  checkVerb('kill', record.state.status, record.id, record.name)
  if (record.state.status === 'restarting') {
    await endByUser(context, record, {})
    return
  }
  const isEnd = signal === sigkill || signal === stopSignalOf(record)
  if (isEnd) context.containers.save(withState(record, {}, { stoppedByUser: true }))
  const stopped = context.live.of(record.id).nextStop()
  if (!send(context, record, signal)) checkVerb('kill', 'exited', record.id, record.name)
  // Docker's clients expect a killed container to be down when the call returns.
  if (signal === sigkill) await settlesWithin(stopped, killPatienceMs, context.clock)
}

/** Stops what runs and starts it again. */
export async function restartContainer(
  context: ContainerContext,
  idOrName: string,
  options: StopOptions,
): Promise<void> {
  const record = context.containers.get(idOrName)
  checkVerb('restart', record.state.status, record.id, record.name)
  if (isActive(record.state.status)) {
    const live = context.live.of(record.id)
    live.restarts += 1
    try {
      await endByUser(context, record, options)
    } finally {
      live.restarts -= 1
    }
    publishStop(context, record.id)
  }
  try {
    await startContainer(context, record.id)
  } catch (error) {
    // Somebody else started it.
    if (!isKind(error, 'notModified')) throw error
  }
  publishContainer(context.events, context.containers.get(record.id), 'restart')
}

function stopSignalOf({ config }: ContainerRecord): number {
  return signalNumber(config.StopSignal ?? '', sigterm)
}

function signalNumber(text: string, fallback: number): number {
  return text === '' ? fallback : parseSignal(text)
}
