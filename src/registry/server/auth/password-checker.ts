/** Compares passwords with bcrypt hashes in a worker thread. The thread starts when it is needed and ends after it was
 *  idle for a while. */
import { Worker } from 'node:worker_threads'
import { BerthError, messageOf } from '../../../base/index.ts'
import type { PasswordAnswer, PasswordQuestion } from './password-question.ts'

const idleMs = 30_000
/** Further checks are refused: at a tenth of a second each, their clients would give up before the answer. */
const maxWaiting = 200

export class PasswordChecker implements AsyncDisposable {
  readonly #waiting = new Map<number, PromiseWithResolvers<boolean>>()
  #worker: Worker | undefined
  #idle: NodeJS.Timeout | undefined
  #counter = 0

  /** True if the password has this hash. Rejects with `unavailable` if too many checks are waiting. */
  async matches(password: string, hash: string): Promise<boolean> {
    if (this.#waiting.size >= maxWaiting) throw new BerthError('unavailable', 'too many passwords to check at once')
    clearTimeout(this.#idle)
    const id = ++this.#counter
    const answer = Promise.withResolvers<boolean>()
    this.#waiting.set(id, answer)
    this.#worker ??= this.#start()
    this.#worker.postMessage({ id, password, hash } satisfies PasswordQuestion)
    return answer.promise
  }

  /** Ends the thread after all waiting checks. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#waiting.values()].map(({ promise }) => promise))
    clearTimeout(this.#idle)
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
    this.#fail('the registry ends')
  }

  #start(): Worker {
    const worker = new Worker(new URL('./password-worker.ts', import.meta.url))
    // The thread alone must not keep the process alive.
    worker.unref()
    worker.on('message', ({ id, matches }: PasswordAnswer) => {
      this.#waiting.get(id)?.resolve(matches)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) this.#idle = setTimeout(() => void this.#end(worker), idleMs).unref()
    })
    worker.on('error', (error) => {
      if (this.#worker === worker) this.#worker = undefined
      this.#fail(messageOf(error))
    })
    return worker
  }

  async #end(worker: Worker): Promise<void> {
    if (this.#worker === worker) this.#worker = undefined
    await worker.terminate()
  }

  #fail(reason: string): void {
    for (const { reject } of this.#waiting.values()) reject(new BerthError('unavailable', reason))
    this.#waiting.clear()
  }
}
