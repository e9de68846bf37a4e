/** Results that other builds of the same client use: `contexts = { base = "target:base" }` in a bake file. Clients
 *  refer to a result by the LLB definition that Berth gave them for it, which names the result. The layers belong to
 *  the cache, so they may be gone when a client uses the result late. */
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { digestOf } from '../../../oci/index.ts'
import type { BuiltImage } from '../../model/built-image.ts'
import { type Definition, type DefinitionSchema, OpSchema } from '../gen/pb_pb.ts'

/** More than one client builds at a time. */
const maxResults = 256
const scheme = 'berth-result://'

/** Recent results, by id. */
export class BuildResults {
  readonly #images = new Map<string, readonly BuiltImage[]>()

  /** Adds a result. The oldest is forgotten when there are too many. */
  add(id: string, images: readonly BuiltImage[]): void {
    this.#images.set(id, images)
    const [oldest] = this.#images.keys()
    if (this.#images.size > maxResults && oldest !== undefined) this.#images.delete(oldest)
  }

  /** The result's images, one per platform. Undefined when the result is unknown or forgotten. */
  find(id: string): readonly BuiltImage[] | undefined {
    return this.#images.get(id)
  }
}

/** The LLB definition by which clients refer to a result. */
export function definitionOf(id: string): MessageInitShape<typeof DefinitionSchema> {
  const source = toBinary(OpSchema, create(OpSchema, { source: { identifier: `${scheme}${id}` } }))
  const digest = digestOf(Buffer.from(source))
  const end = toBinary(OpSchema, create(OpSchema, { inputs: [{ digest, index: 0n }] }))
  const description = { description: { 'llb.customname': `result ${id}` } }
  return { def: [source, end], metadata: { [digest]: description, [digestOf(Buffer.from(end))]: description } }
}

/** The id of the result that a definition refers to. Undefined for any other definition. */
export function resultOf({ def }: Definition): string | undefined {
  for (const bytes of def) {
    const identifier = fromBinary(OpSchema, bytes).source?.identifier ?? ''
    if (identifier.startsWith(scheme)) return identifier.slice(scheme.length)
  }
  return undefined
}
