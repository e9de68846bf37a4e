/** Archives and layers for the image tests, made in memory. */
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { packEntries, type TarMemberInput } from '../../../src/archive/index.ts'
import { digestOf, mediaTypes } from '../../../src/oci/index.ts'

export interface MadeImage {
  readonly config: Buffer
  readonly id: string
  readonly layers: readonly Buffer[]
}

/** Files by path. */
export type Tree = Readonly<Record<string, string | Buffer>>

/** A tar archive of these files. */
export async function tarOf(tree: Tree): Promise<Buffer> {
  const members = Object.entries(tree).map(([path, content]): TarMemberInput => {
    const bytes = Buffer.from(content)
    return { entry: { type: 'file', path, mode: 0o644 }, body: bytes }
  })
  return await collect(packEntries(members))
}

/** An image of these layers. */
export async function makeImage(
  trees: readonly Tree[],
  config: object = { Cmd: ['sh'] },
  os = 'linux',
): Promise<MadeImage> {
  const layers = await Promise.all(trees.map(tarOf))
  const bytes = Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os,
      created: '2024-01-02T03:04:05Z',
      config,
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(layer)) },
      history: layers.map((_, at) => ({ created: '2024-01-02T03:04:05Z', created_by: `step ${at}` })),
    }),
  )
  return { config: bytes, id: digestOf(bytes), layers }
}

/** An archive of `docker save` from before it wrote OCI layouts. */
export async function dockerArchive({ config, layers }: MadeImage, tags: readonly string[]): Promise<Buffer> {
  const manifest = [{ Config: 'c.json', RepoTags: tags, Layers: layers.map((_, at) => `l${at}/layer.tar`) }]
  return await tarOf({
    ...Object.fromEntries(layers.map((layer, at) => [`l${at}/layer.tar`, layer])),
    'c.json': config,
    'manifest.json': JSON.stringify(manifest),
  })
}

/** An archive of Docker 1.9: a directory for each layer, which names its parent, and no manifest. */
export async function v1Archive(trees: readonly Tree[], repository: string, tag: string): Promise<Buffer> {
  const files: Record<string, string | Buffer> = {}
  let parent: string | undefined
  for (const [at, tree] of trees.entries()) {
    const id = createHash('sha256').update(`layer ${at}`).digest('hex')
    const layer = {
      id,
      ...(parent === undefined ? {} : { parent }),
      created: `2015-01-0${at + 1}T00:00:00Z`,
      container_config: { Cmd: ['/bin/sh', '-c', `step ${at} > x`] },
      docker_version: '1.8.3',
      config: { Cmd: ['sh'] },
      architecture: 'amd64',
      os: 'linux',
    }
    Object.assign(files, {
      [`${id}/VERSION`]: '1.0',
      [`${id}/json`]: JSON.stringify(layer),
      [`${id}/layer.tar`]: await tarOf(tree),
    })
    parent = id
  }
  return await tarOf({ ...files, repositories: JSON.stringify({ [repository]: { [tag]: parent } }) })
}

/** An archive of Docker 1.10 to 24 of an image that has the same layer twice: the second one is a symlink. */
export async function linkedArchive(
  { config, layers: [layer = Buffer.alloc(0)] }: MadeImage,
  tag: string,
): Promise<Buffer> {
  const manifest = [{ Config: 'c.json', RepoTags: [tag], Layers: ['one/layer.tar', 'two/layer.tar'] }]
  const members: TarMemberInput[] = [
    { entry: { type: 'symlink', path: 'two/layer.tar', linkPath: '../one/layer.tar' } },
    { entry: { type: 'file', path: 'one/layer.tar' }, body: layer },
    { entry: { type: 'file', path: 'c.json' }, body: config },
    { entry: { type: 'file', path: 'manifest.json' }, body: Buffer.from(JSON.stringify(manifest)) },
  ]
  return await collect(packEntries(members))
}

/** Two images in one archive. */
export async function twoImages(first: MadeImage, second: MadeImage): Promise<Buffer> {
  const files: Record<string, string | Buffer> = {}
  const manifest = [first, second].map(({ config, layers }, at) => {
    const paths = layers.map((_, layer) => `${at}/${layer}.tar`)
    for (const [layer, path] of paths.entries()) files[path] = layers[layer] ?? ''
    files[`${at}.json`] = config
    return { Config: `${at}.json`, RepoTags: [`two:${at}`], Layers: paths }
  })
  return await tarOf({ ...files, 'manifest.json': JSON.stringify(manifest) })
}

/** An OCI image layout; `compress` compresses the layers' blobs. */
export async function ociLayout(
  { config, layers }: MadeImage,
  name: string,
  compress: (layer: Buffer) => Buffer = (layer) => layer,
  mediaType: string = mediaTypes.ociLayer,
): Promise<Buffer> {
  const blobs = layers.map(compress)
  const descriptor = (bytes: Buffer, type: string) => ({ mediaType: type, digest: digestOf(bytes), size: bytes.length })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: descriptor(config, mediaTypes.ociConfig),
      layers: blobs.map((blob) => descriptor(blob, mediaType)),
    }),
  )
  const annotations = { 'io.containerd.image.name': name }
  const index = { schemaVersion: 2, manifests: [{ ...descriptor(manifest, mediaTypes.ociManifest), annotations }] }
  const path = (bytes: Buffer) => `blobs/sha256/${createHash('sha256').update(bytes).digest('hex')}`
  return await tarOf({
    'oci-layout': '{"imageLayoutVersion":"1.0.0"}',
    'index.json': JSON.stringify(index),
    ...Object.fromEntries([config, manifest, ...blobs].map((bytes) => [path(bytes), bytes])),
  })
}

/** Bytes as a stream of small chunks. */
export function streamOf(bytes: Buffer, chunkBytes = 10_000): Readable {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) chunks.push(bytes.subarray(at, at + chunkBytes))
  return Readable.from(chunks)
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks)
}
