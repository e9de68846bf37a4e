/** A client's session: the connection on which the client answers questions about its files, secrets and agents. */
import type { Duplex } from 'node:stream'
import type { DescMethod } from '@bufbuild/protobuf'
import { GrpcClient } from '../../../grpc/index.ts'

/** What a client says of itself when it opens a session. */
export interface SessionDescription {
  readonly id: string
  /** The same for builds whose directories are the same; '' when the client doesn't know. */
  readonly sharedKey: string
  /** What it answers: `/moby.filesync.v1.FileSync/DiffCopy`. */
  readonly methods: readonly string[]
}

export class ClientSession {
  readonly id: string
  readonly sharedKey: string
  readonly client: GrpcClient
  readonly #methods: ReadonlySet<string>

  constructor(connection: Duplex, { id, sharedKey, methods }: SessionDescription) {
    this.id = id
    this.sharedKey = sharedKey
    this.#methods = new Set(methods.map((method) => method.toLowerCase()))
    this.client = new GrpcClient(connection)
  }

  /** True when the client said that it answers that. */
  supports({ parent, name }: DescMethod): boolean {
    return this.#methods.has(`/${parent.typeName}/${name}`.toLowerCase())
  }
}
