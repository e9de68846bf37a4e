/** Pulls an image for `pull`, `run` and `create`. */
import { throwProgressError } from '../../client/index.ts'
import { familiarName, parseReference, type Reference, withDefaultTag } from '../../oci/index.ts'
import type { CliContext } from '../command/command.ts'
import { registryAuthFor } from '../login/registry-auth.ts'
import type { Output } from '../terminal/output.ts'
import { ProgressDisplay } from '../terminal/progress-display.ts'

/** How to pull. */
export interface PullImageOptions {
  readonly platform: string
  readonly quiet: boolean
  /** The output for the progress. */
  readonly progress: Output
  readonly allTags?: boolean
}

/** Pulls the image. Resolves with its complete reference. */
export async function pullImage(context: CliContext, text: string, options: PullImageOptions): Promise<Reference> {
  const parsed = parseReference(text)
  const reference = options.allTags === true ? parsed : withDefaultTag(parsed)
  const registryAuth = await registryAuthFor(context, reference.registry)
  const stream = context.client.images.pull({
    fromImage: familiarName(reference),
    tag: reference.digest ?? reference.tag,
    platform: options.platform,
    registryAuth,
  })
  const display = new ProgressDisplay(options.progress)
  for await (const message of stream) {
    throwProgressError(message)
    if (!options.quiet) display.show(message)
  }
  return reference
}
