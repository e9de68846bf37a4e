/** An engine with an SELinux policy: which labels containers get and keep. The kernel need not have SELinux, so
 *  nothing is started under a label here; test/e2e/security/selinux.test.ts does that on hosts with SELinux. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { ContainerInspect, HostConfig } from '../../../src/api/index.ts'
import { isBerthError, nullLogger } from '../../../src/base/index.ts'
import { engineConfig } from '../../../src/config/index.ts'
import { createEngine, type Engine } from '../../../src/daemon/index.ts'
import { getXattr, type SelinuxPolicy } from '../../../src/sys/index.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'
const confined = /^system_u:system_r:container_t:(s0:c\d+,c\d+)$/
const policy: SelinuxPolicy = {
  contexts: {
    process: 'system_u:system_r:container_t:s0',
    file: 'system_u:object_r:container_file_t:s0',
    ro_file: 'system_u:object_r:container_ro_file_t:s0',
  },
  knows: (label) => !label.includes(':bogus_t:'),
}

const { signal } = new AbortController()
let root: string
let engine: Engine

async function open(selinux: SelinuxPolicy = policy): Promise<Engine> {
  const settings = { 'data-root': join(root, 'd'), 'exec-root': join(root, 'x'), 'selinux-enabled': true }
  const opened = await createEngine(engineConfig(settings), { logger: nullLogger, selinux })
  await opened.backends.images.pull('hello', { platform: undefined, auth: {}, onProgress() {}, signal })
  return opened
}

before(async () => {
  if (skip) return
  root = mkdtempSync('/tmp/bt-sel-')
  engine = await open()
})
after(async () => {
  await engine?.close({ removeNetwork: true })
  if (root !== undefined) rmSync(root, { recursive: true, force: true })
})

async function create(name: string, hostConfig: HostConfig = {}): Promise<ContainerInspect> {
  const { containers } = engine.backends
  await containers.create({ name, config: { Image: 'hello' }, hostConfig: { NetworkMode: 'none', ...hostConfig } })
  return await containers.inspect(name, { size: false })
}

const messageOf = (error: unknown) => (isBerthError(error) ? error.message : String(error))

describe('an engine with SELinux', { skip }, () => {
  test('reports it', async () => {
    const { SecurityOptions } = await engine.backends.system.info()
    assert.ok(SecurityOptions?.includes('name=selinux'))
    // The kernel checks this label when a program of an image is mapped.
    const layers = join(root, 'd/snapshots')
    assert.equal(getXattr(layers, 'security.selinux')?.toString(), 'system_u:object_r:container_ro_file_t:s0')
  })

  test('gives a container its own labels, also after a restart of the engine', async () => {
    const shown = [await create('one'), await create('two')]
    const labels = shown.map(({ ProcessLabel, MountLabel }) => [ProcessLabel, MountLabel])
    const [, first = ''] = confined.exec(shown[0]?.ProcessLabel ?? '') ?? []
    const [, second = ''] = confined.exec(shown[1]?.ProcessLabel ?? '') ?? []
    assert.notEqual(first, second)
    assert.equal(shown[0]?.MountLabel, `system_u:object_r:container_file_t:${first}`)
    await engine.close()
    engine = await open()
    for (const [index, name] of ['one', 'two'].entries()) {
      const { ProcessLabel, MountLabel } = await engine.backends.containers.inspect(name, { size: false })
      assert.deepEqual([ProcessLabel, MountLabel], labels[index])
    }
  })

  test("does not confine a container with the host's processes or all rights", async () => {
    for (const [name, hostConfig] of [
      ['privileged', { Privileged: true }],
      ['pid', { PidMode: 'host' }],
      ['ipc', { IpcMode: 'host' }],
      ['asked', { SecurityOpt: ['label=disable'] }],
    ] as const) {
      const shown = await create(name, hostConfig)
      assert.equal(shown.ProcessLabel, '', name)
      assert.equal(shown.MountLabel, 'system_u:object_r:container_file_t:s0:c1022,c1023', name)
      assert.deepEqual(shown.HostConfig.SecurityOpt, ['label=disable'], name)
    }
    const asked = await create('asked-too', { PidMode: 'host', SecurityOpt: ['label=type:spc_t'] })
    assert.match(asked.ProcessLabel, /^system_u:system_r:spc_t:s0:c\d+,c\d+$/)
  })

  test("gives a container that joins another one's processes the same label", async () => {
    const donor = await create('donor', { IpcMode: 'shareable' })
    for (const [name, hostConfig] of [
      ['joins-pid', { PidMode: 'container:donor' }],
      ['joins-ipc', { IpcMode: 'container:donor' }],
      ['joins-both', { IpcMode: 'container:donor', PidMode: 'container:donor' }],
    ] as const) {
      const shown = await create(name, hostConfig)
      assert.equal(shown.ProcessLabel, donor.ProcessLabel, name)
      assert.equal(shown.MountLabel, donor.MountLabel, name)
      assert.equal(shown.HostConfig.SecurityOpt?.[3], `label=level:${donor.ProcessLabel.split(':').slice(3).join(':')}`)
    }
    await create('other', { IpcMode: 'shareable' })
    await assert.rejects(
      create('joins-two', { IpcMode: 'container:donor', PidMode: 'container:other' }),
      /--ipc and --pid containers SELinux labels aren't the same/,
    )
  })

  test('HostConfig.SecurityOpt: label=… changes parts of the label', async () => {
    const shown = await create('parts', {
      SecurityOpt: ['label=type:svirt_apache_t', 'label=level:s0:c100,c200', 'label:filetype:httpd_content_t'],
    })
    assert.equal(shown.ProcessLabel, 'system_u:system_r:svirt_apache_t:s0:c100,c200')
    assert.equal(shown.MountLabel, 'system_u:object_r:httpd_content_t:s0:c100,c200')
    for (const [option, message] of [
      ['label=type:bogus_t', /SELinux label system_u:system_r:bogus_t:.* is not in this host's policy/],
      ['label=bogus', /bad label option "bogus", valid options 'disable' or/],
      ['label=typ:container_t', /bad label option "typ:container_t", valid options 'disable' or/],
      ['label', /invalid --security-opt 1: "label"/],
    ] as const) {
      await assert.rejects(
        create('refused', { SecurityOpt: [option] }),
        (error) => message.test(messageOf(error)),
        option,
      )
    }
  })

  test('leaves a container that was created without labels unlabeled until it starts', async () => {
    await engine.close({ removeNetwork: true })
    rmSync(root, { recursive: true })
    engine = await open({ contexts: {}, knows: () => true })
    const before = await create('old')
    assert.deepEqual([before.ProcessLabel, before.MountLabel], ['', ''])
    assert.ok(!(await engine.backends.system.info()).SecurityOptions?.includes('name=selinux'))
    await engine.close()
    engine = await open()
    // If the kernel has no SELinux, the start fails at the mount with a label; the label exists by then.
    await engine.backends.containers
      .start('old')
      .catch((error: unknown) => assert.match(messageOf(error), /EINVAL|mount/))
    assert.match((await engine.backends.containers.inspect('old', { size: false })).ProcessLabel, confined)
  })
})
