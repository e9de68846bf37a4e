/** Restart policies: pure decisions. https://docs.docker.com/engine/containers/start-containers-automatically/ */

/** A restart policy in Docker's wire form. `MaximumRetryCount` counts for `on-failure` only; 0 means no limit. */
export interface RestartPolicy {
  readonly Name?: string
  readonly MaximumRetryCount?: number
}

/** How a run ended. */
export interface EndOfRun {
  readonly exitCode: number
  /** A user stopped or killed the container. */
  readonly stoppedByUser: boolean
  /** How often the policy restarted the container since a user last started it. */
  readonly restartCount: number
}

/** True if the policy restarts a container whose run just ended. */
export function shouldRestart(policy: RestartPolicy, end: EndOfRun): boolean {
  if (end.stoppedByUser) return false
  switch (policy.Name) {
    case 'always':
    case 'unless-stopped':
      return true
    case 'on-failure': {
      const limit = policy.MaximumRetryCount ?? 0
      return end.exitCode !== 0 && (limit === 0 || end.restartCount < limit)
    }
    default:
      return false
  }
}

/** True if the policy starts a container at boot that did not run: with `always` even after a stop by the user, with
 *  `unless-stopped` only without one. */
export function shouldStartAtBoot(policy: RestartPolicy, stoppedByUser: boolean, wasStarted: boolean): boolean {
  if (!wasStarted) return false
  if (policy.Name === 'always') return true
  return policy.Name === 'unless-stopped' && !stoppedByUser
}

/** Milliseconds to wait before the next restart: 100, then doubled up to one minute. After a run of 10 s or longer it
 *  is 100 again. */
export function nextDelayMs(previousMs: number, ranForMs: number): number {
  if (ranForMs >= 10_000 || previousMs === 0) return 100
  return Math.min(previousMs * 2, 60_000)
}
