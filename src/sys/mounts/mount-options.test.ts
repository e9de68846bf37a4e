import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMountOptions } from './mount-options.ts'
import { parseMountInfo } from './mount-table.ts'

test('parseMountOptions: flags, data and propagation', () => {
  assert.deepEqual(parseMountOptions(['ro', 'nosuid', 'size=64m', 'mode=755']), {
    flags: 1 | 2,
    data: 'size=64m,mode=755',
    propagation: [],
  })
  assert.deepEqual(parseMountOptions(['rbind', 'rprivate']), {
    flags: 4096 | 16384,
    data: '',
    propagation: [262144 | 16384],
  })
})

test('parseMountOptions: later words override earlier ones', () => {
  assert.equal(parseMountOptions(['ro', 'rw']).flags, 0)
  assert.equal(parseMountOptions(['rw', 'ro']).flags, 1)
  assert.equal(parseMountOptions(['defaults', 'noexec', 'exec']).flags, 0)
})

test('parseMountInfo: optional fields and escaped names', () => {
  const text = [
    '36 35 98:0 /mnt1 /mnt\\0402 rw,noatime shared:1 master:2 - ext3 /dev/root rw,errors=continue',
    '37 36 0:5 / /proc rw - proc proc rw',
    '',
  ].join('\n')
  assert.deepEqual(parseMountInfo(text), [
    {
      id: 36,
      parentId: 35,
      root: '/mnt1',
      mountPoint: '/mnt 2',
      options: ['rw', 'noatime'],
      propagation: ['shared:1', 'master:2'],
      type: 'ext3',
      source: '/dev/root',
      superOptions: ['rw', 'errors=continue'],
    },
    {
      id: 37,
      parentId: 36,
      root: '/',
      mountPoint: '/proc',
      options: ['rw'],
      propagation: [],
      type: 'proc',
      source: 'proc',
      superOptions: ['rw'],
    },
  ])
})
