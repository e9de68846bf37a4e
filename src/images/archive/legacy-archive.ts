/** Archives of Docker before 1.10, which have no manifest.json. `repositories` has the top layer of each tag. Every
 *  layer is a directory with a `json`, which has the id of its parent, and a `layer.tar`. The image's config is
 *  assembled from these with the same bytes as in Docker, so that both compute the same id. */
import { invalidArgument } from '../../base/index.ts'
import { type Digest, isObject, parseReference, withTag } from '../../oci/index.ts'
import type { ArchivedImage, ReadMember } from './archived-image.ts'

/** Access to the members of an archive. */
export interface LegacyReader {
  readonly read: ReadMember
  /** The digest of a member's uncompressed bytes; undefined when there is no such member. */
  readonly diffIdOf: (path: string) => Promise<Digest | undefined>
}

type V1Layer = Readonly<Record<string, unknown>>

/** No image has this many layers, but a circle of parents would. */
const maxLayers = 1000
const idPattern = /^[0-9a-f]{64}$/
/** Members of a layer's `json` that a config does not have. */
const dropped: ReadonlySet<string> = new Set(['id', 'parent', 'Size', 'parent_id', 'layer_id', 'throwaway'])

/** The images of such an archive. Throws `invalidArgument` when it is damaged. */
export async function readLegacyArchive(repositories: Buffer, reader: LegacyReader): Promise<ArchivedImage[]> {
  const found = new Map<string, ArchivedImage>()
  for (const [name, tags] of Object.entries(objectOf(repositories, 'repositories'))) {
    if (!isObject(tags)) throw invalidArgument('invalid archive: repositories names no tags')
    for (const [tag, id] of Object.entries(tags)) {
      const reference = withTag(parseReference(name), tag)
      const known = found.get(String(id)) ?? (await readImage(String(id), reader))
      found.set(String(id), { ...known, references: [...known.references, reference] })
    }
  }
  return [...found.values()]
}

async function readImage(id: string, reader: LegacyReader): Promise<ArchivedImage> {
  const chain = readChain(id, reader.read)
  const diffIds: Digest[] = []
  const layers = chain.map(([layerId]) => ({ path: `${layerId}/layer.tar` }))
  for (const { path } of layers) {
    const diffId = await reader.diffIdOf(path)
    if (diffId === undefined) throw invalidArgument(`invalid archive: no file ${path}`)
    diffIds.push(diffId)
  }
  const top = chain.at(-1)?.[1] ?? {}
  const config: Record<string, unknown> = { rootfs: { type: 'layers', diff_ids: diffIds } }
  config.history = chain.map(([, layer]) => historyOf(layer))
  for (const [key, value] of Object.entries(top)) if (!dropped.has(key)) config[key] ??= value
  const configBytes = Buffer.from(goJson(sorted(config)))
  return { configPath: `${id}/json`, configBytes, layers, references: [] }
}

/** The layers, the lowest first. */
function readChain(top: string, read: ReadMember): [id: string, layer: V1Layer][] {
  const chain: [string, V1Layer][] = []
  for (let id: unknown = top; id !== undefined && id !== ''; ) {
    if (typeof id !== 'string' || !idPattern.test(id))
      throw invalidArgument(`invalid archive: ${String(id)} is not a layer`)
    if (chain.length >= maxLayers) throw invalidArgument('invalid archive: too many layers')
    const bytes = read(`${id}/json`)
    if (bytes === undefined) throw invalidArgument(`invalid archive: no file ${id}/json`)
    const layer = objectOf(bytes, `${id}/json`)
    chain.unshift([id, layer])
    id = layer.parent
  }
  return chain
}

function historyOf({ created, author, container_config: container, comment }: V1Layer): object {
  const command = isObject(container) && Array.isArray(container.Cmd) ? container.Cmd.join(' ') : ''
  const texts = { author, created_by: command, comment }
  return {
    created,
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined && text !== '')),
  }
}

/** A copy with sorted keys, as Go writes maps. */
function sorted(value: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** JSON in Go's form, which escapes characters that are special in HTML. */
function goJson(value: object): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escaped)
}

function objectOf(bytes: Buffer, path: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw invalidArgument(`invalid archive: ${path} is not JSON`, { cause })
  }
  if (!isObject(value)) throw invalidArgument(`invalid archive: ${path} is not a JSON object`)
  return value
}
