/** A process that sets up and tears down networks until it is killed: `node victim.ts DIRECTORY`. */
import { join } from 'node:path'
import { nullLogger } from '../../../src/base/index.ts'
import { Networks } from '../../../src/network/index.ts'
import { Database } from '../../../src/store/index.ts'
import { publish, sandboxRequest } from './namespaces.ts'

const [directory = ''] = process.argv.slice(2)
const networks = await Networks.open({
  db: Database.open(join(directory, 'db')),
  stateDir: join(directory, 'netns'),
  logger: nullLogger,
  config: { bip: undefined, mtu: 1500, icc: true, hostIp: '0.0.0.0', published: 'open', pools: [] },
  instance: directory,
})
await networks.restore(new Set())
for (let round = 0; round < 10_000; round += 1) {
  const names = Array.from({ length: 5 }, (_, index) => `c${round}x${index}x`)
  if (round === 1) console.log('running')
  await Promise.all(names.map((name) => networks.sandboxes.setUp(sandboxRequest(name, { ports: [publish(80)] }))))
  await Promise.all(names.slice(1).map((name) => networks.sandboxes.release(sandboxRequest(name).containerId)))
}
