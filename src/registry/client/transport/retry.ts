import { setTimeout as sleep } from 'node:timers/promises'
import { type AbortOptions, BerthError } from '../../../base/index.ts'
import { isRetryable } from './registry-errors.ts'

export interface RetryOptions extends AbortOptions {
  readonly attempts?: number
  readonly firstDelayMs?: number
}

const maxDelayMs = 15_000
const maxAskedMs = 60_000

/** How long to wait before retry number `attempt`, from 1 on. The time grows and has a random part, so that clients
 *  don't retry at the same moment. If the registry asked for a time (`Retry-After`), gives that. */
export function backoffMs(attempt: number, error?: unknown, firstDelayMs = 250): number {
  const asked = askedMs(error)
  if (asked !== undefined) return asked
  return Math.min(firstDelayMs * 2 ** (attempt - 1), maxDelayMs) * (0.75 + Math.random() / 2)
}

/** True if the same request may succeed soon. If the registry asks for more than a minute, a retry is not worth it:
 *  the user should see at once that, for example, the limit for the day is reached. */
export function isWorthRetrying(error: unknown): boolean {
  return isRetryable(error) && (askedMs(error) ?? 0) <= maxAskedMs
}

function askedMs(error: unknown): number | undefined {
  const asked = error instanceof BerthError ? error.details.retryAfterMs : undefined
  return typeof asked === 'number' ? asked : undefined
}

/** Runs `work`, and retries it after failures that may pass. `attempts` counts the first one, too; default 5. */
export async function withRetry<T>(work: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { attempts = 5, firstDelayMs, signal } = options
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt >= attempts || !isWorthRetrying(error)) throw error
      await sleep(backoffMs(attempt, error, firstDelayMs), undefined, signal === undefined ? {} : { signal })
    }
  }
}
