/** An OCI image layout in a directory of the client, whose files are read one by one.
 *  https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
import { invalidArgument, notFound } from '../../base/index.ts'
import { algorithmOf, type Descriptor, hexOf, isObject, parseDescriptor } from '../../oci/index.ts'

/** Reads a file of the directory. */
export type ReadFile = (path: string) => AsyncIterable<Buffer>

/** Which image of a layout: by digest, else by tag. */
export interface LayoutPlace {
  readonly tag: string
  readonly digest: string | undefined
}

const maxDocumentBytes = 64 * 1024 * 1024

/** Reads the index and blobs of a layout. */
export class OciLayout {
  readonly #read: ReadFile

  constructor(read: ReadFile) {
    this.#read = read
  }

  /** Finds the index entry for a tag or digest. Throws `notFound`. */
  async find({ tag, digest }: LayoutPlace): Promise<Descriptor> {
    const index: unknown = JSON.parse((await this.#whole('index.json')).toString('utf8'))
    const manifests = isObject(index) && Array.isArray(index.manifests) ? index.manifests.map(parseDescriptor) : []
    const named = (one: Descriptor) => one.annotations?.['org.opencontainers.image.ref.name'] === tag
    const found = manifests.find((one) => (digest === undefined ? named(one) : one.digest === digest))
    if (found === undefined) throw notFound(`no ${digest ?? tag} in the OCI layout`)
    return found
  }

  /** Reads a small blob completely. The bytes are not verified. Throws `invalidArgument` for a blob that is too large. */
  read(descriptor: Descriptor): Promise<Buffer> {
    return this.#whole(pathOf(descriptor))
  }

  /** Reads a blob's bytes. They are not verified. */
  open(descriptor: Descriptor): AsyncIterable<Buffer> {
    return this.#read(pathOf(descriptor))
  }

  async #whole(path: string): Promise<Buffer> {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of this.#read(path)) {
      size += chunk.length
      if (size > maxDocumentBytes) throw invalidArgument(`${path} of the OCI layout is too large`)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }
}

function pathOf({ digest }: Descriptor): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`
}
