/** What is compared of an image: its configuration, and its files as far as they are not those of the base. Read from an
 *  archive of the image, of `docker save` or an OCI layout, by the test's own eyes: no engine is asked. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { readTar } from '../../src/archive/index.ts'

export interface ImageFacts {
  /** Members of the configuration that are set. */
  readonly config: Readonly<Record<string, unknown>>
  readonly platform: string
  /** `created_by`, with `(empty)` where it made no layer. */
  readonly history: readonly string[]
  /** Path → type, mode, owner, and size and digest or target; `-` for what of the base is gone. */
  readonly files: Readonly<Record<string, string>>
}

type Files = Map<string, string>

/** The facts of the image in the archive at `path`. `base`: its files (`filesOf`). */
export async function imageFacts(path: string, base: ReadonlyMap<string, string>): Promise<ImageFacts> {
  const { config, layers } = await readArchive(path)
  const files = await mergeLayers(layers)
  const changed: Record<string, string> = {}
  for (const [name, fact] of [...files].sort(([a], [b]) => (a < b ? -1 : 1)))
    if (base.get(name) !== fact) changed[name] = fact
  // An image that doesn't stand on the base has nothing to lose of it.
  if (files.has('bin/busybox')) for (const name of [...base.keys()].sort()) if (!files.has(name)) changed[name] = '-'
  const settings = Object.entries((config.config ?? {}) as Record<string, unknown>)
  return {
    config: Object.fromEntries(
      settings.filter(([name, value]) => isSet(value) && !legacy.has(name)).sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    platform: `${config.os}/${config.architecture}`,
    history: ((config.history ?? []) as { created_by?: string; empty_layer?: boolean }[])
      .slice(files.has('bin/busybox') ? 1 : 0)
      .map(({ created_by: by = '', empty_layer: isEmpty }) => `${by}${isEmpty === true ? ' (empty)' : ''}`),
    files: changed,
  }
}

/** The files of an image's archive, merged. */
export async function filesOfArchive(path: string): Promise<ReadonlyMap<string, string>> {
  return await mergeLayers((await readArchive(path)).layers)
}

/** Members that dockerd writes though nothing sets them. */
const legacy = new Set([
  'Hostname',
  'Domainname',
  'Image',
  'AttachStdin',
  'AttachStdout',
  'AttachStderr',
  'Tty',
  'OpenStdin',
  'StdinOnce',
])

function isSet(value: unknown): boolean {
  if (value === null || value === undefined || value === '' || value === false) return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

async function readArchive(
  path: string,
): Promise<{ readonly config: Record<string, unknown>; readonly layers: readonly Buffer[] }> {
  const members = new Map<string, Buffer>()
  const links = new Map<string, string>()
  for await (const { entry, body } of readTar(createReadStream(path) as AsyncIterable<Buffer>)) {
    if (entry.type === 'symlink') links.set(entry.path, entry.linkPath)
    if (entry.type !== 'file') continue
    const chunks: Buffer[] = []
    for await (const chunk of body) chunks.push(Buffer.from(chunk))
    members.set(entry.path, Buffer.concat(chunks))
  }
  const member = (name: string): Buffer => {
    const found = members.get(name) ?? members.get((links.get(name) ?? '').replace(/^(\.\.\/)+/, ''))
    if (found === undefined) throw new Error(`the archive has no ${name}`)
    return found
  }
  const json = (name: string) => JSON.parse(member(name).toString('utf8'))
  if (members.has('manifest.json')) {
    const [{ Config, Layers }] = json('manifest.json')
    return { config: json(Config), layers: Layers.map((name: string) => inflated(member(name))) }
  }
  const blob = ({ digest }: { readonly digest: string }) => `blobs/${digest.replace(':', '/')}`
  const manifest = json(blob(json('index.json').manifests[0]))
  return {
    config: json(blob(manifest.config)),
    layers: manifest.layers.map((layer: { digest: string }) => inflated(member(blob(layer)))),
  }
}

function inflated(bytes: Buffer): Buffer {
  if (bytes.readUInt16BE(0) === 0x1f8b) return gunzipSync(bytes)
  return bytes.readUInt32LE(0) === 0xfd2fb528 ? zstdDecompressSync(bytes) : bytes
}

async function mergeLayers(layers: readonly Buffer[]): Promise<Files> {
  const files: Files = new Map()
  for (const layer of layers) await applyLayer(files, layer)
  return files
}

async function applyLayer(files: Files, layer: Buffer): Promise<void> {
  const added: Files = new Map()
  const removeBelow = (path: string) => {
    for (const name of [...files.keys()]) if (name.startsWith(`${path}/`)) files.delete(name)
  }
  const source = (async function* () {
    yield layer
  })()
  for await (const { entry, body } of readTar(source)) {
    const path = entry.path.replace(/^\.?\/+/, '').replace(/\/+$/, '')
    const name = path.slice(path.lastIndexOf('/') + 1)
    const directory = path.slice(0, Math.max(0, path.length - name.length - 1))
    if (name === '.wh..wh..opq') removeBelow(directory)
    else if (name.startsWith('.wh.')) {
      const gone = `${directory === '' ? '' : `${directory}/`}${name.slice(4)}`
      files.delete(gone)
      removeBelow(gone)
    } else if (path !== '') added.set(path, await factOf(entry, body, added, files))
  }
  for (const [path, fact] of added) {
    if (!fact.startsWith('directory')) removeBelow(path)
    files.set(path, fact)
  }
}

type Member = Parameters<Parameters<typeof Array.prototype.map>[0]>[0]

async function factOf(entry: Member, body: AsyncIterable<Buffer>, added: Files, files: Files): Promise<string> {
  if (entry.type === 'link') {
    const target = entry.linkPath.replace(/^\.?\/+/, '')
    return added.get(target) ?? files.get(target) ?? `link to ${target}`
  }
  const owner = `${entry.uid}:${entry.gid}`
  if (entry.type === 'symlink') return `symlink ${owner} -> ${entry.linkPath}`
  const mode = entry.mode.toString(8).padStart(4, '0')
  if (entry.type !== 'file') return `${entry.type} ${mode} ${owner}`
  const hash = createHash('sha256')
  for await (const chunk of body) hash.update(chunk)
  return `file ${mode} ${owner} ${entry.sizeBytes} ${hash.digest('hex').slice(0, 16)}`
}
