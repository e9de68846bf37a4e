/** `/token`: the path of the registry's own token service. */
import type { TokenService } from '../auth/token-service.ts'
import type { ExtensionAnswer, ExtensionRequest, RegistryExtension } from '../model/registry-extension.ts'
import { jsonAnswer, methodNotAllowed } from './extension-answers.ts'

/** Enough for a form with a password and some scopes. */
const maxFormBytes = 64 * 1024

/** Passes requests for tokens to a token service. */
export class TokenExtension implements RegistryExtension {
  readonly paths = ['/token']
  readonly #service: TokenService

  constructor(service: TokenService) {
    this.#service = service
  }

  async answer({ method, query, headers, readBody }: ExtensionRequest): Promise<ExtensionAnswer> {
    if (method !== 'GET' && method !== 'POST') return methodNotAllowed('GET', 'POST')
    const form = method === 'POST' ? new URLSearchParams((await readBody(maxFormBytes)).toString('utf8')) : undefined
    const answer = await this.#service.answer({ method, query, authorization: headers.authorization, form })
    return { ...jsonAnswer(answer.status, answer.body, answer.headers), user: answer.user }
  }
}
