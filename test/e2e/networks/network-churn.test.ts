/** Many networks, and many clients that connect and disconnect at random: address management, names and rules stay
 *  consistent, and nothing is left. BERTH_CHURN_SECONDS (default 4), BERTH_CHURN_CLIENTS (12) and BERTH_SCALE_NETWORKS
 *  (20)
 *  make it longer and larger. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import type { RequestBody } from '../../helpers/daemons/api.ts'
import { networkTag, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { Random } from '../../helpers/random.ts'
import { until } from '../../helpers/wait.ts'

const seconds = Number(process.env.BERTH_CHURN_SECONDS ?? 4)
const clients = Number(process.env.BERTH_CHURN_CLIENTS ?? 12)
const networkCount = Number(process.env.BERTH_SCALE_NETWORKS ?? 20)

let daemon: TestDaemon

before(async () => {
  // /27 subnets: 29 containers each. The pool is the test's own, apart from those of other daemons.
  const pool = 'base=10.224.0.0/16,size=27'
  daemon = await TestDaemon.start({ flags: ['--default-address-pool', pool] })
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

interface Created {
  readonly Id: string
}

async function call<T>(method: string, path: string, body?: RequestBody): Promise<T> {
  const answer = await daemon.api<T>(method, path, body)
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

async function runContainer(name: string, network: string): Promise<string> {
  const body = { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: { NetworkMode: network } }
  const { Id } = await call<Created>('POST', `/containers/create?name=${name}`, body)
  await call('POST', `/containers/${Id}/start`)
  return Id
}

/** This daemon's state in the kernel: its devices, its namespaces, and the networks in its rules. */
async function kernelState(): Promise<{ links: string[]; namespaces: string[]; chains: number; elements: number }> {
  const tag = networkTag(daemon.dataRoot)
  const links = readdirSync('/sys/class/net').filter((name) => {
    if (name.startsWith(`bv${tag}`)) return true
    try {
      return readFileSync(`/sys/class/net/${name}/ifalias`, 'utf8').startsWith(`berth:${tag}:`)
    } catch {
      return false // removed meanwhile
    }
  })
  const table = await runOrThrow('nft', ['list', 'table', 'ip', `berth-${tag}`])
  return {
    links,
    namespaces: readdirSync(join(daemon.execRoot, 'netns')),
    chains: table.match(/chain in_/g)?.length ?? 0,
    elements: table.match(/"br-[0-9a-f]{12}" : jump in_/g)?.length ?? 0,
  }
}

async function nothingLeft(): Promise<void> {
  await until(
    async () => {
      const { links, namespaces, chains, elements } = await kernelState()
      // The default bridge's chain and no other.
      return links.length === 0 && namespaces.length === 0 && chains === 1 && elements === 0
    },
    { what: 'everything to be gone' },
  )
}

test('many networks with two containers each are created and removed, and nothing is left', async () => {
  const names = Array.from({ length: networkCount }, (_, index) => `scale-${index}`)
  await Promise.all(
    names.map(async (name) => {
      await call('POST', '/networks/create', { Name: name })
      await Promise.all([runContainer(`${name}-a`, name), runContainer(`${name}-b`, name)])
    }),
  )
  const state = await kernelState()
  assert.equal(state.chains, networkCount + 1)
  assert.equal(state.elements, networkCount)
  assert.equal(state.links.length, networkCount * 3)
  const subnets = await Promise.all(
    names.map(
      async (name) =>
        (await call<{ IPAM: { Config: { Subnet: string }[] } }>('GET', `/networks/${name}`)).IPAM.Config[0]?.Subnet,
    ),
  )
  assert.equal(new Set(subnets).size, networkCount)
  await Promise.all(
    names.map(async (name) => {
      await Promise.all(
        [`${name}-a`, `${name}-b`].map((container) => call('DELETE', `/containers/${container}?force=1`)),
      )
      await call('DELETE', `/networks/${name}`)
    }),
  )
  await nothingLeft()
})

