import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toBuildRequest } from './frontend-request.ts'
import type { SolveInput } from './solve-input.ts'

function input(attrs: Record<string, string>, more: Partial<SolveInput> = {}): SolveInput {
  const session = { sharedKey: 'app:1' } as SolveInput['session']
  const none = { exports: [], cacheExports: [], cacheImports: [], entitlements: [], inputs: new Map() }
  return { frontend: 'dockerfile.v0', attrs, session, ...none, ...more }
}

test('toBuildRequest translates all options that buildx sends', () => {
  const attrs = {
    filename: 'docker/Dockerfile',
    target: 'app',
    platform: 'linux/amd64,linux/arm64',
    'build-arg:A': '1',
    'label:made': 'here',
    'no-cache': 'base,app',
    'add-hosts': 'one=10.0.0.1,two=::1',
    ulimit: 'nofile=10:20,core=0',
    'shm-size': '1048576',
    'force-network-mode': 'none',
    'image-resolve-mode': 'pull',
    'context:alpine': 'docker-image://alpine:3',
    'context:files': 'local:k0',
    'context:base': 'input:base',
    'context:layout': `oci-layout://store:1@sha256:${'a'.repeat(64)}`,
    'attest:provenance': 'mode=min,inline-only=true',
    'attest:sbom': '',
    'cache-imports': '[{"Type":"registry","Attrs":{"ref":"r/c"}}]',
    'vcs:revision': 'abc',
  }
  const { request, names } = toBuildRequest(
    input(attrs, {
      exports: [{ type: 'moby', attrs: { name: 'a,b', load: 'true' } }],
      cacheImports: [{ type: 'registry', attrs: { ref: 'r/c' } }],
      inputs: new Map([['base', 'result-1']]),
    }),
  )
  assert.deepEqual(request.targets, [{ name: 'app', tags: [], outputs: [{ type: 'image', attrs: { name: 'a,b' } }] }])
  assert.deepEqual(request.context, { kind: 'local', key: 'buildkit app:1 context' })
  assert.deepEqual(request.namedContexts, {
    alpine: { kind: 'image', reference: 'alpine:3' },
    files: { kind: 'local', key: 'buildkit app:1 k0' },
    base: { kind: 'result', id: 'result-1' },
    layout: { kind: 'layout', tag: '', digest: `sha256:${'a'.repeat(64)}` },
  })
  assert.deepEqual([...names.named], [['files', 'k0']])
  assert.equal(names.layouts.get('layout')?.store, 'store')
  assert.deepEqual(request.ulimits, [
    { Name: 'nofile', Soft: 10, Hard: 20 },
    { Name: 'core', Soft: 0, Hard: 0 },
  ])
  assert.deepEqual(request.attests, [{ type: 'sbom', attrs: {} }])
  assert.deepEqual(request.cacheFrom, [{ type: 'registry', attrs: { ref: 'r/c' } }])
  const { dockerfileName, platforms, buildArgs, labels, noCache, noCacheFilter, addHosts, network, pull } = request
  assert.deepEqual(
    [dockerfileName, platforms, buildArgs, labels, noCache, noCacheFilter, addHosts, network, pull],
    [
      'docker/Dockerfile',
      ['linux/amd64', 'linux/arm64'],
      { A: '1' },
      { made: 'here' },
      false,
      ['base', 'app'],
      ['one=10.0.0.1', 'two=::1'],
      'none',
      true,
    ],
  )
})

test('toBuildRequest recognizes the kinds of contexts', () => {
  const contextOf = (attrs: Record<string, string>, more: Partial<SolveInput> = {}) =>
    toBuildRequest(input(attrs, more)).request.context
  assert.deepEqual(contextOf({ context: 'https://host/x.git' }), { kind: 'remote', url: 'https://host/x.git' })
  assert.deepEqual(contextOf({ context: 'http://buildkit-session/abc' }), { kind: 'tar' })
  assert.deepEqual(contextOf({}, { archive: async function* () {} }), { kind: 'tar' })
  assert.deepEqual(toBuildRequest(input({})).request.targets[0]?.outputs, [{ type: 'cacheonly', attrs: {} }])
})

test('toBuildRequest names the unsupported option that it refuses', () => {
  const refusals: readonly (readonly [Partial<SolveInput>, RegExp])[] = [
    [{ attrs: { devices: 'x' } }, /the Dockerfile frontend's option devices/],
    [{ attrs: { 'shm-size': 'much' } }, /failed to parse shm size "much"/],
    [{ attrs: { ulimit: 'nofile' } }, /failed to parse ulimit "nofile"/],
    [{ attrs: { 'context:x': 'oci-layout://y' } }, /invalid OCI layout y for context x/],
    [{ attrs: { 'context:x': 'input:y' } }, /invalid input y for context x/],
    [{ attrs: { 'attest:other': '' } }, /unknown attestation type "other"/],
    [{ frontend: 'gateway.v0', attrs: { source: 'me/mine' } }, /BuildKit's frontend me\/mine/],
    [{ exports: [{ type: 'gif', attrs: {} }] }, /exporter "gif" could not be found/],
  ]
  for (const [more, expected] of refusals) assert.throws(() => toBuildRequest(input({}, more)), expected)
  const { frontend } = input({ source: 'docker/dockerfile:1.7' }, { frontend: 'gateway.v0' })
  assert.equal(frontend, 'gateway.v0')
  toBuildRequest(input({ source: 'docker/dockerfile:1.7' }, { frontend }))
})
