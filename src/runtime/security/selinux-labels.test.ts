import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { labelOptions, SelinuxLabels, sharedLabel } from './selinux-labels.ts'

const process = 'system_u:system_r:container_t:s0'
const file = 'system_u:object_r:container_file_t:s0'
const contexts = { process, file }

function labels(
  knows: (label: string) => boolean = () => true,
  from: Record<string, string> = contexts,
): SelinuxLabels {
  const made = SelinuxLabels.of({ contexts: from, knows })
  assert.ok(made)
  return made
}

describe('SelinuxLabels', () => {
  it('of() gives undefined for a policy without labels for containers', () => {
    assert.equal(SelinuxLabels.of({ contexts: {}, knows: () => true }), undefined)
    assert.equal(SelinuxLabels.of({ contexts: { process }, knows: () => true }), undefined)
  })

  it('gives each container a pair of categories that no other has, the lower one first', () => {
    const all = labels()
    const levels = new Set<string>()
    for (let count = 0; count < 5000; count += 1) {
      const { process: own, mount } = all.allocate()
      const [, level = '', first, second] = /^system_u:system_r:container_t:(s0:c(\d+),c(\d+))$/.exec(own) ?? []
      assert.ok(Number(first) < Number(second) && Number(second) < 1024, own)
      assert.equal(mount, `system_u:object_r:container_file_t:${level}`)
      levels.add(level)
    }
    assert.equal(levels.size, 5000)
    assert.ok(!levels.has('s0:c1022,c1023'))
  })

  it('gives the last free pair, then throws, and reuses what was released', () => {
    const all = SelinuxLabels.of({ contexts, knows: () => true }, 8)
    assert.ok(all)
    const given = Array.from({ length: 28 }, () => all.allocate().process)
    assert.equal(new Set(given).size, 28)
    assert.throws(() => all.allocate(), { kind: 'conflict' })
    all.release(`${process}:c3,c5`)
    assert.equal(all.allocate().process, `${process}:c3,c5`)
    assert.throws(() => all.allocate(), { kind: 'conflict' })
    // A level of two containers is free when both are released.
    all.allocate(['level:s0:c1,c2'])
    all.release(`${process}:c1,c2`)
    assert.throws(() => all.allocate(), { kind: 'conflict' })
    all.release(`${process}:c1,c2`)
    assert.equal(all.allocate().process, `${process}:c1,c2`)
    all.release('')
    all.release('system_u:system_r:container_t:s0:c5,c6,c7')
  })

  it('does not give a reserved level to another container', () => {
    const all = SelinuxLabels.of({ contexts, knows: () => true }, 2)
    all?.reserve(`${process}:c0,c1`)
    assert.throws(() => all?.allocate(), { kind: 'conflict' })
  })

  it('changes the parts of a label that options name', () => {
    const all = labels()
    assert.deepEqual(all.allocate(['level:s0:c100,c200']), {
      process: `${process}:c100,c200`,
      mount: `${file}:c100,c200`,
    })
    assert.deepEqual(all.allocate(['user:u', 'role:r', 'type:t', 'filetype:f', 'level:s1']), {
      process: 'u:r:t:s1',
      mount: 'u:object_r:f:s1',
    })
    assert.match(all.allocate(['type:a', 'type:b', 'nested']).process, /^system_u:system_r:b:s0:c\d+,c\d+$/)
    assert.deepEqual(all.allocate(['type:a', 'disable']), { process: '', mount: `${file}:c1022,c1023` })
  })

  it('refuses labels that the policy does not have, and frees their levels', () => {
    const all = labels((label) => !label.includes(':bogus:'))
    for (const option of ['type:bogus', 'role:bogus', 'filetype:bogus']) {
      assert.throws(() => all.allocate([option]), { kind: 'invalidArgument', message: /bogus.* is not in this host/ })
    }
  })

  it('gives labels without levels if the policy has none', () => {
    const all = labels(() => true, { process: 'u:r:t', file: 'u:object_r:f' })
    assert.deepEqual(all.allocate(), { process: 'u:r:t', mount: 'u:object_r:f' })
    assert.deepEqual(all.allocate(['disable']), { process: '', mount: 'u:object_r:f' })
    assert.equal(sharedLabel('u:object_r:f'), 'u:object_r:f')
  })
})

describe('labels', () => {
  it('sharedLabel() removes the categories', () => {
    assert.equal(sharedLabel(`${file}:c3,c4`), file)
  })

  it('labelOptions() give the same label again', () => {
    const options = labelOptions(`${process}:c3,c4`)
    assert.deepEqual(options, ['user:system_u', 'role:system_r', 'type:container_t', 'level:s0:c3,c4'])
    assert.equal(labels().allocate(options).process, `${process}:c3,c4`)
    assert.deepEqual(labelOptions(''), [])
  })
})
