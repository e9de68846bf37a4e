import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Descriptor, digestOf, type ImageIndex, mediaTypes } from '../../oci/index.ts'
import { blobPath, readWholeIndex } from './archive-index.ts'

const blob = (name: string, mediaType: string): Descriptor => ({ mediaType, digest: digestOf(name), size: 1 })

/** A layout with a manifest for each name. */
function layout(...names: readonly string[]) {
  const files = new Map<string, Buffer>()
  const manifests = names.map((name): Descriptor => {
    const config = blob(`config of ${name}`, mediaTypes.ociConfig)
    const layers = [blob(`layer of ${name}`, mediaTypes.ociLayer)]
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers }))
    const descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length }
    files.set(blobPath(descriptor), bytes)
    return descriptor
  })
  return { files, manifests }
}

function read(files: ReadonlyMap<string, Buffer>, manifests: readonly Descriptor[]) {
  const [chosen] = manifests
  assert.ok(chosen !== undefined)
  const index: ImageIndex = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }
  const bytes = Buffer.from(JSON.stringify(index))
  const descriptor = { mediaType: mediaTypes.ociIndex, digest: digestOf(bytes), size: bytes.length }
  return readWholeIndex((path) => files.get(path), { bytes, descriptor, index }, chosen)
}

test('readWholeIndex() lists the other images and the attestations', () => {
  const { files, manifests } = layout('chosen', 'other', 'statement')
  const [chosen, other, statement] = manifests
  assert.ok(chosen !== undefined && other !== undefined && statement !== undefined)
  const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' }
  const found = read(files, [chosen, other, { ...statement, annotations }])
  assert.deepEqual(
    found?.others.map(({ manifest, configPath }) => [manifest?.descriptor.digest, configPath]),
    [[other.digest, blobPath({ digest: digestOf('config of other') })]],
  )
  assert.deepEqual(
    found?.attestations.map(({ blobs }) => blobs.map(({ digest }) => digest)),
    [[digestOf('config of statement'), digestOf('layer of statement')]],
  )
})

test('readWholeIndex() gives nothing when a manifest is missing or for another system', () => {
  const { files, manifests } = layout('chosen', 'other')
  const [chosen, other] = manifests
  assert.ok(chosen !== undefined && other !== undefined)
  const windows = { ...other, platform: { os: 'windows', architecture: 'amd64' } }
  assert.equal(read(files, [chosen, windows]), undefined)
  files.delete(blobPath(other))
  assert.equal(read(files, [chosen, other]), undefined)
})
