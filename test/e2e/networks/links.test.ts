/** Links: on the default bridge (hosts, variables, `icc` off) and on user-defined networks. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

const server = 'mkdir -p /www; echo hello >/www/index.html; httpd -p 81 -h /www; exec httpd -f -p 80 -h /www'

async function page(daemon: TestDaemon, name: string, url: string): Promise<string> {
  // wget would wait for minutes when packets are dropped.
  const command = ['exec', name, 'timeout', '2', 'wget', '-q', '-O', '-', `http://${url}/`]
  return (await daemon.docker(command)).stdout.trim()
}

describe('links of the default bridge', () => {
  let daemon: TestDaemon

  before(async () => {
    daemon = await TestDaemon.start()
    await daemon.loadBusybox()
  })
  after(() => daemon?.[Symbol.asyncDispose]())

  async function serve(name: string, ...options: string[]): Promise<string> {
    await daemon.ok(['run', '-d', '--name', name, ...options, 'busybox', 'sh', '-c', server])
    await until(async () => (await page(daemon, name, '127.0.0.1')) === 'hello', { what: `the server in ${name}` })
    return daemon.ok(['inspect', '-f', '{{.NetworkSettings.IPAddress}}', name])
  }

  test('give a name and the variables of ports and environment, and inspect shows them', async () => {
    const address = await serve('db', '--expose', '80', '--expose', '53/udp', '-e', 'USER=root')
    await daemon.ok(['run', '-d', '--name', 'web', '--link', 'db:my-store', '--link', 'db', 'busybox', 'sleep', '1000'])
    assert.equal(await page(daemon, 'web', 'my-store'), 'hello')
    assert.equal(await page(daemon, 'web', 'db'), 'hello')
    const id = (await daemon.ok(['inspect', '-f', '{{.Id}}', 'db'])).slice(0, 12)
    const hosts = await daemon.ok(['exec', 'web', 'cat', '/etc/hosts'])
    assert.match(hosts, new RegExp(`^${address}\\tmy-store ${id} db$`, 'm'))
    assert.match(hosts, new RegExp(`^${address}\\tdb ${id}$`, 'm'))
    const env = (await daemon.ok(['exec', 'web', 'env'])).split('\n')
    for (const line of [
      `MY_STORE_PORT=udp://${address}:53`,
      `MY_STORE_PORT_80_TCP=tcp://${address}:80`,
      `MY_STORE_PORT_80_TCP_ADDR=${address}`,
      'MY_STORE_PORT_80_TCP_PORT=80',
      'MY_STORE_PORT_80_TCP_PROTO=tcp',
      'MY_STORE_NAME=/web/my-store',
      'MY_STORE_ENV_USER=root',
      'DB_NAME=/web/db',
    ]) {
      assert.ok(env.includes(line), `${line} in\n${env.join('\n')}`)
    }
    assert.ok(!env.some((line) => line.startsWith('MY_STORE_ENV_PATH')))
    const links = JSON.parse(await daemon.ok(['inspect', '-f', '{{json .HostConfig.Links}}', 'web']))
    assert.deepEqual(links, ['/db:/web/my-store', '/db:/web/db'])
    assert.equal(
      await daemon.ok(['ps', '--no-trunc', '--format', '{{.Names}}', '--filter', 'name=^/db$']),
      'db,web/my-store,web/db',
    )
  })

  test("follow the other container's restart and rename, and end with it", async () => {
    const before = await daemon.ok(['exec', 'web', 'cat', '/etc/hosts'])
    await daemon.ok(['stop', '-t', '0', 'db'])
    // Another container takes the address.
    await daemon.ok(['run', '-d', '--name', 'other', 'busybox', 'sleep', '1000'])
    await daemon.ok(['start', 'db'])
    const address = await daemon.ok(['inspect', '-f', '{{.NetworkSettings.IPAddress}}', 'db'])
    const hosts = await daemon.ok(['exec', 'web', 'cat', '/etc/hosts'])
    assert.notEqual(hosts, before)
    assert.match(hosts, new RegExp(`^${address}\\tmy-store `, 'm'))
    await until(async () => (await page(daemon, 'web', 'my-store')) === 'hello')
    await daemon.ok(['rename', 'db', 'base'])
    assert.match(await daemon.ok(['inspect', '-f', '{{.HostConfig.Links}}', 'web']), /\/base:\/web\/my-store/)
    await daemon.restart()
    assert.equal(await page(daemon, 'web', 'my-store'), 'hello')

    await daemon.ok(['rm', '--link', '/web/db'])
    assert.equal(await daemon.ok(['inspect', '-f', '{{.HostConfig.Links}}', 'web']), '[/base:/web/my-store]')
    assert.doesNotMatch(await daemon.ok(['exec', 'web', 'cat', '/etc/hosts']), /\tdb /)
    const again = await daemon.docker(['rm', '--link', '/web/db'])
    assert.match(again.stderr, /No such container: web\/db/)
    assert.match((await daemon.docker(['rm', '--link', 'web'])).stderr, /cannot remove the default link name/)

    await daemon.ok(['rm', '-f', 'base'])
    assert.equal(await daemon.ok(['inspect', '-f', '{{json .HostConfig.Links}}', 'web']), 'null')
    await daemon.ok(['restart', '-t', '0', 'web'])
    assert.doesNotMatch(await daemon.ok(['exec', 'web', 'env']), /STORE/)
    await daemon.ok(['rm', '-f', 'web', 'other'])
  })

  test("to an impossible container are refused in Docker's words", async () => {
    const create = async (...options: string[]) => (await daemon.docker(['create', ...options, 'busybox'])).stderr
    assert.match(await create('--link', 'nobody:x'), /could not get container for nobody/)
    assert.match(await create('--link', 'a:b:c'), /bad format for links: a:b:c/)
    await serve('db')
    assert.match(await create('--network', 'host', '--link', 'db'), /host type networking can't be used with links/)
    assert.match(await create('--network', 'container:db', '--link', 'db'), /can't be used with links/)
    await daemon.ok(['create', '--name', 'web', '--link', 'db:store', 'busybox', 'true'])
    await daemon.ok(['stop', '-t', '0', 'db'])
    assert.match(
      (await daemon.docker(['start', 'web'])).stderr,
      /Cannot link to a non running container: \/db AS \/web\/store/,
    )
    await daemon.ok(['rm', '-f', 'web', 'db'])
  })

  test('on a network with names are aliases for that container alone', async () => {
    await daemon.ok(['network', 'create', 'named'])
    await serve('db', '--network', 'named', '--network-alias', 'service')
    await daemon.ok([
      'run',
      '-d',
      '--name',
      'web',
      '--network',
      'named',
      '--link',
      'db:store',
      'busybox',
      'sleep',
      '1000',
    ])
    await daemon.ok(['run', '-d', '--name', 'other', '--network', 'named', 'busybox', 'sleep', '1000'])
    assert.equal(await page(daemon, 'web', 'store'), 'hello')
    assert.equal(await page(daemon, 'web', 'db.named'), 'hello')
    assert.equal(await page(daemon, 'other', 'service'), 'hello')
    assert.equal(await page(daemon, 'other', 'store'), '')
    const names = await daemon.ok(['inspect', '-f', '{{json .NetworkSettings.Networks.named.Links}}', 'web'])
    assert.equal(names, '["db:store"]')
    await daemon.kill9()
    await daemon.start()
    assert.equal(await page(daemon, 'web', 'store'), 'hello')
    assert.equal(await page(daemon, 'other', 'store'), '')
  })
})

test('with icc off are the only way, to exposed ports alone', async () => {
  await using daemon = await TestDaemon.start({ flags: ['--icc=false'] })
  await daemon.loadBusybox()
  await daemon.ok(['run', '-d', '--name', 'db', '--expose', '80', 'busybox', 'sh', '-c', server])
  await daemon.ok(['run', '-d', '--name', 'web', '--link', 'db:store', 'busybox', 'sleep', '1000'])
  await daemon.ok(['run', '-d', '--name', 'other', 'busybox', 'sleep', '1000'])
  const addressOf = (name: string) => daemon.ok(['inspect', '-f', '{{.NetworkSettings.IPAddress}}', name])
  await until(async () => (await page(daemon, 'web', 'store')) === 'hello')
  assert.equal(await page(daemon, 'web', 'store:81'), '')
  assert.equal(await page(daemon, 'other', await addressOf('db')), '')
  await daemon.kill9()
  await daemon.start()
  assert.equal(await page(daemon, 'web', 'store'), 'hello')
  await daemon.ok(['restart', '-t', '0', 'db'])
  await until(async () => (await page(daemon, 'web', 'store')) === 'hello')
  await daemon.ok(['rm', '--link', 'web/store'])
  assert.equal(await page(daemon, 'web', await addressOf('db')), '')
})
