import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { ResumableHash } from '../index.ts'

for (const algorithm of ['sha256', 'sha512'] as const) {
  test(`ResumableHash gives the same ${algorithm} as Node, wherever it is interrupted`, () => {
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, index) => (index * 7) % 251))
    const expected = createHash(algorithm).update(bytes).digest('hex')
    for (const cut of [0, 1, 63, 64, 65, 127, 128, 129, 500, 999, 1000]) {
      const first = ResumableHash.start(algorithm).update(bytes.subarray(0, cut))
      assert.equal(first.hex(), createHash(algorithm).update(bytes.subarray(0, cut)).digest('hex'))
      const second = ResumableHash.resume(algorithm, first.state())
      assert.equal(second?.update(bytes.subarray(cut)).hex(), expected)
    }
  })

  test(`ResumableHash refuses bytes that are not a state of ${algorithm}`, () => {
    const state = ResumableHash.start(algorithm).state()
    assert.equal(ResumableHash.resume(algorithm, state.subarray(1)), undefined)
    assert.equal(ResumableHash.resume(algorithm, Buffer.alloc(state.length)), undefined)
    assert.equal(ResumableHash.resume(algorithm, Buffer.alloc(state.length, 255)), undefined)
  })
}
