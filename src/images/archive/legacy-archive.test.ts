import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOf, familiarReference } from '../../oci/index.ts'
import { type LegacyReader, readLegacyArchive } from './legacy-archive.ts'

const [base, top] = ['b'.repeat(64), 'a'.repeat(64)]

/** An archive of these members; every `layer.tar` exists. */
function reader(layers: Readonly<Record<string, object>>): LegacyReader {
  const files = new Map(Object.entries(layers).map(([id, json]) => [`${id}/json`, Buffer.from(JSON.stringify(json))]))
  return {
    read: (path) => files.get(path),
    diffIdOf: async (path) => (files.has(path.replace('layer.tar', 'json')) ? digestOf(path) : undefined),
  }
}

const repositories = (content: object): Buffer => Buffer.from(JSON.stringify(content))

const twoLayers = {
  [base]: { id: base, created: '2014-01-01T00:00:00Z', container_config: { Cmd: ['/bin/sh', '-c', '<base>'] } },
  [top]: {
    id: top,
    parent: base,
    created: '2014-01-02T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    Size: 5,
    config: { Cmd: ['sh'] },
  },
}

test('readLegacyArchive() assembles a config from a chain of layers', async () => {
  const [image, ...more] = await readLegacyArchive(repositories({ old: { '1': top, latest: top } }), reader(twoLayers))
  assert.equal(more.length, 0)
  assert.deepEqual(image?.references.map(familiarReference), ['old:1', 'old:latest'])
  assert.deepEqual(
    image?.layers.map(({ path }) => path),
    [`${base}/layer.tar`, `${top}/layer.tar`],
  )
  const text = String(image?.configBytes)
  assert.ok(text.includes('\\u003cbase\\u003e'), 'as Go escapes it')
  const config = JSON.parse(text) as Readonly<Record<string, unknown>>
  assert.deepEqual(Object.keys(config), ['architecture', 'config', 'created', 'history', 'os', 'rootfs'])
  assert.deepEqual(config.rootfs, {
    type: 'layers',
    diff_ids: [digestOf(`${base}/layer.tar`), digestOf(`${top}/layer.tar`)],
  })
  assert.equal((config.history as unknown[]).length, 2)
})

test('readLegacyArchive() refuses damaged archives', async () => {
  const circle = { [base]: { id: base, parent: top }, [top]: { id: top, parent: base } }
  for (const [content, layers, message] of [
    [{ old: { '1': top } }, { [top]: twoLayers[top] ?? {} }, /invalid archive: /],
    [{ old: { '1': top } }, circle, 'invalid archive: too many layers'],
    [{ old: { '1': '../x' } }, twoLayers, 'invalid archive: ../x is not a layer'],
    [{ old: 'x' }, twoLayers, 'invalid archive: repositories names no tags'],
  ] as const) {
    await assert.rejects(readLegacyArchive(repositories(content), reader(layers)), { kind: 'invalidArgument', message })
  }
})
