/** Checks the events of all containers of a daemon against the allowed orders in a container's life. */
import type { IncomingMessage } from 'node:http'
import { until } from '../wait.ts'
import { openRequest } from './api.ts'
import type { TestDaemon } from './daemon.ts'

type Phase = 'none' | 'down' | 'running' | 'paused' | 'gone'

/** Events that change the phase: from which phases, to which. */
const moves: Readonly<Record<string, readonly [from: readonly Phase[], to: Phase]>> = {
  create: [['none'], 'down'],
  start: [['down'], 'running'],
  pause: [['running'], 'paused'],
  unpause: [['paused'], 'running'],
  die: [['running', 'paused'], 'down'],
  destroy: [['down'], 'gone'],
}

/** Events that only happen in some phases. All others need an existing container. */
const within: Readonly<Record<string, readonly Phase[]>> = {
  kill: ['running', 'paused'],
  oom: ['running', 'paused'],
  health_status: ['running', 'paused'],
  // The process of an exec may be reaped last.
  exec_die: ['down', 'running', 'paused', 'gone'],
}

interface Life {
  phase: Phase
  readonly actions: string[]
}

export class EventOrder implements AsyncDisposable {
  readonly problems: string[] = []
  readonly #lives = new Map<string, Life>()
  readonly #stream: IncomingMessage
  readonly #ended: Promise<void>

  private constructor(stream: IncomingMessage) {
    this.#stream = stream
    this.#ended = this.#read()
  }

  /** Starts to follow the events. */
  static async follow(daemon: TestDaemon): Promise<EventOrder> {
    const filters = encodeURIComponent(JSON.stringify({ type: ['container'] }))
    return new EventOrder(await openRequest(daemon.socket, 'GET', `/events?filters=${filters}`))
  }

  /** The actions of a container so far. */
  actionsOf(id: string): readonly string[] {
    return this.#lives.get(id)?.actions ?? []
  }

  /** Waits for the last event of a removed container. */
  async destroyed(id: string): Promise<void> {
    await until(() => this.#lives.get(id)?.phase === 'gone', {
      what: () => `the event of the removal of ${id}; it has ${this.actionsOf(id).join(', ')}`,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stream.destroy()
    await this.#ended
  }

  async #read(): Promise<void> {
    let rest = ''
    try {
      for await (const chunk of this.#stream) {
        const lines = (rest + String(chunk)).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) if (line.trim() !== '') this.#take(JSON.parse(line))
      }
    } catch {
      // ended by this helper, or with the daemon
    }
  }

  #take({ Action, Actor }: { readonly Action: string; readonly Actor: { readonly ID: string } }): void {
    const life = this.#lives.get(Actor.ID) ?? { phase: 'none', actions: [] }
    this.#lives.set(Actor.ID, life)
    life.actions.push(Action)
    const name = Action.split(':', 1)[0] ?? ''
    const move = moves[name]
    const allowed = move?.[0] ?? within[name] ?? ['down', 'running', 'paused']
    if (!allowed.includes(life.phase)) {
      this.problems.push(`${Action} of a container that is ${life.phase}: ${life.actions.join(', ')} (${Actor.ID})`)
    }
    life.phase = move?.[1] ?? life.phase
  }
}
