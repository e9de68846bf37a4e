/** The access rules of a running registry. A reload replaces its users, groups, rules and keys. */
import type { Logger } from '../../base/index.ts'
import type { RegistryConfig } from '../../config/registry/index.ts'
import {
  type AccessControl,
  type Authorizer,
  type ObjectStorage,
  openAccessControl,
  type RegistryExtension,
  TokenExtension,
} from '../../registry/server/index.ts'

/** Authentication and authorization of one registry. */
export class RegistryAccess implements AsyncDisposable {
  readonly #objects: ObjectStorage
  readonly #logger: Logger
  #control: AccessControl

  private constructor(objects: ObjectStorage, logger: Logger, control: AccessControl) {
    this.#objects = objects
    this.#logger = logger
    this.#control = control
  }

  /** Reads the files that the configuration names. Rejects with `invalidArgument`. */
  static async open(
    config: RegistryConfig,
    { objects, logger }: { readonly objects: ObjectStorage; readonly logger: Logger },
  ): Promise<RegistryAccess> {
    return new RegistryAccess(objects, logger, await openControl(config, objects, logger))
  }

  /** Decides by the rules in force at the time of each request. */
  get authorizer(): Authorizer {
    return { authorize: (request) => this.#control.authorizer.authorize(request) }
  }

  /** The route `/token`. It answers 404 while the registry issues no tokens. */
  get tokens(): RegistryExtension {
    return {
      paths: ['/token'],
      answer: async (request) => {
        const { tokenService } = this.#control
        return tokenService === undefined ? { status: 404 } : new TokenExtension(tokenService).answer(request)
      },
    }
  }

  /** Puts another configuration in force. Rejects as `open` does; the old one then stays in force. */
  async reload(config: RegistryConfig): Promise<void> {
    const old = this.#control
    this.#control = await openControl(config, this.#objects, this.#logger)
    await old[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#control[Symbol.asyncDispose]()
  }
}

function openControl({ auth, http }: RegistryConfig, objects: ObjectStorage, logger: Logger): Promise<AccessControl> {
  const { publicUrl } = http
  const realm = publicUrl === undefined ? undefined : `${publicUrl}/token`
  const options =
    auth.kind === 'users' && auth.tokens !== undefined
      ? { ...auth, tokens: { ...auth.tokens, realm: auth.tokens.realm ?? realm } }
      : auth
  return openAccessControl(options, { objects, logger })
}
