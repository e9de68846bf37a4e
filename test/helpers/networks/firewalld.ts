/** Debian's firewalld on a test's own host, with its own message bus and a copy of its configuration, so that the
 *  machine's own firewalld is not touched. */
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RunningCommand } from '../command.ts'
import { until } from '../wait.ts'
import type { OwnHost } from './own-host.ts'

const configuration = '/etc/firewalld'

export class Firewalld implements AsyncDisposable {
  readonly #host: OwnHost
  readonly #root: string
  #bus: RunningCommand | undefined
  #firewalld: RunningCommand | undefined

  private constructor(host: OwnHost) {
    this.#host = host
    this.#root = mkdtempSync('/tmp/b-fwd-')
  }

  /** Starts firewalld with its installed configuration. */
  static async on(host: OwnHost): Promise<Firewalld> {
    const firewalld = new Firewalld(host)
    try {
      await firewalld.#startBus()
      await firewalld.start()
    } catch (error) {
      await firewalld[Symbol.asyncDispose]()
      throw error
    }
    return firewalld
  }

  /** Runs firewall-cmd; it must succeed. */
  run(...args: string[]): string {
    return this.#host.run('env', `DBUS_SYSTEM_BUS_ADDRESS=${this.#address}`, 'firewall-cmd', ...args).trim()
  }

  /** Environment with which a daemon finds it. */
  get env(): NodeJS.ProcessEnv {
    return { DBUS_SYSTEM_BUS_ADDRESS: this.#address }
  }

  get #address(): string {
    return `unix:path=${this.#root}/bus`
  }

  async #startBus(): Promise<void> {
    const policy = '<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>'
    writeFileSync(
      join(this.#root, 'bus.conf'),
      `<busconfig><type>system</type><listen>${this.#address}</listen><auth>EXTERNAL</auth>
       <policy context="default">${policy}</policy></busconfig>`,
    )
    cpSync(configuration, join(this.#root, 'etc'), { recursive: true })
    this.#bus = new RunningCommand('dbus-daemon', ['--nofork', `--config-file=${this.#root}/bus.conf`])
    await until(() => existsSync(join(this.#root, 'bus')), { what: 'the message bus' })
  }

  /** Restarts firewalld with its configuration. */
  async start(): Promise<void> {
    const script = `mount --bind '${this.#root}/etc' ${configuration} && exec firewalld --nofork --nopid`
    const inside = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script]
    const firewalld = new RunningCommand('nsenter', [`--net=${this.#host.netns}`, ...inside], { env: this.env })
    this.#firewalld = firewalld
    await until(() => this.#isRunning(), {
      timeoutMs: 30_000,
      what: () => `firewalld to run; it said:\n${firewalld.stderr}`,
    })
  }

  #isRunning(): boolean {
    try {
      return this.run('--state') === 'running'
    } catch {
      return false
    }
  }

  /** Ends it as a stop of its service does, which removes its rules. */
  async stop(): Promise<void> {
    this.#firewalld?.kill('SIGTERM')
    await this.#firewalld?.ended
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    this.#bus?.kill('SIGTERM')
    await this.#bus?.ended
    rmSync(this.#root, { recursive: true, force: true })
  }
}
