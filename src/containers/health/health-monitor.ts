/** Runs the health checks of a running container: one timer, one check at a time, and each result is saved in the
 *  record. */
import { type ContainerRecord, withChanges } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { type HealthProbe, healthProbe, nextCheckMs, nextHealth, startingHealth } from '../record/health.ts'
import { checkHealth } from './health-check.ts'

/** Begins the checks of a container that has just been started; its state is `starting`. */
export function beginHealthChecks(context: ContainerContext, record: ContainerRecord): void {
  const probe = healthProbe(record.config)
  if (probe === undefined) return
  const health = startingHealth(record.health)
  const current = context.containers.find(record.id) ?? record
  context.containers.save(withChanges(current, { health }))
  monitor(context, record.id, probe, nextCheckMs(health, probe, 0))
}

/** Continues the checks of a running container after a pause or a restart of the daemon. With `spread` the first checks
 *  of different containers are distributed over the interval. */
export function resumeHealthChecks(context: ContainerContext, record: ContainerRecord, spread: boolean): void {
  const probe = healthProbe(record.config)
  if (probe === undefined) return
  if (record.health === undefined) {
    beginHealthChecks(context, record)
    return
  }
  const delayMs = nextCheckMs(record.health, probe, ranForMs(context, record))
  monitor(context, record.id, probe, spread ? delayMs * fractionOf(record.id) : delayMs)
}

/** Ends the checks, including one that is under way. The record keeps its last state. Idempotent. */
export function endHealthChecks(context: Uses<'live'>, id: string): void {
  context.live.of(id).endHealthChecks()
}

function monitor(context: ContainerContext, id: string, probe: HealthProbe, firstMs: number): void {
  const live = context.live.of(id)
  live.endHealthChecks()
  const abort = new AbortController()
  let cancel = (): void => {}
  const plan = (ms: number): void => {
    cancel = context.clock.after(Math.min(ms, 2 ** 31 - 1), () => context.background.run('health check', check))
  }
  const check = async (): Promise<void> => {
    const record = context.containers.find(id)
    if (record === undefined || abort.signal.aborted) return
    const result = await checkHealth(context, record, probe, abort.signal)
    const current = context.containers.find(id)
    if (abort.signal.aborted || current === undefined) return
    const before = current.health ?? startingHealth(undefined)
    const health = nextHealth(before, result, probe, current.state.startedAt)
    const checked = withChanges(current, { health })
    context.containers.save(checked)
    if (health.Status !== before.Status) publishContainer(context.events, checked, `health_status: ${health.Status}`)
    plan(nextCheckMs(health, probe, ranForMs(context, checked)))
  }
  live.endHealthChecks = () => {
    cancel()
    abort.abort()
  }
  plan(firstMs)
}

function ranForMs({ clock }: Uses<'clock'>, { state }: ContainerRecord): number {
  return Number(clock.nowNs() / 1_000_000n) - Date.parse(state.startedAt)
}

/** A number from 0 to below 1 that is always the same for a container. */
function fractionOf(id: string): number {
  return Number.parseInt(id.slice(0, 8), 16) / 2 ** 32
}
