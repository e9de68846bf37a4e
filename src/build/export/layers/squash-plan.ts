/** Decides which entries of a stack of layers remain when they are merged, and what the merged layer must hide of the
 *  layers below. Pure: it is given the entries in order.
 *  https://github.com/opencontainers/image-spec/blob/main/layer.md */
import type { TarEntry } from '../../../archive/index.ts'

const opaqueName = '.wh..wh..opq'
const whiteoutPrefix = '.wh.'

/** The entry's path without slashes at its ends. */
export function entryPath({ path }: Pick<TarEntry, 'path'>): string {
  return path
    .replace(/^(?:\.?\/+)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '')
}

/** Collects entries, then answers what remains. */
export class SquashPlan {
  /** For each path, the index of the layer whose entry remains. */
  readonly #winners = new Map<string, number>()
  readonly #directories = new Set<string>()
  readonly #whiteouts = new Set<string>()
  readonly #opaque = new Set<string>()
  readonly #links: { readonly layer: number; readonly path: string; readonly target: string }[] = []

  /** Adds an entry of a layer. Add layers from the lowest to the highest. */
  add(layer: number, entry: Pick<TarEntry, 'path' | 'type' | 'linkPath'>): void {
    const path = entryPath(entry)
    const name = path.slice(path.lastIndexOf('/') + 1)
    const directory = path.slice(0, Math.max(0, path.length - name.length - 1))
    if (name === opaqueName) {
      this.#removeBelow(directory, layer)
      this.#opaque.add(directory)
    } else if (name.startsWith(whiteoutPrefix)) {
      const gone = `${directory === '' ? '' : `${directory}/`}${name.slice(whiteoutPrefix.length)}`
      this.#remove(gone, layer)
      this.#whiteouts.add(gone)
    } else if (path !== '') this.#place(layer, path, entry)
  }

  /** True when the entry of this layer at this path remains. */
  isLeft(layer: number, path: string): boolean {
    return this.#winners.get(path) === layer
  }

  /** Hard links that remain although their target does not. Each gets the content of the target at its own path. */
  orphansOf(layer: number, target: string): readonly string[] {
    return this.#links
      .filter((link) => link.layer === layer && link.target === target && this.isLeft(layer, link.path))
      .map(({ path }) => path)
  }

  /** Paths of the whiteouts that the merged layer needs, sorted. */
  marks(): readonly string[] {
    const split = (path: string) => [path.slice(0, path.lastIndexOf('/') + 1), path.slice(path.lastIndexOf('/') + 1)]
    const whiteouts = [...this.#whiteouts].map((path) => {
      const [directory = '', name = ''] = split(path)
      return `${directory}${whiteoutPrefix}${name}`
    })
    return [
      ...whiteouts,
      ...[...this.#opaque].map((path) => (path === '' ? opaqueName : `${path}/${opaqueName}`)),
    ].sort()
  }

  #place(layer: number, path: string, { type, linkPath }: Pick<TarEntry, 'type' | 'linkPath'>): void {
    const isDirectory = type === 'directory'
    if (!isDirectory && this.#directories.has(path)) this.#removeBelow(path, layer)
    // A directory that replaces something deleted still hides what is below it.
    if (this.#whiteouts.delete(path) && isDirectory) this.#opaque.add(path)
    this.#winners.set(path, layer)
    if (isDirectory) this.#directories.add(path)
    else this.#directories.delete(path)
    if (type === 'link') this.#links.push({ layer, path, target: entryPath({ path: linkPath }) })
  }

  #remove(path: string, layer: number): void {
    if (this.#winners.get(path) !== layer) this.#winners.delete(path)
    this.#opaque.delete(path)
    // Layers list the parent directories of what they change, so a path that is not known as a directory has nothing
    // below it.
    if (this.#directories.delete(path)) this.#removeBelow(path, layer)
  }

  /** Drops what earlier layers have below a removed path. */
  #removeBelow(path: string, layer: number): void {
    const prefix = path === '' ? '' : `${path}/`
    for (const [name, from] of this.#winners) if (from !== layer && name.startsWith(prefix)) this.#winners.delete(name)
    for (const set of [this.#directories, this.#whiteouts, this.#opaque]) {
      for (const name of set) if (name.startsWith(prefix) && this.#winners.get(name) !== layer) set.delete(name)
    }
  }
}
