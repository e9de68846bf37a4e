/** The STATUS column of `ps`, in Docker's words. Pure. */
import type { Health } from '../../api/index.ts'
import type { RunState } from '../record/container-record.ts'
import { healthText } from '../record/health.ts'

/** Gives `Up 5 minutes`, `Exited (1) 2 hours ago` and so on, as of `nowMs` (milliseconds since the epoch). */
export function statusText(state: RunState, nowMs: number, health?: Health): string {
  switch (state.status) {
    case 'running': {
      const up = `Up ${humanDuration(nowMs - Date.parse(state.startedAt))}`
      return health === undefined ? up : `${up} (${healthText(health)})`
    }
    case 'paused':
      return `Up ${humanDuration(nowMs - Date.parse(state.startedAt))} (Paused)`
    case 'restarting':
      return `Restarting (${state.exitCode}) ${humanDuration(nowMs - Date.parse(state.finishedAt))} ago`
    case 'exited':
      return `Exited (${state.exitCode}) ${humanDuration(nowMs - Date.parse(state.finishedAt))} ago`
    case 'removing':
      return 'Removal In Progress'
    case 'dead':
      return 'Dead'
    case 'created':
      return 'Created'
    default:
      return state.status satisfies never
  }
}

/** A rounded duration, in Docker's words and steps. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < 60) return `${seconds} seconds`
  const minutes = Math.floor(seconds / 60)
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.round(seconds / 3600)
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`
  return `${Math.floor(hours / 24 / 365)} years`
}
