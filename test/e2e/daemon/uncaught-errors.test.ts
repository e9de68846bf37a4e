/** An error of the daemon that nothing catches: it is logged, the daemon ends with an exit code that service
 *  managers treat as a failure, and containers keep running. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

/** Loaded into the daemon: throws the error on a signal. */
const faults: Readonly<Record<string, string>> = {
  unhandledRejection: "process.on('SIGUSR2', () => { Promise.reject(new TypeError('lost on the way')) })",
  uncaughtException: "process.on('SIGUSR2', () => { throw new TypeError('lost on the way') })",
}

describe('an uncaught error', () => {
  const directory = mkdtempSync('/tmp/b-fault-')
  after(() => rmSync(directory, { recursive: true }))

  for (const [origin, program] of Object.entries(faults)) {
    test(`${origin}: the daemon logs it at every log level, exits with 1, and the next daemon adopts the containers`, async () => {
      const path = join(directory, `${origin}.mjs`)
      writeFileSync(path, program)
      const env = { NODE_OPTIONS: `--import=${path}` }
      await using daemon = await TestDaemon.start({ flags: ['--log-level', 'fatal'], env })
      await daemon.loadBusybox()
      const id = await daemon.ok(['run', '-d', 'busybox', 'sleep', '1000'])
      const pid = await daemon.ok(['inspect', '-f', '{{.State.Pid}}', id])

      assert.equal(await daemon.stop('SIGUSR2'), 1)
      const lines = daemon.log.trimEnd().split('\n')
      assert.equal(lines.length, 1, daemon.log)
      const line = JSON.parse(lines[0] ?? '') as Record<string, string>
      assert.deepEqual(
        [line.level, line.message, line.origin, line.name],
        ['error', 'berthd ends: an error was not caught', origin, 'TypeError'],
      )
      assert.match(line.error ?? '', new RegExp(`^TypeError: lost on the way\n +at .*${origin}\\.mjs`))

      await daemon.start()
      assert.equal(await daemon.ok(['inspect', '-f', '{{.State.Status}} {{.State.Pid}}', id]), `running ${pid}`)
    })
  }
})
