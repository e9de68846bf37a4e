/** The TCP sockets that accept API clients without certificates. Each of them is reported in the log, by an event, and
 *  in the warnings of `info`. */
import type { Logger } from '../base/index.ts'
import type { TcpAccess } from '../config/index.ts'
import type { EventBus } from '../events/index.ts'
import { formatEndpoint } from '../http/index.ts'

export interface ExposedSocket {
  readonly host: string
  readonly port: number
  /** Which clients reach the socket. */
  readonly access: Exclude<TcpAccess, 'verified'>
  /** Whether the socket uses TLS, which here means without client certificates. */
  readonly isEncrypted: boolean
}

export interface ApiExposureOptions {
  readonly events: EventBus
  readonly logger: Logger
  /** The actor of the events: this daemon's id, and the name of its host. */
  readonly engineId: string
  readonly hostname: string
}

export class ApiExposure {
  readonly #options: ApiExposureOptions
  readonly #warnings: string[] = []

  constructor(options: ApiExposureOptions) {
    this.#options = options
  }

  /** The warnings of `info`: one text per socket, in dockerd's words. */
  get warnings(): readonly string[] {
    return this.#warnings
  }

  /** Reports a socket on which the API is served from now on. The event has the type `daemon` and the action
   *  `api-exposed`. */
  report({ host, port, access, isEncrypted }: ExposedSocket): void {
    const { events, logger, engineId, hostname } = this.#options
    const address = formatEndpoint({ kind: 'tcp', host, port })
    const fields = { address, access, encryption: isEncrypted ? 'tls' : 'none' }
    logger.warn(
      'the API is served without client certificates: anyone who reaches this address is root on this host',
      fields,
    )
    events.publish('daemon', 'api-exposed', engineId, { name: hostname, ...fields })
    const url = address.replace('tcp:', isEncrypted ? 'https:' : 'http:')
    const lack = isEncrypted ? 'TLS client verification' : 'encryption'
    this.#warnings.push(
      `WARNING: API is accessible on ${url} without ${lack}.\n         Access to the remote API is equivalent to root access on the host.`,
    )
  }
}