test('after random connects and disconnects, addresses, names and rules are consistent', async (t) => {
  const seed = Date.now() % 1e9
  t.diagnostic(`seed ${seed}`)
  const containers = ['c1', 'c2', 'c3', 'c4', 'c5']
  const networks = ['n1', 'n2', 'n3']
  // Room for exactly these containers, so a leaked address is noticed.
  for (const [index, name] of networks.entries()) {
    const config = [{ Subnet: `10.225.${process.pid % 250}.${index * 8}/29` }]
    await call('POST', '/networks/create', { Name: name, IPAM: { Config: config } })
  }
  await Promise.all(containers.map((name) => runContainer(name, 'bridge')))
  const deadline = Date.now() + seconds * 1000
  const seen = new Set<number>()
  let done = 0
  await Promise.all(
    Array.from({ length: clients }, async (_, index) => {
      const random = new Random(seed + index)
      while (Date.now() < deadline) {
        const verb = random.pick(['connect', 'disconnect'])
        const body = { Container: random.pick(containers) }
        const { status } = await daemon.api('POST', `/networks/${random.pick(networks)}/${verb}`, body)
        // Forbidden: another client was faster.
        assert.ok(status === 200 || status === 403, `${verb}: ${status}`)
        seen.add(status)
        done += 1
      }
    }),
  )
  t.diagnostic(`${done} calls`)
  assert.ok(seen.has(200))
  await consistent(containers, networks)
  await daemon.kill9()
  await daemon.start()
  await consistent(containers, networks)
  // Every address is free or in use by its owner.
  for (const network of networks) {
    for (const Container of containers) await daemon.api('POST', `/networks/${network}/connect`, { Container })
  }
  await consistent(containers, networks)
  for (const network of networks) {
    const { Containers } = await call<{ Containers: object }>('GET', `/networks/${network}`)
    assert.equal(Object.keys(Containers).length, containers.length, network)
  }
  await Promise.all(containers.map((name) => call('DELETE', `/containers/${name}?force=1`)))
  await Promise.all(networks.map((name) => call('DELETE', `/networks/${name}`)))
  await nothingLeft()
})

interface Inspect {
  readonly Id: string
  readonly State: { readonly Pid: number }
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, { readonly IPAddress: string }>> }
}

/** Compares inspect of containers with the addresses inside them, with inspect of networks, and with the DNS. */
async function consistent(containers: readonly string[], networks: readonly string[]): Promise<void> {
  const inspected = new Map<string, Inspect>()
  for (const name of containers) inspected.set(name, await call<Inspect>('GET', `/containers/${name}/json`))
  for (const [name, { State, NetworkSettings }] of inspected) {
    const told = Object.values(NetworkSettings.Networks).map((endpoint) => endpoint.IPAddress)
    const shown = await runOrThrow('nsenter', [
      '--net',
      '-t',
      String(State.Pid),
      'ip',
      '-o',
      '-4',
      'addr',
      'show',
      'scope',
      'global',
    ])
    const there = [...shown.matchAll(/inet ([\d.]+)\//g)].map((match) => match[1])
    assert.deepEqual(there.sort(), told.sort(), name)
    const routes = await runOrThrow('nsenter', ['--net', '-t', String(State.Pid), 'ip', 'route', 'show', 'default'])
    assert.equal(routes.trim().split('\n').length, told.length === 0 ? 0 : 1, routes)
    const hosts = await daemon.ok(['exec', name, 'cat', '/etc/hosts'])
    for (const address of told) assert.ok(hosts.includes(`${address}\t`), `${name}: ${address}\n${hosts}`)
    assert.equal(hosts.match(/^10\./gm)?.length ?? 0, told.length, hosts)
  }
  for (const network of networks) {
    const { Containers } = await call<{ Containers: Record<string, { Name: string; IPv4Address: string }> }>(
      'GET',
      `/networks/${network}`,
    )
    const members = [...inspected].filter(([, one]) => network in one.NetworkSettings.Networks)
    assert.deepEqual(
      Object.values(Containers)
        .map(({ Name, IPv4Address }) => `${Name} ${IPv4Address.split('/')[0]}`)
        .sort(),
      members.map(([name, one]) => `${name} ${one.NetworkSettings.Networks[network]?.IPAddress}`).sort(),
    )
    const [asker] = members
    if (asker === undefined) continue
    for (const [name] of inspected) {
      const answer = await daemon.docker(['exec', asker[0], 'nslookup', `${name}.${network}`])
      const address = inspected.get(name)?.NetworkSettings.Networks[network]?.IPAddress
      assert.equal(
        answer.stdout.includes(`Address: ${address}`),
        address !== undefined,
        `${name}.${network}: ${answer.stdout}`,
      )
    }
  }
}
