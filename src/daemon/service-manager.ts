/** The protocol between systemd, or a compatible service manager, and the daemon: the manager passes listening sockets
 *  (sd_listen_fds(3)), and the daemon reports when it serves (sd_notify(3)). */
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

  /** The addresses, with `fd://` replaced by the sockets that the manager passed. Throws `conflict` when the manager
   *  passed none, `invalidArgument` for the number of a descriptor that is not among them. */
  resolve(hosts: readonly ListenAddress[]): ListenAddress[] {
    return hosts.flatMap((host) => (host.kind === 'inherited' ? this.#inherited(host.descriptor) : [host]))
  }

  /** Reports a state such as `READY=1`. Has no effect without a manager. If the manager does not listen, that is
   *  logged. */
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
      logger.warn('the service manager was not notified', { state, error: messageOf(error) })
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
