import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind } from '../../base/index.ts'
import { type ContainerStatus, checkVerb, isActive, isUp, requireRunning, type Verb } from './state.ts'

const refused: readonly (readonly [Verb, ContainerStatus, string])[] = [
  ['start', 'running', 'notModified'],
  ['start', 'paused', 'conflict'],
  ['start', 'dead', 'conflict'],
  ['stop', 'created', 'notModified'],
  ['stop', 'exited', 'notModified'],
  ['kill', 'exited', 'conflict'],
  ['pause', 'paused', 'conflict'],
  ['pause', 'restarting', 'conflict'],
  ['unpause', 'running', 'internal'],
  ['attach', 'paused', 'conflict'],
  ['attach', 'restarting', 'conflict'],
  ['remove', 'running', 'conflict'],
  ['remove', 'paused', 'conflict'],
  ['removeForced', 'removing', 'conflict'],
  ['exec', 'exited', 'conflict'],
  ['exec', 'paused', 'conflict'],
]

const passed: readonly (readonly [Verb, ContainerStatus])[] = [
  ['start', 'created'],
  ['start', 'exited'],
  ['start', 'restarting'],
  ['stop', 'paused'],
  ['kill', 'restarting'],
  ['restart', 'exited'],
  ['pause', 'running'],
  ['unpause', 'paused'],
  ['attach', 'created'],
  ['remove', 'dead'],
  ['removeForced', 'running'],
  ['exec', 'running'],
]

test('checkVerb() throws the error kind that matches Docker’s status code', () => {
  for (const [verb, status, kind] of refused) {
    assert.throws(
      () => checkVerb(verb, status, 'id', 'name'),
      (error) => isKind(error, kind as 'conflict'),
      `${verb} of ${status}`,
    )
  }
})

test('checkVerb() returns for every verb that the table allows', () => {
  for (const [verb, status] of passed) checkVerb(verb, status, 'id', 'name')
})

test('isUp(), isActive() and requireRunning() say which containers have a process', () => {
  assert.deepEqual(
    ['running', 'paused', 'restarting', 'exited'].map((one) => isUp(one as ContainerStatus)),
    [true, true, false, false],
  )
  assert.equal(isActive('restarting'), true)
  requireRunning({ id: 'a', state: { status: 'paused' } })
  assert.throws(() => requireRunning({ id: 'a', state: { status: 'exited' } }), /container a is not running/)
})
