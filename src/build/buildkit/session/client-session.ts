/** A client's session: a connection on which the client answers calls about its files, secrets and agents. */
import type { Duplex } from 'node:stream'
import type { DescMethod } from '@bufbuild/protobuf'
import { GrpcClient } from '../../../grpc/index.ts'

/** What a client states when it opens a session. */
export interface SessionDescription {
  readonly id: string
  /** Equal for builds that use the same directories. '' when the client does not know. */
  readonly sharedKey: string
  /** The methods that it answers, such as `/moby.filesync.v1.FileSync/DiffCopy`. */
  readonly methods: readonly string[]
}

/** An open session. */
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

  /** True when the client answers that method. */
  supports({ parent, name }: DescMethod): boolean {
    return this.#methods.has(`/${parent.typeName}/${name}`.toLowerCase())
  }
}
