/** Six containers on three networks of both families: which containers reach each other, by name and by address,
 *  before and after connect, disconnect, a restart of containers and a crash of the daemon. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { runCommand } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { Outside } from '../../helpers/networks/outside.ts'
import { freePort } from '../../helpers/ports.ts'
import { until } from '../../helpers/wait.ts'

const disabled = '/proc/sys/net/ipv6/conf/all/disable_ipv6'
const hasIpv6 = existsSync(disabled) && readFileSync(disabled, 'utf8').trim() === '0'

let daemon: TestDaemon
let outside: Outside
let port: number

/** Which container is currently on which networks. */
const members = new Map([
  ['ann', new Set(['red'])],
  ['bob', new Set(['red', 'green'])],
  ['cyd', new Set(['green'])],
  ['dan', new Set(['green', 'blue'])],
  ['eve', new Set(['blue'])],
  ['fay', new Set(['red', 'green', 'blue'])],
])
const names = [...members.keys()]

before(async () => {
  daemon = await TestDaemon.start({ flags: ['--default-address-pool', 'base=10.240.0.0/12,size=24'] })
  await daemon.loadBusybox()
  outside = await Outside.make()
  port = await freePort()
  const families = hasIpv6 ? ['--ipv6'] : []
  for (const name of ['red', 'green', 'blue']) await daemon.ok(['network', 'create', ...families, name])
  await Promise.all(
    names.map((name) => {
      const networks = [...(members.get(name) ?? [])].flatMap((network) => ['--network', network])
      const published = name === 'eve' ? ['-p', `${port}:80`] : []
      const script = `mkdir -p /www; echo ${name} >/www/index.html; httpd -p 81 -h /www; exec httpd -f -p 80 -h /www`
      return daemon.ok(['run', '-d', '--name', name, ...networks, ...published, 'busybox', 'sh', '-c', script])
    }),
  )
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await outside?.[Symbol.asyncDispose]()
})

type Addresses = Readonly<Record<string, readonly string[]>>

/** The addresses of a container by network, in URL form. */
async function addressesOf(container: string): Promise<Addresses> {
  const text = await daemon.ok(['inspect', '-f', '{{json .NetworkSettings.Networks}}', container])
  const networks = JSON.parse(text) as Record<string, { IPAddress: string; GlobalIPv6Address: string }>
  return Object.fromEntries(
    Object.entries(networks).map(([name, { IPAddress, GlobalIPv6Address }]) => [
      name,
      [IPAddress, ...(GlobalIPv6Address === '' ? [] : [`[${GlobalIPv6Address}]`])],
    ]),
  )
}

/** Each target's answer to a container, asked in parallel; '' for no answer in time. */
async function ask(
  from: string,
  targets: readonly string[],
  seconds: number,
): Promise<Readonly<Record<string, string>>> {
  const script = `for t in "$@"; do ( n=$(timeout ${seconds} wget -qO- "http://$t/" 2>/dev/null); echo "$t $n" ) & done; wait`
  const output = await daemon.ok(['exec', from, 'sh', '-c', script, 'sh', ...targets])
  return Object.fromEntries(
    output
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ') as [string, string]),
  )
}

/** Compares what each container reaches with the memberships. */
async function check(what: string, { byName = true } = {}): Promise<void> {
  const all = new Map(await Promise.all(names.map(async (name) => [name, await addressesOf(name)] as const)))
  for (const [name, networks] of members) {
    assert.deepEqual(Object.keys(all.get(name) ?? {}).sort(), [...networks].sort(), `${what}: networks of ${name}`)
  }
  await Promise.all(names.map((from) => checkFrom(from, all, what, byName)))
}

async function checkFrom(
  from: string,
  all: ReadonlyMap<string, Addresses>,
  what: string,
  byName: boolean,
): Promise<void> {
  const own = members.get(from) ?? new Set()
  const reachable: Record<string, string> = { [`${outside.hostAddress}:${port}`]: 'eve' }
  const unreachable: string[] = []
  for (const target of names) {
    const networks = all.get(target) ?? {}
    const shared = Object.keys(networks).filter((network) => own.has(network))
    for (const [network, addresses] of Object.entries(networks)) {
      for (const address of addresses) {
        // A container's own addresses answer on every network.
        if (!shared.includes(network) && target !== from) unreachable.push(address)
        else {
          reachable[address] = target
          reachable[`${address}:81`] = target
        }
      }
    }
    if (byName && shared.length > 0) reachable[target] = target
    else if (byName) unreachable.push(target)
  }
  await until(
    async () => {
      const answers = await ask(from, Object.keys(reachable), 5)
      const wrong = Object.entries(reachable).filter(([address, name]) => answers[address] !== name)
      return wrong.length === 0
    },
    { what: `${what}: ${from} to reach ${Object.entries(reachable).join(' ')}`, timeoutMs: 30_000, intervalMs: 200 },
  )
  const answers = await ask(from, unreachable, 1)
  for (const address of unreachable) assert.equal(answers[address] ?? '', '', `${what}: ${from} to ${address}`)
}

test('containers of one network reach each other by name and address, others do not', async (t) => {
  await t.test('at first', () => check('at first'))

  await t.test('after connect and disconnect', async () => {
    await daemon.ok(['network', 'connect', 'blue', 'ann'])
    await daemon.ok(['network', 'disconnect', 'green', 'bob'])
    members.get('ann')?.add('blue')
    members.get('bob')?.delete('green')
    await check('after connect and disconnect')
  })

  await t.test('after restarts', async () => {
    await daemon.ok(['restart', '-t', '0', 'ann', 'fay'])
    await check('after restarts')
  })

  await t.test('without the daemon, by address', async () => {
    const addresses = (await addressesOf('eve')).blue ?? []
    const pid = await daemon.ok(['inspect', '-f', '{{.State.Pid}}', 'ann'])
    await daemon.kill9()
    for (const address of addresses) {
      const curl = ['curl', '-g', '-s', '--max-time', '5', `http://${address}/`]
      const { stdout } = await runCommand('nsenter', ['--net', '-t', pid, ...curl])
      assert.equal(stdout.trim(), 'eve')
    }
    assert.equal(await outside.page(`http://${outside.hostAddress}:${port}/`), 'eve')
  })

  await t.test('after a kill of the daemon', async () => {
    await daemon.start()
    await check('after a kill of the daemon')
    await daemon.ok(['network', 'disconnect', 'blue', 'dan'])
    await daemon.ok(['network', 'connect', 'red', 'dan'])
    members.set('dan', new Set(['green', 'red']))
    await check('and changes after it')
  })
})
