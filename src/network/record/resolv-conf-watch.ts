/** Watches for a change of the host's name servers, for example by a VPN, by DHCP or by another cable.
 *  Programs replace the file, write into it or change a symbolic link; in a container it may be a mounted file. So the
 *  watch covers the directories of all links on the way, and the file at the end. */
import { type FSWatcher, readlinkSync, watch } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Logger, messageOf } from '../../base/index.ts'
import { hostResolvConfFiles, parseResolvConf, readHostResolvConf } from './resolv-conf.ts'

/** How long to wait after a change: programs may empty a file before they write it, or write several files. */
const settleMs = 200

export interface ResolvConfWatchOptions {
  /** Called after the name servers changed. */
  readonly onChange: () => void
  readonly logger: Logger
  /** Files to watch in place of the host's, for tests. */
  readonly files?: readonly string[]
  readonly read?: () => string
}

export class ResolvConfWatch {
  readonly #options: ResolvConfWatchOptions
  readonly #read: () => string
  #watchers: FSWatcher[] = []
  #timer: NodeJS.Timeout | undefined
  #known = ''

  constructor(options: ResolvConfWatchOptions) {
    this.#options = options
    this.#read = options.read ?? readHostResolvConf
  }

  start(): void {
    this.#known = this.#servers()
    this.#watch()
  }

  /** Idempotent. */
  close(): void {
    clearTimeout(this.#timer)
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = []
  }

  #watch(): void {
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = placesOf(this.#options.files ?? hostResolvConfFiles).flatMap((path) => {
      try {
        const watcher = watch(path, { persistent: false }, () => this.#look())
        return [watcher.on('error', () => this.#look())]
      } catch {
        // The path does not exist, or no inotify watches are left. The other watches see most changes.
        return []
      }
    })
  }

  #look(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#compare(), settleMs).unref()
  }

  #compare(): void {
    // The links may lead to another file by now.
    this.#watch()
    const servers = this.#servers()
    // The file is half written or missing for a moment. The servers as they were are better than none.
    if (servers === '' || servers === this.#known) return
    this.#known = servers
    this.#options.logger.info('the host has other name servers', { servers })
    this.#options.onChange()
  }

  #servers(): string {
    try {
      return parseResolvConf(this.#read()).servers.join(' ')
    } catch (error) {
      this.#options.logger.warn("the host's resolv.conf can not be read", { error: messageOf(error) })
      return ''
    }
  }
}

/** The paths to watch: the directories of the files and of all links on the way, and the files at the end. */
function placesOf(files: readonly string[]): string[] {
  const places = new Set<string>()
  for (const file of files) {
    let path = file
    // The kernel follows at most 40 links.
    for (let count = 0; count < 40; count += 1) {
      places.add(dirname(path))
      const next = linkOf(path)
      if (next === undefined) break
      path = next
    }
    places.add(path)
  }
  return [...places]
}

function linkOf(path: string): string | undefined {
  try {
    return resolve(dirname(path), readlinkSync(path))
  } catch {
    return undefined
  }
}
