/** Another program removes the daemon's firewall rules, on the test's own host. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { OwnHost } from '../../helpers/networks/own-host.ts'
import { until } from '../../helpers/wait.ts'

let host: OwnHost
let daemon: TestDaemon

before(async () => {
  host = OwnHost.make()
  daemon = await host.startDaemon()
  await daemon.ok(['run', '-d', '--name', 'echo', '-p', '8080:80', 'busybox', 'nc', '-ll', '-p', '80', '-e', 'cat'])
})
after(() => host?.[Symbol.asyncDispose]())

function tableName(): string {
  return /table ip (berth-\S+)/.exec(host.run('nft', 'list', 'tables'))?.[1] ?? ''
}

/** The daemon's rules and elements, without counters and other volatile parts. */
function rules(table: string): string {
  return host.run('nft', 'list', 'table', 'ip', table)
}

/** Whether the container's program is listening yet. */
async function isListening(port: number): Promise<boolean> {
  const listeners = await daemon.ok(['exec', 'echo', 'cat', '/proc/net/tcp', '/proc/net/tcp6'])
  return listeners.includes(`:${port.toString(16).padStart(4, '0').toUpperCase()} `)
}

/** A connection over which a message goes back and forth without a pause. */
class Talk {
  readonly #socket: Socket
  rounds = 0
  failure: Error | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', (error) => {
      this.failure = error
    })
    socket.on('close', () => {
      this.failure ??= new Error('closed')
    })
    socket.on('data', () => {
      this.rounds += 1
      socket.write('x')
    })
    socket.write('x')
  }

  /** Waits for that many more messages. */
  async goesOn(rounds: number): Promise<void> {
    const goal = this.rounds + rounds
    await until(() => {
      if (this.failure !== undefined) throw this.failure
      return this.rounds >= goal
    })
  }

  async end(): Promise<void> {
    this.failure ??= new Error('ended')
    this.#socket.destroy()
    await once(this.#socket, 'close')
  }
}

test('connections survive a flush of all rules, and the rules are restored', async () => {
  const table = tableName()
  const expected = rules(table)
  const containerAddress = await daemon.ok(['inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'echo'])
  await until(() => isListening(80))
  // From outside, from the host over its loopback, from the host to the container.
  const talks = [
    new Talk(host.connect(8080)),
    new Talk(host.connect(8080, '127.0.0.1', host.netns)),
    new Talk(host.connect(80, containerAddress, host.netns)),
  ]
  await Promise.all(talks.map((talk) => talk.goesOn(20)))
  for (let round = 0; round < 5; round += 1) {
    host.run('nft', 'flush', 'ruleset')
    await until(
      () => {
        try {
          return rules(table) === expected
        } catch {
          return false
        }
      },
      { what: 'the rules' },
    )
    await Promise.all(talks.map((talk) => talk.goesOn(20)))
  }
  const later = new Talk(host.connect(8080))
  await later.goesOn(1)
  await Promise.all([...talks, later].map((talk) => talk.end()))
})

test('single rules are restored too, and other tables stay unchanged', async () => {
  const table = tableName()
  const expected = rules(table)
  host.run('nft', 'add', 'table', 'ip', 'mine')
  for (const command of [
    ['flush', 'chain', 'ip', table, 'publish'],
    ['delete', 'element', 'ip', table, 'published_any', '{ tcp . 8080 }'],
    ['delete', 'table', 'ip', table],
  ]) {
    host.run('nft', ...command)
    await until(
      () => {
        try {
          return rules(table) === expected
        } catch {
          return false
        }
      },
      { what: `what "${command.join(' ')}" took away` },
    )
  }
  assert.match(host.run('nft', 'list', 'tables'), /table ip mine/)
})

test('the daemon does not repair its own changes', async () => {
  const before = daemon.log.split('built anew').length
  await daemon.ok(['run', '--rm', '-p', '8081:80', '-p', '8082:80/udp', 'busybox', 'true'])
  await daemon.restart()
  await daemon.ok(['run', '--rm', '-p', '8081:80', 'busybox', 'true'])
  assert.equal(daemon.log.split('built anew').length, before)
})

test('a saved rule set can be loaded again while the daemon runs', async () => {
  const table = tableName()
  const expected = rules(table)
  const saved = join(daemon.root, 'saved.nft')
  writeFileSync(saved, host.run('nft', 'list', 'ruleset'))
  const holdOf = () => /table inet (berth-\S+-hold-\S+)/.exec(host.run('nft', 'list', 'tables'))?.[1]
  const hold = holdOf()
  host.run('nft', 'flush', 'ruleset')
  await until(() => host.run('nft', 'list', 'tables').includes(`table ip ${table}\n`) && holdOf() !== hold)
  host.run('nft', '-f', saved)
  // Rules that were added to the daemon's table are removed with the next repair.
  host.run('nft', 'flush', 'chain', 'ip', table, 'publish')
  await until(() => rules(table) === expected, { what: 'the rules' })
})

test('iptables rules that drop forwarded packets are passed, and are unchanged at the end', async () => {
  await using other = OwnHost.make()
  other.run('iptables-legacy', '-P', 'FORWARD', 'DROP')
  const own = await other.startDaemon()
  const ping = ['ping', '-c', '1', '-W', '2', other.outsideAddress]
  assert.equal((await own.docker(['run', '--rm', 'busybox', ...ping])).code, 0)
  assert.match(other.run('iptables-legacy', '-S', 'FORWARD'), /-j BERTH-/)
  other.run('iptables-legacy', '-P', 'FORWARD', 'ACCEPT')
  await own.restart()
  assert.equal(other.run('iptables-legacy', '-S').includes('BERTH'), false)
})
