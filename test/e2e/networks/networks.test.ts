/** User-defined networks: create, list, remove; which containers reach each other. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { runCommand, runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { networkHelpers } from '../../helpers/networks/endpoints.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
/** Ranges of this run's own: other runs may use the machine. */
const octet = process.pid % 250
const { endpoints, reaches, refused, web } = networkHelpers(() => daemon)

before(async () => {
  daemon = await TestDaemon.start({ flags: ['--default-address-pool', 'base=10.240.0.0/12,size=24'] })
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

describe('networks', () => {
  test('create takes every field; inspect and ls show it', async () => {
    const id = await daemon.ok([
      ...[
        'network',
        'create',
        '--subnet',
        `10.213.${octet}.0/24`,
        '--ip-range',
        `10.213.${octet}.128/25`,
        '--gateway',
        `10.213.${octet}.254`,
      ],
      ...['--aux-address', `printer=10.213.${octet}.129`, '--label', 'team=a', '--internal', '--attachable'],
      ...['-o', 'com.docker.network.driver.mtu=1400', '-o', 'own=option', 'full'],
    ])
    const [network] = JSON.parse(await daemon.ok(['network', 'inspect', id]))
    assert.deepEqual(
      { ...network, Created: '' },
      {
        Name: 'full',
        Id: id,
        Created: '',
        Scope: 'local',
        Driver: 'bridge',
        EnableIPv4: true,
        EnableIPv6: false,
        IPAM: {
          Driver: 'default',
          Options: {},
          Config: [
            {
              Subnet: `10.213.${octet}.0/24`,
              IPRange: `10.213.${octet}.128/25`,
              Gateway: `10.213.${octet}.254`,
              AuxiliaryAddresses: { printer: `10.213.${octet}.129` },
            },
          ],
        },
        Internal: true,
        Attachable: true,
        Ingress: false,
        ConfigFrom: { Network: '' },
        ConfigOnly: false,
        Containers: {},
        Options: { 'com.docker.network.driver.mtu': '1400', own: 'option' },
        Labels: { team: 'a' },
      },
    )
    const link = await runOrThrow('ip', ['-o', 'addr', 'show', `br-${id.slice(0, 12)}`])
    assert.match(link, /inet 10\.213\.\d+\.254\/24/)
    await web('full-1', '--network', 'full')
    const [endpoint] = Object.values(await endpoints('full-1'))
    assert.equal(endpoint?.IPAddress, `10.213.${octet}.128`)
    assert.equal(endpoint?.Gateway, '', 'no way out of an internal network')
    await web('full-2', '--network', id.slice(0, 10), '--ip', `10.213.${octet}.7`, '--mac-address', '02:00:00:00:00:07')
    const second = (await endpoints('full-2')).full
    assert.deepEqual(
      [second?.IPAddress, second?.IPPrefixLen, second?.MacAddress],
      [`10.213.${octet}.7`, 24, '02:00:00:00:00:07'],
    )
    assert.match(await daemon.ok(['exec', 'full-2', 'ip', 'addr', 'show', 'eth0']), /mtu 1400[\s\S]*02:00:00:00:00:07/)
    await until(() => reaches('full-2', `10.213.${octet}.128`), { what: 'the neighbor' })
    await refused(
      ['run', '--rm', '--network', 'full', '--ip', `10.213.${octet}.7`, 'busybox', 'true'],
      /Address already in use/,
    )
    await refused(
      ['run', '--rm', '--network', 'full', '--ip', '10.99.0.7', 'busybox', 'true'],
      /no configured subnet contains IP address 10\.99\.0\.7/,
    )
    await refused(
      ['network', 'rm', 'full'],
      /network full has active endpoints \(name:"full-[12]" id:"[0-9a-f]{12}", name:"full-[12]"/,
    )
    await daemon.ok(['rm', '-f', 'full-1', 'full-2'])
    await daemon.ok(['network', 'rm', 'full'])
    assert.notEqual((await runCommand('ip', ['link', 'show', `br-${id.slice(0, 12)}`])).code, 0)
  })

  test("impossible requests are refused in Docker's words", async () => {
    await daemon.ok(['network', 'create', '--subnet', `10.214.${octet}.0/24`, 'taken'])
    const create = (...args: string[]) => ['network', 'create', ...args]
    for (const [args, message] of [
      [create('taken'), /network with name taken already exists/],
      [create('bridge'), /operation is not permitted on predefined bridge network/],
      [create('-d', 'host', 'x'), /only one instance of "host" network is allowed/],
      [create('-d', 'nosuch', 'x'), /plugin "nosuch" not found/],
      [create('-d', 'overlay', 'x'), /This node is not a swarm manager/],
      [create('--ipam-driver', 'nosuch', 'x'), /plugin "nosuch" not found/],
      [
        create('--subnet', `10.215.${octet}.7/24`, 'x'),
        /invalid subnet 10\.215\.\d+\.7\/24: it should be 10\.215\.\d+\.0\/24/,
      ],
      [create('--subnet', `10.215.${octet}.0/24`, '--gateway', `10.216.${octet}.1`, 'x'), /10\.216\.\d+\.1/],
      [create('--subnet', `10.214.${octet}.128/25`, 'x'), /Pool overlaps with other one on this address space/],
      [create('--subnet', '127.0.0.0/24', 'x'), /overlaps.*interface lo has 127\.0\.0\.1\/8/],
      [create('-o', 'com.docker.network.bridge.enable_icc=maybe', 'x'), /failed to parse .*enable_icc value: maybe/],
      [create('-o', 'com.docker.network.driver.mtu=-3', 'x'), /invalid MTU number: -3/],
      [create('-o', 'com.docker.network.bridge.name=lo', 'x'), /interface lo exists and is not a bridge/],
      [create('--config-from', 'nosuch', 'x'), /configuration network "nosuch" does not exist/],
      [['network', 'rm', 'bridge'], /bridge is a pre-defined network and cannot be removed/],
      [['network', 'rm', 'nosuch'], /network nosuch not found/],
      [['run', '--rm', '--ip', '10.1.1.1', 'busybox', 'true'], /user specified IP address is supported/],
    ] as const) {
      await refused(args, message)
    }
    assert.equal(await daemon.ok(['network', 'ls', '-q', '-f', 'name=^x$']), '')
    await daemon.ok(['network', 'rm', 'taken'])
  })

  test('configuration networks give their settings to others', async () => {
    await daemon.ok([
      'network',
      'create',
      '--config-only',
      '--subnet',
      `10.217.${octet}.0/24`,
      '--label',
      'k=v',
      'settings',
    ])
    await daemon.ok(['network', 'create', '--config-from', 'settings', 'real'])
    const [real] = JSON.parse(await daemon.ok(['network', 'inspect', 'real']))
    assert.deepEqual(
      [real.ConfigFrom, real.IPAM.Config[0].Subnet, real.Labels],
      [{ Network: 'settings' }, `10.217.${octet}.0/24`, { k: 'v' }],
    )
    await refused(['network', 'rm', 'settings'], /configuration network "settings" is in use/)
    await daemon.ok(['network', 'rm', 'real', 'settings'])
  })

  test('ls and prune have filters', async () => {
    await daemon.ok(['network', 'create', '--label', 'keep', 'f-a'])
    await daemon.ok(['network', 'create', '--label', 'x=1', 'f-b'])
    await daemon.ok(['network', 'create', 'f-used'])
    await daemon.ok(['run', '-d', '--name', 'user', '--network', 'f-used', 'busybox', 'sleep', '1000'])
    const ls = async (...filters: string[]) => {
      const names = await daemon.ok([
        'network',
        'ls',
        '--format',
        '{{.Name}}',
        ...filters.flatMap((text) => ['-f', text]),
      ])
      return names
        .split('\n')
        .filter((name) => name !== '')
        .sort()
    }
    assert.deepEqual(await ls('type=custom'), ['f-a', 'f-b', 'f-used'])
    assert.deepEqual(await ls('type=builtin'), ['bridge', 'host', 'none'])
    assert.deepEqual(await ls('label=x=1'), ['f-b'])
    assert.deepEqual(await ls('label=keep', 'label=x'), [])
    assert.deepEqual(await ls('dangling=true'), ['f-a', 'f-b'])
    assert.deepEqual(await ls('driver=null'), ['none'])
    assert.deepEqual(await ls('name=f-', 'scope=local'), ['f-a', 'f-b', 'f-used'])
    assert.deepEqual(await ls('name=^f-.$'), ['f-a', 'f-b'])
    assert.deepEqual(await ls('name=^-'), [])
    await refused(['network', 'ls', '-f', 'dangling=foo'], /invalid value for filter 'dangling'/)
    assert.match(await daemon.ok(['network', 'prune', '-f', '--filter', 'label!=keep']), /f-b/)
    assert.deepEqual(await ls('type=custom'), ['f-a', 'f-used'])
    await daemon.ok(['rm', '-f', 'user'])
    await daemon.ok(['network', 'prune', '-f'])
    assert.deepEqual(await ls('type=custom'), [])
  })
})
