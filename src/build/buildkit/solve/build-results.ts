/** Results that other builds of the same client stand on: `contexts = { base = "target:base" }` of a bake file. Clients
 *  pass them on as LLB that names a source; the one that is given here means a result, and nothing else is built of it.
 *  The layers are those of the cache, which may be gone when somebody comes too late. */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { digestOf } from '../../../oci/index.ts'
import type { BuiltImage } from '../../model/built-image.ts'
import { type Definition, type DefinitionSchema, OpSchema } from '../gen/pb_pb.ts'

/** More than a client builds at once. */
const maxResults = 256
const scheme = 'berth-result://'

export class BuildResults {
  readonly #images = new Map<string, readonly BuiltImage[]>()

  add(id: string, images: readonly BuiltImage[]): void {
    this.#images.set(id, images)
    const [oldest] = this.#images.keys()
    if (this.#images.size > maxResults && oldest !== undefined) this.#images.delete(oldest)
  }

  /** An image for each platform; undefined when it is not known any more. */
  find(id: string): readonly BuiltImage[] | undefined {
    return this.#images.get(id)
  }
}

/** What a client passes on to name a result. */
export function definitionOf(id: string): MessageInitShape<typeof DefinitionSchema> {
  const source = toBinary(OpSchema, create(OpSchema, { source: { identifier: `${scheme}${id}` } }))
  const digest = digestOf(Buffer.from(source))
  const end = toBinary(OpSchema, create(OpSchema, { inputs: [{ digest, index: 0n }] }))
  const description = { description: { 'llb.customname': `result ${id}` } }
  return { def: [source, end], metadata: { [digest]: description, [digestOf(Buffer.from(end))]: description } }
}

/** The id of the result that a definition names; undefined when it is about something else. */
export function resultOf({ def }: Definition): string | undefined {
  for (const bytes of def) {
    const identifier = fromBinary(OpSchema, bytes).source?.identifier ?? ''
    if (identifier.startsWith(scheme)) return identifier.slice(scheme.length)
  }
  return undefined
}
