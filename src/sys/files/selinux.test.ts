import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { isSelinuxEnabled, selinuxPolicy } from './selinux.ts'

const enabled = { 'kernel/enforce': '1', current: 'system_u:system_r:init_t:s0\0' }
const lxcContexts = `
# comment
; and another
process = "system_u:system_r:container_t:s0"
content = "system_u:object_r:virt_var_lib_t:s0"
file = "system_u:object_r:container_file_t:s0"
nothing
empty =
`

function withHost(files: Readonly<Record<string, string>>, look: (places: Places) => void): void {
  const root = mkdtempSync(join(tmpdir(), 'bt-se-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), text)
    }
    look({
      kernel: join(root, 'kernel'),
      current: join(root, 'current'),
      policies: join(root, 'etc'),
      containers: join(root, 'containers'),
    })
  } finally {
    rmSync(root, { recursive: true })
  }
}

type Places = NonNullable<Parameters<typeof selinuxPolicy>[0]>

test('isSelinuxEnabled(): true with selinuxfs and a loaded policy', () => {
  for (const [files, expected] of [
    [enabled, true],
    [{ ...enabled, 'kernel/enforce': '0' }, true],
    [{ ...enabled, current: 'kernel\0' }, false],
    [{ ...enabled, current: '' }, false],
    [{ current: enabled.current }, false],
    [{ 'kernel/enforce': '1' }, false],
    [{}, false],
  ] as const) {
    withHost(files, (places) => assert.equal(isSelinuxEnabled(places), expected, JSON.stringify(files)))
  }
})

test('selinuxPolicy(): has the labels of the configured policy, or of container-selinux', () => {
  withHost({}, (places) => assert.equal(selinuxPolicy(places), undefined))
  withHost({ ...enabled }, (places) => assert.deepEqual(selinuxPolicy(places)?.contexts, {}))
  const configured = { ...enabled, 'etc/config': '# x\nSELINUX=permissive\nSELINUXTYPE=default\n' }
  const policy = { ...configured, 'etc/default/contexts/lxc_contexts': lxcContexts }
  withHost(policy, (places) =>
    assert.deepEqual(selinuxPolicy(places)?.contexts, {
      process: 'system_u:system_r:container_t:s0',
      content: 'system_u:object_r:virt_var_lib_t:s0',
      file: 'system_u:object_r:container_file_t:s0',
    }),
  )
  withHost({ ...enabled, 'etc/targeted/contexts/lxc_contexts': 'file = "f"' }, (places) =>
    assert.deepEqual(selinuxPolicy(places)?.contexts, { file: 'f' }),
  )
  withHost({ ...policy, containers: 'process = "p"\nfile = "f"' }, (places) =>
    assert.deepEqual(selinuxPolicy(places)?.contexts, { process: 'p', file: 'f' }),
  )
})
