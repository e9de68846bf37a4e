/** Which entries of a stack of layers are left when they become one, and what the one must hide of the layers below.
 *  Pure: it is told of the entries in order. https://github.com/opencontainers/image-spec/blob/main/layer.md */
import type { TarEntry } from '../../../archive/index.ts'

const opaqueName = '.wh..wh..opq'
const whiteoutPrefix = '.wh.'

/** A path without slashes at its ends. */
export function entryPath({ path }: Pick<TarEntry, 'path'>): string {
  return path
    .replace(/^(?:\.?\/+)+/, '')
    .replace(/\/+$/, '')
    .replace(/^\.$/, '')
}

export class SquashPlan {
  /** The layer whose entry counts. */
  readonly #winners = new Map<string, number>()
  readonly #directories = new Set<string>()
  readonly #whiteouts = new Set<string>()
  readonly #opaque = new Set<string>()
  readonly #links: { readonly layer: number; readonly path: string; readonly target: string }[] = []

  /** Takes an entry of a layer in; layers from the lowest up. */
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

  /** The entry of this layer at this path is one of those that are left. */
  isLeft(layer: number, path: string): boolean {
    return this.#winners.get(path) === layer
  }

  /** Links that are left though what they are links to is not: each gets the content under its own name. */
  orphansOf(layer: number, target: string): readonly string[] {
    return this.#links
      .filter((link) => link.layer === layer && link.target === target && this.isLeft(layer, link.path))
      .map(({ path }) => path)
  }

  /** Paths of deletion marks, sorted. */
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
    // What took the place of something that was deleted still hides what is below.
    if (this.#whiteouts.delete(path) && isDirectory) this.#opaque.add(path)
    this.#winners.set(path, layer)
    if (isDirectory) this.#directories.add(path)
    else this.#directories.delete(path)
    if (type === 'link') this.#links.push({ layer, path, target: entryPath({ path: linkPath }) })
  }

  #remove(path: string, layer: number): void {
    if (this.#winners.get(path) !== layer) this.#winners.delete(path)
    this.#opaque.delete(path)
    // Layers list the directories above what they change, so nothing is below what isn't known as one.
    if (this.#directories.delete(path)) this.#removeBelow(path, layer)
  }

  /** What earlier layers have below a path; it is gone with the path. */
  #removeBelow(path: string, layer: number): void {
    const prefix = path === '' ? '' : `${path}/`
    for (const [name, from] of this.#winners) if (from !== layer && name.startsWith(prefix)) this.#winners.delete(name)
    for (const set of [this.#directories, this.#whiteouts, this.#opaque]) {
      for (const name of set) if (name.startsWith(prefix) && this.#winners.get(name) !== layer) set.delete(name)
    }
  }
}
