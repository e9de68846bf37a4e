import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BuildRequest } from '../../api/index.ts'
import { formatStatement } from './attestations/attestation-manifest.ts'
import { imagePackageUrl, provenanceOf } from './attestations/provenance.ts'
import { annotationsFor } from './parts/annotations.ts'
import { parseImageAttributes } from './parts/image-attributes.ts'

const platform = { os: 'linux', architecture: 'amd64' }

test('parseImageAttributes accepts the attributes of images', () => {
  const attrs = { name: 'a:1,b:2', push: '', compression: 'zstd', 'compression-level': '19', 'oci-mediatypes': 'false' }
  const parsed = parseImageAttributes({ type: 'image', attrs: { ...attrs, 'annotation.k': 'v' } })
  assert.deepEqual([parsed.names, parsed.push, parsed.compression, parsed.level], [['a:1', 'b:2'], true, 'zstd', 19])
  assert.deepEqual([parsed.ociTypes, parsed.store, [...parsed.annotations]], [false, true, [['annotation.k', 'v']]])
  const registry = parseImageAttributes({ type: 'registry', attrs: {} })
  assert.deepEqual([registry.push, registry.store, registry.compression], [true, false, 'gzip'])
})

test('parseImageAttributes names the attribute that it refuses', () => {
  const parse = (attrs: Record<string, string>) => () => parseImageAttributes({ type: 'oci', attrs })
  assert.throws(parse({ nmae: 'x' }), /unknown option "nmae" for the oci exporter/)
  assert.throws(parse({ compression: 'lzma' }), /unsupported layer compression type: "lzma"/)
  assert.throws(parse({ compression: 'estargz' }), /compression estargz/)
  assert.throws(parse({ push: 'perhaps' }), /non-bool value "perhaps" for push/)
  assert.throws(parse({ 'registry.insecure': 'true' }), /output option registry\.insecure/)
})

test('annotationsFor puts each annotation into the document of its level', () => {
  const flags = {
    a: '1',
    'index:b': '2',
    'manifest,manifest-descriptor:c': '3',
    'manifest[linux/arm64]:d': '4',
    'org:e': '5',
  }
  const attributes = new Map([
    ['annotation.f', '6'],
    ['annotation-index-descriptor.g', '7'],
    ['annotation-manifest[linux/amd64].h', '8'],
  ])
  assert.deepEqual(annotationsFor(platform, flags, attributes), {
    manifest: { a: '1', c: '3', 'org:e': '5', f: '6', h: '8' },
    index: { b: '2' },
    'manifest-descriptor': { c: '3' },
    'index-descriptor': { g: '7' },
  })
  assert.throws(() => annotationsFor(platform, { 'indexes:x': 'y' }, new Map()), /unknown annotation type "indexes"/)
})

test('imagePackageUrl gives the package URL of an image', () => {
  assert.equal(imagePackageUrl('debian:12', platform), 'pkg:docker/debian@12?platform=linux%2Famd64')
  assert.equal(
    imagePackageUrl('r.example:5000/a/b', platform),
    'pkg:docker/r.example%3A5000/a/b@latest?platform=linux%2Famd64',
  )
})

const request: BuildRequest = {
  type: 'build',
  dockerfile: 'FROM debian:12\n',
  dockerfileName: 'Dockerfile',
  context: { kind: 'local', key: 'k' },
  targets: [{ name: 'app', tags: [], outputs: [] }],
  buildArgs: { TOKEN_LIKE: 'hidden' },
  labels: {},
  addHosts: [],
  noCache: false,
  pull: false,
  squash: false,
  explain: false,
  check: false,
  allow: [],
  secrets: [{ id: 's', value: 'c2VjcmV0' }],
  ssh: [],
  cacheFrom: [],
  cacheTo: [],
  attests: [],
}

const digest = `sha256:${'a'.repeat(64)}`
const facts = {
  request,
  image: {
    platform,
    stage: 'app',
    materials: [
      { kind: 'image', uri: 'debian:12', digest },
      { kind: 'git', uri: 'https://user:pw@host.example/x.git', digest: 'b'.repeat(40) },
    ] as const,
  },
  buildId: 'id1',
  started: '2026-01-02T03:04:05Z',
  finished: '2026-01-02T03:04:06Z',
}

test('provenanceOf lists all inputs, and build arguments and the Dockerfile only with mode=max', () => {
  const least = provenanceOf({}, facts)
  assert.equal(least.predicateType, 'https://slsa.dev/provenance/v0.2')
  const { predicate } = least as { readonly predicate: { readonly materials: unknown; readonly metadata: object } }
  assert.deepEqual(predicate.materials, [
    { uri: 'pkg:docker/debian@12?platform=linux%2Famd64', digest: { sha256: 'a'.repeat(64) } },
    { uri: 'https://host.example/x.git', digest: { sha1: 'b'.repeat(40) } },
  ])
  assert.doesNotMatch(JSON.stringify(least), /hidden|c2VjcmV0|RlJPTS/)
  const most = JSON.stringify(provenanceOf({ mode: 'max' }, facts))
  assert.match(most, /"build-arg:TOKEN_LIKE":"hidden"/)
  assert.match(most, /"secrets":\[\{"id":"s","optional":true\}\]/)
  assert.match(most, new RegExp(Buffer.from(request.dockerfile ?? '').toString('base64')))
  assert.doesNotMatch(most, /c2VjcmV0/)
})

test('provenanceOf supports version 1 too and refuses others', () => {
  const { predicateType, predicate } = provenanceOf({ version: 'v1', 'builder-id': 'https://ci.example/1' }, facts)
  assert.equal(predicateType, 'https://slsa.dev/provenance/v1')
  assert.deepEqual((predicate as { readonly runDetails: { readonly builder: unknown } }).runDetails.builder, {
    id: 'https://ci.example/1',
  })
  assert.throws(() => provenanceOf({ version: 'v9' }, facts), /unsupported provenance version "v9"/)
  assert.throws(() => provenanceOf({ mode: 'mid' }, facts), /invalid mode "mid"/)
  assert.throws(() => provenanceOf({ moed: 'max' }, facts), /unknown attribute "moed" of provenance/)
})

test('formatStatement gives an in-toto statement about the image', () => {
  const statement = formatStatement({ predicateType: 't', predicate: { a: 1 } }, [
    { name: 'n', digest: `sha256:${'c'.repeat(64)}` },
  ])
  assert.deepEqual(JSON.parse(statement.toString()), {
    _type: 'https://in-toto.io/Statement/v0.1',
    predicateType: 't',
    subject: [{ name: 'n', digest: { sha256: 'c'.repeat(64) } }],
    predicate: { a: 1 },
  })
})
