/** Restart policies: pure decisions. https://docs.docker.com/engine/containers/start-containers-automatically/ */

export interface RestartPolicy {
  readonly Name?: string
  readonly MaximumRetryCount?: number
}

export interface EndOfRun {
  readonly exitCode: number
  /** The user stopped or killed it. */
  readonly stoppedByUser: boolean
  /** Restarts of this series so far. */
  readonly restartCount: number
}

/** Whether a container that just ended shall be started again. */
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

/** Whether a container that was not running shall be started when the daemon starts:
 *  `always` also after a manual stop, `unless-stopped` not. */
export function shouldStartAtBoot(policy: RestartPolicy, stoppedByUser: boolean, wasStarted: boolean): boolean {
  if (!wasStarted) return false
  if (policy.Name === 'always') return true
  return policy.Name === 'unless-stopped' && !stoppedByUser
}

/** Milliseconds to wait before the next restart: 100, doubling up to a minute; a run of 10 s starts anew. */
export function nextDelayMs(previousMs: number, ranForMs: number): number {
  if (ranForMs >= 10_000 || previousMs === 0) return 100
  return Math.min(previousMs * 2, 60_000)
}
