/** The official CLI and `berth` on one daemon: the same output, errors and exit codes, except for ids, times and
 *  names. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TwoClis } from '../../helpers/clients/two-clis.ts'
import { noDockerCli, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { changing } from './changing.ts'
import { setUp } from './fixtures.ts'
import { reading } from './reading.ts'
import { runOptions } from './run-options.ts'
import { settings } from './settings.ts'

let daemon: TestDaemon
let clis: TwoClis

before(async () => {
  daemon = await TestDaemon.start()
  clis = new TwoClis(daemon, { variables: await setUp(daemon) })
})
after(() => daemon?.[Symbol.asyncDispose]())

// One after the other, so that changes do not appear in a list that is being compared.
describe('two CLIs', { skip: noDockerCli }, () => {
  describe('commands that read', { concurrency: 3 }, () => {
    for (const line of [...reading, ...settings]) {
      test(line, async () => {
        const { theirs, ours } = await clis.compare(line)
        assert.deepEqual(ours, theirs)
      })
    }
  })

  describe('commands that change', { concurrency: 3 }, () => {
    for (const script of [...changing, ...runOptions]) {
      test(script, async () => {
        const { theirs, ours } = await clis.run(script)
        assert.deepEqual(ours, theirs)
      })
    }
  })
})
