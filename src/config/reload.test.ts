import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigSource } from './daemon-config.ts'

test("ConfigSource.reload() applies what can change, names what can't, and changes nothing on errors", async () => {
  const directory = mkdtempSync(join(tmpdir(), 'b-'))
  const file = join(directory, 'daemon.json')
  const write = (settings: unknown) => writeFileSync(file, JSON.stringify(settings))
  const accept = async () => {}
  try {
    write({ labels: ['a=1'], mtu: 1400 })
    const source = ConfigSource.open(['--config-file', file, '--dns', '203.0.113.1'])
    write({ labels: ['a=2'], mtu: 1300, bip: '10.9.0.1/24', 'live-restore': false })
    assert.deepEqual([...(await source.reload(accept))].sort(), ['bip', 'mtu'])
    assert.deepEqual([source.config.labels, source.config.network.mtu], [['a=2'], 1400])
    assert.deepEqual([source.config.liveRestore, source.config.network.dns], [false, ['203.0.113.1']])

    write({ 'no-such-key': 1 })
    await assert.rejects(source.reload(accept), /no-such-key/)
    write({ labels: ['a=3'] })
    await assert.rejects(
      source.reload(() => Promise.reject(new Error('refused'))),
      /refused/,
    )
    assert.deepEqual(source.config.labels, ['a=2'])
    assert.deepEqual(await source.reload(accept), ['mtu'])
    assert.deepEqual([source.config.labels, source.config.liveRestore], [['a=3'], true])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
