import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { nullLogger } from '../../base/index.ts'
import { ResolvConfWatch } from './resolv-conf-watch.ts'

async function sees(what: () => boolean): Promise<void> {
  for (let rounds = 0; !what(); rounds += 1) {
    assert.ok(rounds < 1500, 'a change was not seen')
    await sleep(20)
  }
}

test('ResolvConfWatch reports new name servers after a write, a replacement and a changed link, and nothing else', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-resolv-'))
  const path = (name: string): string => join(directory, name)
  const file = path('resolv.conf')
  const servers: string[] = []
  writeFileSync(path('one'), 'nameserver 192.0.2.1\n')
  symlinkSync('one', file)
  let looks = 0
  const read = (): string => {
    looks += 1
    return readFileSync(file, 'utf8')
  }
  const afterLook = async (change: () => void): Promise<void> => {
    const before = looks
    change()
    await sees(() => looks > before)
  }
  const onChange = (): void => {
    servers.push(readFileSync(file, 'utf8'))
  }
  const watch = new ResolvConfWatch({ onChange, logger: nullLogger, files: [file], read })
  watch.start()
  try {
    writeFileSync(path('one'), 'nameserver 192.0.2.2\n')
    await sees(() => servers.length === 1)
    // A link to another file, by a rename.
    writeFileSync(path('two'), 'nameserver 192.0.2.3\n')
    symlinkSync('two', path('new'))
    renameSync(path('new'), file)
    await sees(() => servers.length === 2)
    // A missing file, another domain and the same servers are not reported.
    await afterLook(() => unlinkSync(file))
    await afterLook(() => writeFileSync(file, 'search example.org\nnameserver 192.0.2.3\n'))
    writeFileSync(file, 'nameserver 192.0.2.4\n')
    await sees(() => servers.length === 3)
    const all = ['192.0.2.2', '192.0.2.3', '192.0.2.4']
    assert.deepEqual(
      servers,
      all.map((server) => `nameserver ${server}\n`),
    )
  } finally {
    watch.close()
    rmSync(directory, { recursive: true })
  }
})
