/** Forwards questions about other names to upstream servers. If a server is slow, the next one is asked as well, and
 *  the first answer counts. Questions don't wait for each other. An answer with a failure or refusal counts only if no
 *  server gives a better one. */

import { errorResponse, type Query, relayedResponse, responseCode, responseCodeOf, type Transport } from './message.ts'
import type { UpstreamServer } from './name-service.ts'
import { type Enter, UpstreamSocket } from './upstream-socket.ts'
import { askByStream } from './upstream-stream.ts'

/** Sockets to servers that are asked from one namespace. */
export class UpstreamSockets {
  readonly #enter: Enter
  readonly #byAddress = new Map<string, UpstreamSocket>()

  /** `enter` runs work in the namespace. */
  constructor(enter: Enter) {
    this.#enter = enter
  }

  /** Asks by UDP or TCP. `answered` or `failed` is called at most once. Returns a function that gives the question up.
   *  Throws the system's error if the question can't be sent at all. */
  ask(
    transport: Transport,
    address: string,
    query: Query,
    answered: (response: Buffer) => void,
    failed: (error: Error) => void,
  ): () => void {
    if (transport === 'tcp') return askByStream(address, this.#enter, query, answered, failed)
    let socket = this.#byAddress.get(address)
    if (socket === undefined || socket.worn) {
      socket?.retire()
      socket = UpstreamSocket.open(address, this.#enter)
      this.#byAddress.set(address, socket)
    }
    return socket.ask(query, answered, failed)
  }

  /** Closes all UDP sockets at once. Open questions get no answer. */
  close(): void {
    for (const socket of this.#byAddress.values()) socket.close()
    this.#byAddress.clear()
  }
}

/** The servers of one container, each with the sockets of the namespace that it is asked from. */
export interface Upstream {
  readonly servers: readonly UpstreamServer[]
  readonly sockets: Readonly<Record<UpstreamServer['from'], UpstreamSockets>>
}

/** The number of servers that a resolv.conf can have (resolv.conf(5)). */
const maxServers = 3
const rounds = 2
/** After this time the next server is asked as well. A client's resolver waits 5 s (resolv.conf(5)). */
const patienceMs = 1500
const maxWaiting = 1024

/** Forwards one container's questions. */
export class Forwarder {
  upstream: Upstream
  #waiting = 0

  constructor(upstream: Upstream) {
    this.upstream = upstream
  }

  /** Gives the first server's answer, REFUSED if 1024 questions are already waiting, SERVFAIL if no server answers.
   *  Never rejects. */
  async forward(query: Query, transport: Transport): Promise<Buffer> {
    if (this.#waiting >= maxWaiting) return errorResponse(query, responseCode.refused)
    this.#waiting += 1
    try {
      const response = await this.#race(query, transport)
      if (response === undefined) return errorResponse(query, responseCode.serverFailure)
      return relayedResponse(query, transport, response)
    } finally {
      this.#waiting -= 1
    }
  }

  #race(query: Query, transport: Transport): Promise<Buffer | undefined> {
    const { servers, sockets } = this.upstream
    const asked = servers.slice(0, maxServers)
    const turns = transport === 'tcp' ? asked : Array<typeof asked>(rounds).fill(asked).flat()
    return new Promise((resolve) => {
      const giveUps: (() => void)[] = []
      let timer: NodeJS.Timeout | undefined
      let open = 0
      let next = 0
      let refusal: Buffer | undefined
      let done = false
      const finish = (response: Buffer | undefined) => {
        if (done) return
        done = true
        clearTimeout(timer)
        for (const giveUp of giveUps) giveUp()
        resolve(response)
      }
      /** After a server failed, asks the next one at once. */
      const goOn = () => {
        open -= 1
        if (done) return
        if (next < turns.length) askNext()
        else if (open === 0) finish(refusal)
      }
      const answered = (response: Buffer) => {
        if (isFinal(responseCodeOf(response))) return finish(response)
        refusal ??= response
        goOn()
      }
      const askNext = () => {
        clearTimeout(timer)
        const server = turns[next]
        next += 1
        if (done || server === undefined) return finish(refusal)
        timer = setTimeout(() => (next < turns.length ? askNext() : finish(refusal)), patienceMs)
        open += 1
        try {
          giveUps.push(sockets[server.from].ask(transport, server.address, query, answered, once(goOn)))
        } catch {
          // For example no route to the server: the same as no answer.
          goOn()
        }
      }
      askNext()
    })
  }
}

/** False for answers that another server may improve: a failure, a refusal, an unsupported question. */
function isFinal(code: number): boolean {
  return code !== responseCode.serverFailure && code !== responseCode.notImplemented && code !== responseCode.refused
}

function once(work: () => void): () => void {
  let called = false
  return () => {
    if (called) return
    called = true
    work()
  }
}
