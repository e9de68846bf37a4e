/** Waits for a condition, in place of a fixed sleep. */
import { setTimeout as sleep } from 'node:timers/promises'

/** The factor by which tests wait longer on slow machines. */
export const patience = Number(process.env.BERTH_TEST_PATIENCE ?? 1)

/** The result of `work`; rejects if that takes longer than a minute, with what was awaited and the current state. */
export async function inTime<T>(work: Promise<T>, what: () => string | Promise<string>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const tell = async () => late.reject(new Error(`after ${60 * patience} s still waiting for ${await what()}`))
  const timer = setTimeout(() => void tell().catch(late.reject), 60_000 * patience)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

export interface WaitOptions {
  readonly timeoutMs?: number
  readonly intervalMs?: number
  /** What the test waits for, for the message of a timeout. A function is called at that time. */
  readonly what?: string | (() => string)
}

/** Calls `probe` until it returns a truthy value, and returns that value. */
export async function until<T>(
  probe: () => T | Promise<T>,
  { timeoutMs = 30_000, intervalMs = 20, what = 'a condition' }: WaitOptions = {},
): Promise<Exclude<T, false | 0 | '' | null | undefined>> {
  const limitMs = timeoutMs * patience
  const deadline = Date.now() + limitMs
  for (;;) {
    const value = await probe()
    if (value) return value as Exclude<T, false | 0 | '' | null | undefined>
    if (Date.now() > deadline) {
      throw new Error(`after ${limitMs} ms still waiting for ${typeof what === 'string' ? what : what()}`)
    }
    await sleep(intervalMs)
  }
}
