/** docker-py (Debian's python3-docker), unchanged: all of its calls for containers. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runCommand } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

test('docker-py', async () => {
  const script = join(import.meta.dirname, '../../fixtures/docker_py.py')
  const { code, stdout, stderr } = await runCommand('python3', [script, daemon.host], { timeoutMs: 120_000 })
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^\d+ checks$/m)
})
