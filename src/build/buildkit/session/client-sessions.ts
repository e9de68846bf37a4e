/** The sessions that clients have open. */
import type { Duplex } from 'node:stream'
import { invalidArgument } from '../../../base/index.ts'
import { Arrivals } from './arrivals.ts'
import { ClientSession, type SessionDescription } from './client-session.ts'

/** How long a build waits for its session. */
const waitMs = 10_000

export class ClientSessions {
  readonly #open = new Arrivals<ClientSession>()

  /** Throws `invalidArgument` for a description that no session can have. */
  check({ id }: SessionDescription): void {
    if (id === '') throw invalidArgument('a session needs the header X-Docker-Expose-Session-Uuid')
    if (this.#open.has(id)) throw invalidArgument(`session ${id} is open already`)
  }

  /** Serves a session until its connection is closed. */
  async serve(connection: Duplex, description: SessionDescription): Promise<void> {
    this.check(description)
    const session = new ClientSession(connection, description)
    this.#open.add(session.id, session)
    try {
      await session.client.closed
    } finally {
      this.#open.remove(session.id)
    }
  }

  /** The session of that id, which may be about to be opened. Throws `invalidArgument` when it never is. */
  async find(id: string, signal: AbortSignal): Promise<ClientSession> {
    return await this.#open.find(id, { signal, waitMs, missing: () => invalidArgument(`no active session for ${id}`) })
  }
}
