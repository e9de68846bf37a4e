/** Debian's ufw on a test's own host, with copies of its configuration, so that the machine's own ufw is not
 *  touched. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { OwnHost } from './own-host.ts'

/** The directories that ufw writes to. */
const written = ['/etc/ufw', '/etc/default/ufw'] as const

export class Ufw implements Disposable {
  readonly #host: OwnHost
  readonly #root: string

  private constructor(host: OwnHost, root: string) {
    this.#host = host
    this.#root = root
  }

  /** ufw with its installed configuration, disabled. */
  static on(host: OwnHost): Ufw {
    const root = mkdtempSync('/tmp/b-ufw-')
    for (const path of written) cpSync(path, join(root, path), { recursive: true })
    return new Ufw(host, root)
  }

  /** Runs one ufw command. */
  run(...args: string[]): string {
    const binds = written.map((path) => `mount --bind '${join(this.#root, path)}' '${path}'`)
    const script = [...binds, 'exec ufw "$@"'].join(' && ')
    return this.#host.run('unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...args)
  }

  [Symbol.dispose](): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}
