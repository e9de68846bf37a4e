/** Closing an engine inside its program: everything is closed even if a step fails, so the next engine can open the
 *  roots. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConmonRuntime, RunningContainer } from '../../../src/runtime/index.ts'
import { TestEngine } from '../../helpers/daemons/engine.ts'

test('a container that cannot be stopped does not keep the engine open', async (t) => {
  await using engine = await TestEngine.open()
  await engine.loadBusybox()
  const stubborn = await engine.create('stubborn', ['sleep', '1000'])
  await engine.create('meek', ['sh', '-c', 'trap exit TERM; while :; do sleep 0.1; done'])
  for (const name of ['stubborn', 'meek'])
    assert.equal((await engine.api('POST', `/containers/${name}/start`)).status, 204)
  const { kill } = RunningContainer.prototype
  const mocked = t.mock.method(RunningContainer.prototype, 'kill', function (this: RunningContainer, signal: number) {
    if (this.id === stubborn) throw new Error('operation not permitted')
    kill.call(this, signal)
  })
  const { engine: closing } = engine
  await assert.rejects(engine.close({ stopContainers: true }), (error) => {
    assert.ok(error instanceof AggregateError)
    assert.equal(
      error.message,
      'the engine was not closed completely: containers: containers were not stopped: operation not permitted',
    )
    return true
  })
  assert.deepEqual(
    engine.log
      .filter(({ level }) => level === 'error')
      .map(({ message, container, part }) => [message, container ?? part]),
    [
      ['container was not stopped', stubborn],
      ['not closed', 'containers'],
    ],
  )
  // A second close runs no step twice.
  await assert.rejects(closing.close(), AggregateError)
  mocked.mock.restore()

  await engine.open()
  const { body } = await engine.api<{ Names: string[]; State: string }[]>('GET', '/containers/json?all=1')
  assert.deepEqual(body.map(({ Names, State }) => `${Names[0]} ${State}`).sort(), ['/meek exited', '/stubborn running'])
})

test('an engine that fails to open leaves nothing open', async (t) => {
  await using engine = await TestEngine.open()
  await engine.close()
  const mocked = t.mock.method(ConmonRuntime, 'open', () => Promise.reject(new Error('conmon is not there')))
  await assert.rejects(engine.open(), /^Error: conmon is not there$/)
  mocked.mock.restore()
  await engine.open()
})
