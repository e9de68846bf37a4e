/** Calls under `/containers` that change whether a container runs, and the wait for its end. */
import type { ContainerWaitResponse, WaitCondition } from '../api/index.ts'
import type { AbortOptions } from '../base/index.ts'
import type { Transport } from './transport/transport.ts'

/** How `stop` and `restart` end the process. */
export interface StopBehaviour extends AbortOptions {
  readonly stopSignal?: string | undefined
  readonly timeoutSeconds?: number | undefined
}

/** A wait that the daemon has armed. */
export interface ArmedWait {
  /** Resolves when the condition holds. */
  readonly result: Promise<ContainerWaitResponse>
}

/** Starts, stops and pauses containers, and waits for their end. */
export class ContainerLifecycleClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Starts a container. Does nothing if it runs already. */
  async start(
    id: string,
    options: AbortOptions & { readonly detachKeys?: string | undefined; readonly checkpoint?: string | undefined } = {},
  ): Promise<void> {
    const { detachKeys, checkpoint, signal } = options
    const query = { detachKeys: detachKeys || undefined, checkpoint: checkpoint || undefined }
    await this.#post(id, 'start', { query, signal })
  }

  /** Asks the process to end, and kills it after the timeout. */
  async stop(id: string, { stopSignal, timeoutSeconds, signal }: StopBehaviour = {}): Promise<void> {
    await this.#post(id, 'stop', { query: { signal: stopSignal || undefined, t: timeoutSeconds }, signal })
  }

  /** Stops and starts a container. */
  async restart(id: string, { stopSignal, timeoutSeconds, signal }: StopBehaviour = {}): Promise<void> {
    await this.#post(id, 'restart', { query: { signal: stopSignal || undefined, t: timeoutSeconds }, signal })
  }

  /** Sends a signal, by name or number. An empty text means SIGKILL. */
  async kill(id: string, killSignal: string): Promise<void> {
    await this.#post(id, 'kill', { query: { signal: killSignal || undefined } })
  }

  /** Freezes all processes of a container. */
  async pause(id: string): Promise<void> {
    await this.#post(id, 'pause', {})
  }

  /** Lets the processes of a paused container continue. */
  async unpause(id: string): Promise<void> {
    await this.#post(id, 'unpause', {})
  }

  /** Resolves when the daemon has begun to wait: no later end of the container is missed. */
  async wait(id: string, condition?: WaitCondition, { signal }: AbortOptions = {}): Promise<ArmedWait> {
    const path = `/containers/${encodeURIComponent(id)}/wait`
    const response = await this.#transport.request('POST', path, { query: { condition }, signal })
    const result = response.json<ContainerWaitResponse>()
    // If the caller drops the wait, its failure must not become an unhandled rejection.
    result.catch(() => undefined)
    return { result }
  }

  async #post(id: string, action: string, options: Parameters<Transport['request']>[2]): Promise<void> {
    const response = await this.#transport.request('POST', `/containers/${encodeURIComponent(id)}/${action}`, options)
    await response.discard()
  }
}
