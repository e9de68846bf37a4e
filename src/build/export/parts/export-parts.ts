/** What exporters work with; `daemon` supplies it. */
import type { BuildEvent, BuildRequest } from '../../../api/index.ts'
import type { EventBus } from '../../../events/index.ts'
import type { ImageParts, ImagePushes } from '../../../images/index.ts'
import type { RegistryAuth } from '../../../registry/client/index.ts'
import type { BuiltImage, ByteSink } from '../../model/built-image.ts'

export interface ExportParts {
  readonly images: ImageParts
  readonly pushes: Pick<ImagePushes, 'pushParts'>
  readonly events: EventBus
  /** Mounts the layers up to a chain id, read-only. */
  openView(chainId: string): Promise<Disposable & { readonly path: string }>
}

/** What an exporter may use of whoever asked for the build. */
export interface ExportHost {
  readonly signal: AbortSignal
  emit(event: BuildEvent): void
  authOf(registry: string): Promise<RegistryAuth>
  /** A stream to the client; absent for clients that take none. */
  openOutput?(target: number, output: number, form: 'tar' | 'file'): Promise<ByteSink>
}

/** One output of one target. */
export interface WantedOutput {
  readonly target: number
  /** Index among the target's outputs. */
  readonly output: number
  readonly request: BuildRequest
}

/** The images of one target on their way out, one for each platform. */
export interface ExportJob {
  readonly images: readonly [BuiltImage, ...BuiltImage[]]
  readonly wanted: WantedOutput
  readonly host: ExportHost
}
