/** The open sessions of all clients. */
import type { Duplex } from 'node:stream'
import { invalidArgument } from '../../../base/index.ts'
import type { BuildkitSession } from '../../../contract/index.ts'
import { Arrivals } from './arrivals.ts'
import { ClientSession } from './client-session.ts'

/** How long a build waits for its session. */
const waitMs = 10_000

/** Sessions by id. */
export class ClientSessions {
  readonly #open = new Arrivals<ClientSession>()

  /** Throws `invalidArgument` for an invalid description. */
  check({ id }: BuildkitSession): void {
    if (id === '') throw invalidArgument('a session needs the header X-Docker-Expose-Session-Uuid')
    if (this.#open.has(id)) throw invalidArgument(`session ${id} is open already`)
  }

  /** Serves a session until its connection closes. */
  async serve(connection: Duplex, description: BuildkitSession): Promise<void> {
    this.check(description)
    const session = new ClientSession(connection, description)
    this.#open.add(session.id, session)
    try {
      await session.client.closed
    } finally {
      this.#open.remove(session.id)
    }
  }

  /** Gives the session with that id, and waits for one that is about to open. Throws `invalidArgument` when it does not
   *  open in time. */
  async find(id: string, signal: AbortSignal): Promise<ClientSession> {
    return await this.#open.find(id, { signal, waitMs, missing: () => invalidArgument(`no active session for ${id}`) })
  }
}
