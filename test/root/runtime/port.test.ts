/** `ConmonRuntime` and `Networks` pass the suites of the ports through which containers use them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { newId, nullLogger } from '../../../src/base/index.ts'
import { Networks } from '../../../src/network/index.ts'
import { buildSpec, type ConmonRuntime } from '../../../src/runtime/index.ts'
import { Database } from '../../../src/store/index.ts'
import { containerRuntimeSuite } from '../../suites/container-runtime.ts'
import { containerSandboxesSuite } from '../../suites/container-sandboxes.ts'
import { networkRequest, skip as skipNetworks } from '../networks/namespaces.ts'
import { host, RuntimeFixture, skipReason } from './fixture.ts'

containerRuntimeSuite(
  'ConmonRuntime',
  async () => {
    const fixture = await RuntimeFixture.open()
    const opened: ConmonRuntime[] = []
    return {
      runtime: fixture.runtime,
      options() {
        const spec = buildSpec(fixture.spec(['sleep', '1000']), host)
        const id = fixture.newId()
        return { id, spec, stdin: false, logPath: fixture.logPath(id) }
      },
      exec() {
        const { process } = buildSpec(fixture.spec(['true']), host).spec
        return { process, stdin: false }
      },
      async reopen() {
        const next = await fixture.openRuntime()
        opened.push(next)
        return next
      },
      async teardown() {
        for (const one of opened) one.close()
        await fixture.close()
      },
    }
  },
  { skip: skipReason() },
)

containerSandboxesSuite(
  'Networks',
  async () => {
    const directory = mkdtempSync('/tmp/bn')
    const db = Database.open(join(directory, 'db'))
    const networks = await Networks.open({
      db,
      stateDir: join(directory, 'netns'),
      logger: nullLogger,
      config: { bip: undefined, mtu: 1500, icc: true, hostIp: '0.0.0.0', published: 'open', pools: [] },
      instance: directory,
    })
    await networks.restore(new Set())
    for (const name of ['one', 'two']) await networks.create(networkRequest(name))
    return {
      networks,
      names: ['one', 'two'] as const,
      newId: async () => newId(),
      async teardown() {
        await networks.close({ remove: true })
        db.close()
        rmSync(directory, { recursive: true })
      },
    }
  },
  { skip: skipNetworks },
)
