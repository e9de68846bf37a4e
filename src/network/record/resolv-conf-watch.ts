/** Tells when the host has other name servers than before: a VPN began, a cable was moved, DHCP said something else.
 *  Writers replace the file, write into it, or let a link lead elsewhere; in containers it may be a mounted file. So the
 *  directories of all links on the way are watched, and what they lead to. */
import { type FSWatcher, readlinkSync, watch } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Logger, messageOf } from '../../base/index.ts'
import { hostResolvConfFiles, parseResolvConf, readHostResolvConf } from './resolv-conf.ts'

/** Writers empty the file first, or write several: they are given a moment. */
const settleMs = 200

export interface ResolvConfWatchOptions {
  /** The name servers of the host have changed. */
  readonly onChange: () => void
  readonly logger: Logger
  /** Other files than the host's (tests); the first one counts. */
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
        // It is not there, or the user's inotify watches are used up: the others tell of most changes.
        return []
      }
    })
  }

  #look(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#compare(), settleMs).unref()
  }

  #compare(): void {
    // What it leads to may be another file by now.
    this.#watch()
    const servers = this.#servers()
    // Half written, or taken away for a moment: the ones before are better than none.
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

/** The files, what their links lead to, and the directories of all of these. */
function placesOf(files: readonly string[]): string[] {
  const places = new Set<string>()
  for (const file of files) {
    let path = file
    // As many links as the kernel follows.
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
