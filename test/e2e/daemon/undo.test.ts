/** Work that fails and cannot be undone: the client gets the error of the work, and the log has both errors. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OverlaySnapshotter } from '../../../src/snapshots/index.ts'
import { TestEngine } from '../../helpers/daemons/engine.ts'

test('a create that loses its name to another one is a conflict, even if its layer cannot be removed', async (t) => {
  await using engine = await TestEngine.open()
  await engine.loadBusybox()
  const { prepare } = OverlaySnapshotter.prototype
  const both = Promise.withResolvers<void>()
  let waiting = 0
  t.mock.method(
    OverlaySnapshotter.prototype,
    'prepare',
    async function (this: OverlaySnapshotter, ...args: Parameters<typeof prepare>) {
      waiting += 1
      if (waiting === 2) both.resolve()
      await both.promise
      await prepare.apply(this, args)
    },
  )
  const remove = t.mock.method(OverlaySnapshotter.prototype, 'remove', () => Promise.reject(new Error('device busy')))
  const create = () => engine.api<{ message?: string }>('POST', '/containers/create?name=one', { Image: 'busybox' })
  const answers = await Promise.all([create(), create()])
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409])
  assert.match(answers.find(({ status }) => status === 409)?.body.message ?? '', /name "\/one" is already in use/)
  assert.equal(remove.mock.callCount(), 1)
  const lines = engine.log.filter(({ message }) => message === 'undo failed')
  assert.deepEqual(
    lines.map(({ level, component, error }) => [level, component, String(error)]),
    [['error', 'containers', 'Error: device busy']],
  )
  remove.mock.restore()
})
