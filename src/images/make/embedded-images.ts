/** Images that every engine carries: pulling one asks no registry. */
import type { ProgressOptions } from '../../contract/index.ts'
import { familiarReference, hostPlatform, type Reference, withDefaultTag } from '../../oci/index.ts'
import { helloImage } from '../hello/index.ts'
import { importEmbedded } from './import-image.ts'

const helloName = 'hello:latest'

/** Whether the engine carries the image that this reference names. */
export function isEmbedded(reference: Reference): boolean {
  return familiarReference(withDefaultTag(reference)) === helloName
}

/** Stores the image for this host's architecture and names it, as a pull would. */
export async function pullEmbedded(
  parts: Parameters<typeof importEmbedded>[0],
  { onProgress }: ProgressOptions,
): Promise<void> {
  const { config, layerTar } = helloImage(hostPlatform().architecture === 'arm64' ? 'arm64' : 'amd64')
  await importEmbedded(parts, helloName, { created: config.created, defaults: config.config }, layerTar)
  onProgress?.({ status: 'Taken from the engine, which carries this image', id: 'latest' })
  onProgress?.({ status: `Status: Image is ready for ${helloName}` })
}
