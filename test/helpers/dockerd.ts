/** A real dockerd (Debian's) on temporary roots, without networks: the counterpart of archives. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandOptions, RunningCommand, runCommand, runOrThrow } from './command.ts'
import { mountsBelow } from './daemon.ts'
import { until } from './wait.ts'

export class TestDockerd implements AsyncDisposable {
  readonly #process: RunningCommand
  readonly #root: string

  private constructor(process: RunningCommand, root: string) {
    this.#process = process
    this.#root = root
  }

  static async start(): Promise<TestDockerd> {
    const root = mkdtempSync('/tmp/b-dk-')
    writeFileSync(join(root, 'daemon.json'), '{}')
    const files = ['--data-root', join(root, 'd'), '--exec-root', join(root, 'x'), '--pidfile', join(root, 'pid')]
    const process = new RunningCommand('dockerd', [
      ...files,
      ...['--config-file', join(root, 'daemon.json'), '--host', `unix://${join(root, 's')}`],
      ...['--bridge=none', '--iptables=false', '--log-level=error'],
    ])
    const dockerd = new TestDockerd(process, root)
    try {
      const isUp = async () => (await dockerd.run(['version'], { timeoutMs: 5_000 })).code === 0
      await until(isUp, { timeoutMs: 30_000, what: () => `dockerd to serve:\n${process.stderr}` })
    } catch (error) {
      await dockerd[Symbol.asyncDispose]()
      throw error
    }
    return dockerd
  }

  /** Runs the official CLI against it. */
  run(args: readonly string[], options?: CommandOptions) {
    return runCommand('docker', ['-H', `unix://${join(this.#root, 's')}`, ...args], options)
  }

  /** The same; it must succeed. Gives its standard output without the last newline. */
  ok(args: readonly string[], options?: CommandOptions): Promise<string> {
    return runOrThrow('docker', ['-H', `unix://${join(this.#root, 's')}`, ...args], options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill()
    const stuck = setTimeout(() => this.#process.kill('SIGKILL'), 20_000)
    await this.#process.ended.catch(() => {})
    clearTimeout(stuck)
    for (const mount of mountsBelow(this.#root).reverse()) await runCommand('umount', ['-l', mount])
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 3, retryDelay: 200 })
  }
}
