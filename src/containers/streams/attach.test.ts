import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OutputSink } from '../../base/index.ts'
import type { PendingAttach } from '../live/live.ts'
import type { ContainerContext } from '../record/dependencies.ts'
import { attachContainer } from './attach.ts'

const options = { stdin: false, stdout: true, stderr: true, stream: true, logs: false }

/** A client that never disconnects. */
const sink: OutputSink = { write: () => true, onDrain() {}, onClose() {}, end() {} }

/** An engine with one container that was created but not started. */
function engineWithContainer() {
  const pendingAttaches = new Set<PendingAttach>()
  const record = { id: 'c1', name: 'web', config: {}, hostConfig: {}, image: {}, state: { status: 'created' } }
  const context = {
    containers: { get: () => record },
    live: { of: () => ({ pendingAttaches }) },
    events: { publish() {} },
  } as unknown as ContainerContext
  return { context, pendingAttaches }
}

test('attachContainer() ends when its signal aborts, even before the container is started', async () => {
  const { context, pendingAttaches } = engineWithContainer()
  const abort = new AbortController()
  const source = await attachContainer(context, 'web', options, { signal: abort.signal })
  const ended = source.run({ sink })
  assert.equal(pendingAttaches.size, 1)
  abort.abort()
  await ended
  assert.equal(pendingAttaches.size, 0)
})

test('attachContainer() carries nothing if its signal was already aborted', async () => {
  const { context, pendingAttaches } = engineWithContainer()
  const source = await attachContainer(context, 'web', options, { signal: AbortSignal.abort() })
  await source.run({ sink })
  assert.equal(pendingAttaches.size, 0)
})
