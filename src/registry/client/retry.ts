import { setTimeout as sleep } from 'node:timers/promises'
import { type AbortOptions, BerthError } from '../../base/index.ts'
import { isRetryable } from './registry-errors.ts'

export interface RetryOptions extends AbortOptions {
  readonly attempts?: number
  readonly firstDelayMs?: number
}

const maxDelayMs = 15_000

/** How long to wait before try `attempt` (1 is the second), longer each time and never in step with others. */
export function backoffMs(attempt: number, error?: unknown, firstDelayMs = 250): number {
  const asked = error instanceof BerthError ? error.details.retryAfterMs : undefined
  if (typeof asked === 'number') return Math.min(asked, maxDelayMs)
  return Math.min(firstDelayMs * 2 ** (attempt - 1), maxDelayMs) * (0.75 + Math.random() / 2)
}

/** Runs `work`, again while it fails in a way that may pass. */
export async function withRetry<T>(work: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { attempts = 5, firstDelayMs, signal } = options
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= attempts || !isRetryable(error)) throw error
      await sleep(backoffMs(attempt, error, firstDelayMs), undefined, signal === undefined ? {} : { signal })
    }
  }
}
