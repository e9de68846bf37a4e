/** What a service manager (systemd, or one that does as it does) and the daemon say to each other: which listening
 *  sockets it opened (sd_listen_fds(3)), and when the daemon serves (sd_notify(3)). */
import { conflict, invalidArgument, type Logger, messageOf } from '../base/index.ts'
import type { ListenAddress, ServiceManagerEnvironment } from '../config/index.ts'
import { UnixDatagramSocket } from '../sys/index.ts'

export class ServiceManager {
  readonly #descriptors: readonly number[]
  readonly #notifyPath: string | undefined

  constructor({ descriptors, notifyPath }: ServiceManagerEnvironment) {
    this.#descriptors = descriptors
    this.#notifyPath = notifyPath
  }

  /** The addresses with `fd://` replaced by the sockets that were passed on. Throws a conflict when there are none,
   *  `invalidArgument` for a number that is none of theirs. */
  resolve(hosts: readonly ListenAddress[]): ListenAddress[] {
    return hosts.flatMap((host) => (host.kind === 'inherited' ? this.#inherited(host.descriptor) : [host]))
  }

  /** Tells a state such as `READY=1`. Nothing happens without a manager; one that doesn't listen is noted only. */
  async notify(state: string, logger: Logger): Promise<void> {
    if (this.#notifyPath === undefined) return
    try {
      const socket = UnixDatagramSocket.connect(this.#notifyPath.replace(/^@/, '\0'))
      try {
        await socket.send(Buffer.from(`${state}\n`))
      } finally {
        socket.close()
      }
    } catch (error) {
      logger.warn('the service manager was not told', { state, error: messageOf(error) })
    }
  }

  #inherited(wanted: number | undefined): ListenAddress[] {
    if (this.#descriptors.length === 0) {
      throw conflict('fd://: no socket was passed on; the service manager has to start the daemon with its sockets')
    }
    if (wanted !== undefined && !this.#descriptors.includes(wanted)) {
      throw invalidArgument(`fd://${wanted}: passed on were the descriptors ${this.#descriptors.join(', ')}`)
    }
    return (wanted === undefined ? this.#descriptors : [wanted]).map((descriptor) => ({
      kind: 'inherited',
      descriptor,
    }))
  }
}
