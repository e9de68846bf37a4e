import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf, familiarReference, mediaTypes, type Platform } from '../../oci/index.ts'
import { readArchiveManifest } from './archive-manifest.ts'

type Files = Record<string, Buffer>

const amd64 = { os: 'linux', architecture: 'amd64' }
const arm64 = { os: 'linux', architecture: 'arm64' }

function addBlob(files: Files, value: unknown, mediaType: string) {
  const bytes = Buffer.from(JSON.stringify(value))
  const digest = digestOf(bytes)
  files[`blobs/sha256/${digest.slice(7)}`] = bytes
  return { mediaType, digest, size: bytes.length }
}

function addImage(files: Files, platform: Platform, extra: object = {}) {
  const config = addBlob(files, { ...platform, rootfs: { type: 'layers', diff_ids: [] } }, mediaTypes.ociConfig)
  const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [] }
  return { ...addBlob(files, manifest, mediaTypes.ociManifest), platform, ...extra }
}

function layout(files: Files, manifests: readonly object[]): Files {
  return { ...files, 'index.json': Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })) }
}

function read(files: Files, platform: Platform = amd64) {
  return readArchiveManifest((path) => files[path], platform).map(({ references, configPath }) => ({
    names: references.map(familiarReference),
    architecture: (JSON.parse(String(files[configPath])) as Platform).architecture,
  }))
}

test('readArchiveManifest() takes the best platform of an index, and of manifests with one name', () => {
  const annotations = { 'io.containerd.image.name': 'docker.io/library/x:1', 'org.opencontainers.image.ref.name': '1' }
  const flat: Files = {}
  const both = [addImage(flat, amd64, { annotations }), addImage(flat, arm64, { annotations })]
  const nested: Files = {}
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [addImage(nested, amd64), addImage(nested, arm64)],
  }
  const nestedIndex = { ...addBlob(nested, index, mediaTypes.ociIndex), annotations }
  for (const files of [layout(flat, both), layout(nested, [nestedIndex])]) {
    for (const platform of [amd64, arm64]) {
      assert.deepEqual(read(files, platform), [{ names: ['x:1'], architecture: platform.architecture }])
    }
  }
  assert.deepEqual(read(layout(flat, both), { os: 'linux', architecture: 's390x' }), [])
})

test('readArchiveManifest() gives an image all of its names, but ignores a bare tag', () => {
  const files: Files = {}
  const name = (text: string) => ({ 'org.opencontainers.image.ref.name': text })
  const image = addImage(files, amd64)
  const manifests = ['latest', 'a:1', 'quay.io/b', 'Not A Name:'].map((text) => ({ ...image, annotations: name(text) }))
  assert.deepEqual(read(layout(files, manifests)), [{ names: ['a:1', 'quay.io/b:latest'], architecture: 'amd64' }])
})

test('readArchiveManifest() refuses archives that have no images', () => {
  for (const [files, message] of [
    [{}, /^unrecognized image format/],
    [{ 'manifest.json': '{' }, /manifest.json is not JSON/],
    [{ 'manifest.json': '{}' }, /manifest.json is not a list/],
    [{ 'manifest.json': '[{}]' }, /an entry without Config/],
    [{ 'manifest.json': '[{"Config":"c","RepoTags":["UP"]}]' }, /must be lowercase/],
    [{ 'manifest.json': '[{"Config":"c","RepoTags":["busybox"]}]' }, /^invalid tag "busybox"$/],
    [{ 'index.json': '[]' }, /manifest is not a JSON object/],
    [{ 'index.json': '{"schemaVersion":2,"config":{},"layers":[]}' }, /./],
  ] as const) {
    const of = (path: string) =>
      path in files ? Buffer.from(String((files as Record<string, string>)[path])) : undefined
    assert.throws(() => readArchiveManifest(of), { kind: 'invalidArgument', message })
  }
})
