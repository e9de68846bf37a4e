/** `/healthz`: 200 as long as the storage can be read and written, else 503. */
import { messageOf } from '../../../base/index.ts'
import type { ExtensionAnswer, ExtensionRequest, RegistryExtension } from '../model/registry-extension.ts'
import type { RegistryStorage } from '../storage/registry-storage.ts'
import { jsonAnswer, methodNotAllowed, readOnly } from './extension-answers.ts'

/** The options of `HealthExtension`. */
export interface HealthOptions {
  readonly storage: Pick<RegistryStorage, 'check'>
  /** Called with the reason of a failure. The public answer doesn't contain it. */
  readonly onFailure?: ((message: string) => void) | undefined
}

/** Answers health checks. */
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
