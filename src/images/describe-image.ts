/** Images in the API's form: inspect and history. */
import type { ImageHistoryItem, ImageInspect } from '../api/index.ts'
import { zeroTime } from '../base/index.ts'
import type { Image } from './image.ts'
import { unixSeconds } from './list-images.ts'

/** `GET /images/{name}/json`. */
export function inspectImage(image: Image): ImageInspect {
  const { config } = image
  const osVersion = config['os.version']
  return {
    Id: image.id,
    RepoTags: image.references,
    RepoDigests: image.digests,
    Parent: image.parent ?? '',
    Comment: config.comment ?? config.history?.at(-1)?.comment ?? '',
    ...(image.created === zeroTime ? {} : { Created: image.created }),
    DockerVersion: config.docker_version ?? '',
    Author: config.author ?? '',
    Config: config.config ?? null,
    Architecture: config.architecture,
    ...(config.variant === undefined || config.variant === '' ? {} : { Variant: config.variant }),
    Os: config.os === '' ? 'linux' : config.os,
    ...(osVersion === undefined ? {} : { OsVersion: osVersion }),
    Size: image.sizeBytes,
    GraphDriver: { Name: 'overlay2', Data: null },
    RootFS: { Type: 'layers', Layers: image.layers.map((layer) => layer.diffId) },
    Metadata: { LastTagTime: image.lastTagTime === '' ? zeroTime : image.lastTagTime },
  }
}

/** `GET /images/{name}/history`: newest first. Layers without an entry of their own get a bare one. */
export function imageHistory(image: Image): ImageHistoryItem[] {
  const entries = image.config.history ?? []
  const items: ImageHistoryItem[] = []
  let next = 0
  for (const entry of entries) {
    const layer = entry.empty_layer === true ? undefined : image.layers[next]
    if (entry.empty_layer !== true) next += 1
    items.push({
      Id: '<missing>',
      Created: unixSeconds(entry.created ?? ''),
      CreatedBy: entry.created_by ?? '',
      Tags: null,
      Size: layer?.sizeBytes ?? 0,
      Comment: entry.comment ?? '',
    })
  }
  for (const layer of image.layers.slice(next)) {
    items.push({ Id: '<missing>', Created: 0, CreatedBy: '', Tags: null, Size: layer.sizeBytes, Comment: '' })
  }
  items.reverse()
  const [newest] = items
  if (newest !== undefined) items[0] = { ...newest, Id: image.id, Tags: image.references }
  return items
}
