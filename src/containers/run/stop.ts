/** stop, kill and restart. None of them holds the container's lock while it waits for the process to end. */

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
/** How long a killed process may take to end before the caller gets an error. */
const killPatienceMs = 10_000

/** Sends the stop signal, kills the container after the timeout, and resolves when it has ended. A negative timeout
 *  waits forever. Throws `notFound`, `notModified` if the container does not run, and `internal` if it survives
 *  SIGKILL. */
export async function stopContainer(context: ContainerContext, idOrName: string, options: StopOptions): Promise<void> {
  const record = context.containers.get(idOrName)
  checkVerb('stop', record.state.status, record.id, record.name)
  await endByUser(context, record, options)
  publishStop(context, record.id)
}

/** Publishes `stop`, unless the container was removed in the meantime: no event may follow `destroy`. */
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
  // If a restart is under way, wait for it, then end the container like any running one.
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

/** Stops all running containers because the daemon shuts down. Restart policies do not count this as a stop by the
 *  user. Each container gets the stop signal, and SIGKILL after `timeoutSeconds`; a negative timeout waits forever. All
 *  containers are tried, and the wait for one that can't be stopped is limited. Rejects with an AggregateError of all
 *  failures. */
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
    // The limit covers more than a process that does not die: a lock that is never released, an exit that is never
    // reported.
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

/** Sends a signal and publishes `kill`. Gives false if the process has already ended. */
function send(context: ContainerContext, record: ContainerRecord, signal: number): boolean {
  try {
    context.runtime.get(record.id).kill(signal)
  } catch (error) {
    if (isKind(error, 'conflict')) return false
    throw error
  }
  publishContainer(context.events, record, 'kill', { signal: String(signal) })
  if (signal === sigkill) letDie(context, record.id)
  // Like Docker, a stop signal resumes a paused container, so that it can act on the signal.
  else if (!record.config.StopSignal || signal === stopSignalOf(record)) resumePaused(context, record.id)
  return true
}

/** Sends a signal (name or number; '' means KILL). After KILL or the stop signal, the restart policy does not restart
 *  the container. Throws `notFound`, `invalidArgument` for an unknown signal, and `conflict` if the container does not
 *  run. */
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

/** Stops the container if it runs, and starts it again. Throws `notFound`, and what a stop or a start throws. */
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
    // Another client has already started it.
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
