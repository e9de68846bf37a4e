/** Health checks: how often to check, and how a result changes the state. Pure.
 *  https://docs.docker.com/reference/dockerfile/#healthcheck */
import type { ContainerConfig, Health, HealthConfig, HealthcheckResult } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'

/** A health check with its defaults filled in. */
export interface HealthProbe {
  readonly command: readonly string[]
  readonly intervalMs: number
  readonly timeoutMs: number
  readonly startPeriodMs: number
  readonly startIntervalMs: number
  readonly retries: number
}

const logLimit = 5
const nsPerMs = 1e6
const minimumNs = 1e6

/** The health check of a container's configuration; undefined if it has none. */
export function healthProbe({ Healthcheck: check, Shell: shell }: ContainerConfig): HealthProbe | undefined {
  const command = commandOf(check?.Test ?? [], shell ?? [])
  if (check === undefined || check === null || command === undefined) return undefined
  return {
    command,
    intervalMs: milliseconds(check.Interval, 30_000),
    timeoutMs: milliseconds(check.Timeout, 30_000),
    startPeriodMs: milliseconds(check.StartPeriod, 0),
    startIntervalMs: milliseconds(check.StartInterval, 5_000),
    retries: check.Retries || 3,
  }
}

/** Fills in the fields that the user's health check lacks from the image's. */
export function mergeHealthcheck(
  user: HealthConfig | null | undefined,
  image: HealthConfig | null | undefined,
): HealthConfig | undefined {
  if (!user || !image) return user ?? image ?? undefined
  const fields = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries'] as const
  const missing = fields.filter((name) => !user[name] && image[name]).map((name) => [name, image[name]])
  const Test = (user.Test?.length ?? 0) === 0 ? image.Test : user.Test
  return { ...user, ...(Object.fromEntries(missing) as HealthConfig), ...(Test ? { Test } : {}) }
}

/** Throws `invalidArgument` for times below one millisecond and for negative counts. */
export function validateHealthcheck(check: HealthConfig | null | undefined): void {
  for (const name of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const) {
    const value = check?.[name] ?? 0
    if (value !== 0 && value < minimumNs) throw invalidArgument(`${name} in Healthcheck cannot be less than 1ms`)
  }
  if ((check?.Retries ?? 0) < 0) throw invalidArgument('Retries in Healthcheck cannot be negative')
}

/** The state at the start of a run. The log of the previous run is kept. */
export function startingHealth(before: Health | undefined): Health {
  return { Status: 'starting', FailingStreak: 0, Log: before?.Log ?? [] }
}

/** The state of a container that is not checked: Docker's clients expect `unhealthy` while a container does not run.
 *  Undefined for a container without health checks. */
export function uncheckedHealth(before: Health | undefined): Health | undefined {
  return before === undefined ? undefined : { ...before, Status: 'unhealthy' }
}

/** The state after one more check, of a run that began at `startedAt` (RFC 3339). */
export function nextHealth(before: Health, result: HealthcheckResult, probe: HealthProbe, startedAt: string): Health {
  const Log = [...(before.Log ?? []), result].slice(-logLimit)
  if (result.ExitCode === 0) return { Status: 'healthy', FailingStreak: 0, Log }
  const isStarting =
    before.Status === 'starting' && Date.parse(result.Start) - Date.parse(startedAt) < probe.startPeriodMs
  if (isStarting) return { ...before, Log }
  const FailingStreak = before.FailingStreak + 1
  return { Status: FailingStreak >= probe.retries ? 'unhealthy' : before.Status, FailingStreak, Log }
}

/** Milliseconds from the end of one check to the start of the next. */
export function nextCheckMs(health: Health, probe: HealthProbe, ranForMs: number): number {
  const isStarting = health.Status === 'starting' && ranForMs < probe.startPeriodMs
  return isStarting ? probe.startIntervalMs : probe.intervalMs
}

/** The text that `ps` shows in parentheses; undefined for a container without a health check. */
export function healthText(health: Health | undefined): string | undefined {
  return health?.Status === 'starting' ? 'health: starting' : health?.Status
}

function commandOf([kind, ...rest]: readonly string[], shell: readonly string[]): readonly string[] | undefined {
  if (kind === 'CMD') return rest
  if (kind === 'CMD-SHELL') return [...(shell.length > 0 ? shell : ['/bin/sh', '-c']), ...rest.slice(0, 1)]
  return undefined
}

function milliseconds(ns: number | null | undefined, fallback: number): number {
  return ns ? ns / nsPerMs : fallback
}
