/** `/healthz`: 200 while the registry can serve, which is while its storage can be read and written. */
import { messageOf } from '../../../base/index.ts'
import type { ExtensionAnswer, ExtensionRequest, RegistryExtension } from '../model/registry-extension.ts'
import type { RegistryStorage } from '../storage/registry-storage.ts'
import { jsonAnswer, methodNotAllowed, readOnly } from './extension-answers.ts'

export interface HealthOptions {
  readonly storage: Pick<RegistryStorage, 'check'>
  /** Told what is wrong; the answer is open to everybody and tells only that something is. */
  readonly onFailure?: ((message: string) => void) | undefined
}

export class HealthExtension implements RegistryExtension {
  readonly paths = ['/healthz']
  readonly #options: HealthOptions

  constructor(options: HealthOptions) {
    this.#options = options
  }

  async answer({ method }: ExtensionRequest): Promise<ExtensionAnswer> {
    if (!readOnly(method)) return methodNotAllowed('GET', 'HEAD')
    const noStore = { 'Cache-Control': 'no-store' }
    try {
      await this.#options.storage.check()
      return jsonAnswer(200, { status: 'ok' }, noStore)
    } catch (error) {
      this.#options.onFailure?.(messageOf(error))
      return jsonAnswer(503, { status: 'storage unavailable' }, noStore)
    }
  }
}
