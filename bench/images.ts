/** The images for the works, made here: busybox, and one of 460 MB with 20 000 small files. */
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { writeBusyboxArchive } from '../test/helpers/images/test-image.ts'
import { TestRegistry } from '../test/helpers/registries/registry.ts'

const smallFiles = 20_000
const smallFileBytes = 4_000
const largeFiles = 8
const largeFileBytes = 45_000_000

/** Archives for `docker load`, and a registry's storage with the same images. Each is made on its first use. */
export class Images {
  readonly #directory: string
  #busybox: Promise<string> | undefined
  #large: Promise<string> | undefined
  #network: Promise<string> | undefined
  #registry: Promise<TestRegistry> | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  /** The archive of `busybox:latest`. */
  busybox(): Promise<string> {
    this.#busybox ??= this.#write('busybox')
    return this.#busybox
  }

  /** The archive of `large:latest`. */
  large(): Promise<string> {
    this.#large ??= this.#write('large', fillLarge)
    return this.#large
  }

  /** The archive of `network:latest`. `prepare` puts programs into it. */
  network(prepare: (rootfs: string) => void): Promise<string> {
    this.#network ??= this.#write('network', prepare)
    return this.#network
  }

  /** The storage directory of a registry that has `large:latest`. */
  async registryStorage(): Promise<string> {
    this.#registry ??= this.#fillRegistry()
    return (await this.#registry).storage
  }

  async close(): Promise<void> {
    await (await this.#registry)?.[Symbol.asyncDispose]()
  }

  async #write(name: string, prepare?: (rootfs: string) => void): Promise<string> {
    const path = join(this.#directory, `${name}.tar`)
    await writeBusyboxArchive({ path, reference: `${name}:latest`, ...(prepare === undefined ? {} : { prepare }) })
    return path
  }

  async #fillRegistry(): Promise<TestRegistry> {
    const registry = await TestRegistry.start()
    await registry.push(await this.large(), 'large:latest')
    return registry
  }
}

/** Fills files with text that gzip shrinks to about half, as it does with programs. */
function fillLarge(rootfs: string): void {
  const block = Buffer.from(randomBytes(1 << 20).toString('hex'))
  for (let file = 0; file < smallFiles; file++) {
    const directory = join(rootfs, 'data', String(Math.floor(file / 100)))
    if (file % 100 === 0) mkdirSync(directory, { recursive: true })
    const start = (file * 977) % (block.length - smallFileBytes)
    writeFileSync(join(directory, `file-${file}`), block.subarray(start, start + smallFileBytes))
  }
  for (let file = 0; file < largeFiles; file++) {
    const fd = openSync(join(rootfs, 'data', `large-${file}`), 'w')
    for (let left = largeFileBytes; left > 0; left -= block.length / 2) {
      writeSync(fd, Buffer.from(randomBytes(1 << 19).toString('hex')))
    }
    closeSync(fd)
  }
}
