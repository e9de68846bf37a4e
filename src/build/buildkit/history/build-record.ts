/** The record of one build by a BuildKit client: options, steps, result, status messages, and the provenance of its
 *  images. */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { nowNs } from '../../../base/index.ts'
import type { BuildkitEntry } from '../../../contract/index.ts'
import type { GrpcError } from '../../../grpc/index.ts'
import { digestOf } from '../../../oci/index.ts'
import {
  type BuildHistoryRecordSchema,
  type BuildResultInfo,
  BuildResultInfoSchema,
  type Descriptor,
  DescriptorSchema,
} from '../gen/control_pb.ts'
import { timestampOf } from '../progress/build-progress.ts'
import { BuildTranscript } from './build-transcript.ts'

/** Media type of in-toto statements. https://github.com/in-toto/attestation */
const statementType = 'application/vnd.in-toto+json'

/** Provenance of the image for one platform. */
export interface RecordedProvenance {
  readonly platform: string
  readonly predicateType: string
  readonly predicate: object
}

/** What is known about a build when it starts. */
export interface BuildRecordOptions {
  /** The client's name for the build. */
  readonly ref: string
  readonly frontend: string
  readonly attrs: Readonly<Record<string, string>>
  readonly exports: readonly BuildkitEntry[]
}

/** One build in the history. */
export class BuildRecord {
  readonly ref: string
  readonly created = nowNs()
  /** Users pinned the build: it stays whatever its age. */
  pinned = false
  /** What the build reported to its clients. */
  readonly transcript = new BuildTranscript()
  readonly #blobs = new Map<string, Buffer>()
  readonly #exports: readonly BuildkitEntry[]
  #frontend: string
  #attrs: Readonly<Record<string, string>>
  #completed: bigint | undefined
  #failure: { readonly code: number; readonly message: string } | undefined
  #response: Readonly<Record<string, string>> = {}
  #results: ReadonlyMap<string, BuildResultInfo> = new Map()

  constructor({ ref, frontend, attrs, exports }: BuildRecordOptions) {
    this.ref = ref
    this.#frontend = frontend
    this.#attrs = attrs
    this.#exports = exports
  }

  get isOver(): boolean {
    return this.#completed !== undefined
  }

  /** When the build ended, in nanoseconds since 1970. Undefined while it runs. */
  get completed(): bigint | undefined {
    return this.#completed
  }

  /** `running`, `completed`, `error` or `canceled`. */
  get status(): string {
    if (!this.isOver) return 'running'
    if (this.#failure === undefined) return 'completed'
    return this.#failure.code === 1 ? 'canceled' : 'error'
  }

  /** The address of the context, '' when it has none. */
  get repository(): string {
    return this.#attrs['vcs:source'] ?? this.#attrs.context ?? ''
  }

  /** Size of everything the record keeps, in bytes. */
  get sizeBytes(): number {
    return this.transcript.sizeBytes + [...this.#blobs.values()].reduce((sum, { length }) => sum + length, 0)
  }

  /** Sets the options of a build whose client sends them after the build began. */
  describe(frontend: string, attrs: Readonly<Record<string, string>>): void {
    if (this.#frontend !== '') return
    this.#frontend = frontend
    this.#attrs = attrs
  }

  /** Sets the provenance of the images, one statement per platform. */
  setProvenance(statements: readonly RecordedProvenance[]): void {
    const attested = statements.map(({ platform, predicateType, predicate }) => {
      const blob = Buffer.from(JSON.stringify(predicate, undefined, 2))
      const digest = digestOf(blob)
      this.#blobs.set(digest, blob)
      const annotations = { 'in-toto.io/predicate-type': predicateType }
      const attestation = { mediaType: statementType, digest, size: BigInt(blob.length), annotations }
      return [platform, create(BuildResultInfoSchema, { attestations: [attestation] })] as const
    })
    this.#results = new Map(attested)
  }

  /** Marks the build as ended. `failure` is undefined when it succeeded. */
  complete(response: Readonly<Record<string, string>>, failure: GrpcError | undefined): void {
    this.#response = response
    this.#failure = failure === undefined ? undefined : { code: failure.code, message: failure.message }
    this.#completed = nowNs()
    this.transcript.pack()
  }

  /** A blob that the record refers to, by digest. */
  blob(digest: string): Buffer | undefined {
    return this.#blobs.get(digest)
  }

  /** The record as a protocol message. */
  toMessage(): MessageInitShape<typeof BuildHistoryRecordSchema> {
    const { total, completed, cached, warnings } = this.transcript.counts
    const [[, only] = []] = this.#results
    const several = Object.fromEntries(this.#results)
    return {
      ref: this.ref,
      frontend: this.#frontend,
      frontendAttrs: { ...this.#attrs },
      exporters: this.#exports.map(({ type, attrs }) => ({ type, attrs: { ...attrs } })),
      ...(this.#failure === undefined ? {} : { error: this.#failure }),
      createdAt: timestampOf(this.created),
      ...(this.#completed === undefined ? {} : { completedAt: timestampOf(this.#completed) }),
      exporterResponse: { ...this.#response },
      ...(this.#results.size === 1 && only !== undefined
        ? { result: create(BuildResultInfoSchema, { ...only, results: resultsOf(this.#response) }) }
        : { results: several }),
      pinned: this.pinned,
      numTotalSteps: total,
      numCompletedSteps: completed,
      numCachedSteps: cached,
      numWarnings: warnings,
    }
  }
}

/** The image that the first exporter made. */
function resultsOf(response: Readonly<Record<string, string>>): Record<string, Descriptor> {
  const encoded = response['containerimage.descriptor']
  if (encoded === undefined) return {}
  const { mediaType, digest, size } = JSON.parse(Buffer.from(encoded, 'base64').toString()) as {
    readonly mediaType: string
    readonly digest: string
    readonly size: number
  }
  return { 0: create(DescriptorSchema, { mediaType, digest, size: BigInt(size) }) }
}
