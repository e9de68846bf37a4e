/** A client's session: a connection on which the client answers calls about its files, secrets and agents. */
import type { Duplex } from 'node:stream'
import type { DescMethod } from '@bufbuild/protobuf'
import type { BuildkitSession } from '../../../contract/index.ts'
import { GrpcClient } from '../../../grpc/index.ts'

/** An open session. */
export class ClientSession {
  readonly id: string
  readonly sharedKey: string
  readonly client: GrpcClient
  readonly #methods: ReadonlySet<string>

  constructor(connection: Duplex, { id, sharedKey, methods }: BuildkitSession) {
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
