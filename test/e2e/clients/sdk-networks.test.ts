/** Networks, volumes and containers through unchanged third-party libraries: dockerode, and Debian's docker-py. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import Docker from 'dockerode'
import { runCommand } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

describe('dockerode', () => {
  let docker: Docker
  before(() => {
    docker = new Docker({ socketPath: daemon.socket })
  })

  test('volumes', async () => {
    const options = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' }
    await docker.createVolume({ Name: 'rode', DriverOpts: options, Labels: { a: 'b' } })
    const volume = docker.getVolume('rode')
    const { Options, Labels, Scope, Driver } = await volume.inspect()
    assert.deepEqual(
      { Options, Labels, Scope, Driver },
      { Options: options, Labels: { a: 'b' }, Scope: 'local', Driver: 'local' },
    )
    const { Volumes } = await docker.listVolumes({ filters: { label: ['a=b'], dangling: ['true'] } })
    assert.deepEqual(
      Volumes.map(({ Name }) => Name),
      ['rode'],
    )
    // Docker returns the existing volume, whatever options are given.
    await docker.createVolume({ Name: 'rode', DriverOpts: { type: 'nfs', device: ':/x' } })
    assert.deepEqual((await volume.inspect()).Options, options)
    await assert.rejects(docker.createVolume({ Name: 'other', Driver: 'nothing' }), { statusCode: 404 })
    const container = await docker.createContainer({ Image: 'busybox', HostConfig: { Binds: ['rode:/v'] } })
    await assert.rejects(volume.remove(), { statusCode: 409 })
    await container.remove()
    await volume.remove()
    await assert.rejects(volume.inspect(), { statusCode: 404 })
    const { SpaceReclaimed } = await docker.pruneVolumes({ filters: { label: ['none'] } })
    assert.equal(SpaceReclaimed, 0)
  })

  test('networks', async () => {
    const network = await docker.createNetwork({
      Name: 'rode',
      CheckDuplicate: true,
      Driver: 'bridge',
      IPAM: { Driver: 'default', Config: [{ Subnet: '10.213.7.0/24', Gateway: '10.213.7.1' }] },
      Labels: { a: 'b' },
    })
    await assert.rejects(docker.createNetwork({ Name: 'rode', CheckDuplicate: true }), { statusCode: 409 })
    const container = await docker.createContainer({
      Image: 'busybox',
      Cmd: ['sleep', '1000'],
      HostConfig: { Init: true },
    })
    await container.start()
    const endpoint = { IPAMConfig: { IPv4Address: '10.213.7.77' }, Aliases: ['alias'] }
    await network.connect({ Container: container.id, EndpointConfig: endpoint })
    const { NetworkSettings } = await container.inspect()
    assert.equal(NetworkSettings.Networks.rode?.IPAddress, '10.213.7.77')
    assert.deepEqual(Object.keys((await network.inspect()).Containers ?? {}), [container.id])
    assert.deepEqual(
      (await docker.listNetworks({ filters: { label: ['a'] } })).map(({ Name }) => Name),
      ['rode'],
    )
    await assert.rejects(network.remove(), { statusCode: 403 })
    await network.disconnect({ Container: container.id })
    await network.remove()
    await assert.rejects(network.inspect(), { statusCode: 404 })
    await docker.pruneNetworks()
    await container.remove({ force: true })
  })
})

const script = `
import docker, io, sys, tarfile, time
c = docker.DockerClient(base_url=sys.argv[1], version='auto')
def refused(status, work):
    try: work()
    except docker.errors.APIError as e: assert e.status_code == status, (e.status_code, e.explanation)
    else: assert False, 'not refused'

v = c.volumes.create('py', driver='local', driver_opts={'type': 'tmpfs', 'device': 'tmpfs'}, labels={'k': 'v'})
assert c.volumes.get('py').attrs['Labels'] == {'k': 'v'}
assert [x.name for x in c.volumes.list(filters={'label': 'k', 'dangling': True})] == ['py']
refused(404, lambda: c.volumes.get('nothing'))
refused(404, lambda: c.volumes.create('pyx', driver='nothing'))
v.remove()

pool = docker.types.IPAMPool(subnet='10.214.7.0/24', gateway='10.214.7.254', iprange='10.214.7.128/25', aux_addresses={'x': '10.214.7.128'})
n = c.networks.create('py', ipam=docker.types.IPAMConfig(pool_configs=[pool]), check_duplicate=True, labels={'a': 'b'})
refused(409, lambda: c.networks.create('py', check_duplicate=True))
assert [x.name for x in c.networks.list(names=['py'], greedy=True)] == ['py']
assert c.containers.run('busybox', ['sh', '-c', 'hostname -i'], remove=True, network='py').decode().startswith('10.214.7.')
x = c.containers.run('busybox', 'sleep 1000', detach=True, init=True, name='pc', network='py',
    volumes={'pvol': {'bind': '/v', 'mode': 'rw'}, '/tmp': {'bind': '/ht', 'mode': 'ro'}},
    ports={'80/tcp': None, '81/udp': ('127.0.0.1', 0)}, environment={'A': '1'}, mem_limit='64m', tmpfs={'/t': 'size=1m'},
    restart_policy={'Name': 'on-failure', 'MaximumRetryCount': 3}, extra_hosts={'foo': '1.2.3.4'},
    mounts=[docker.types.Mount('/m', 'mvol', type='volume', driver_config=docker.types.DriverConfig('local', {}), labels={'x': 'y'})])
x.reload()
assert set(x.ports) == {'80/tcp', '81/udp'}, x.ports
assert x.exec_run(['sh', '-c', 'echo out; echo err >&2; exit 3'], demux=True) == (3, (b'out\\n', b'err\\n'))
assert b''.join(x.exec_run(['sh', '-c', 'echo a; echo b'], stream=True).output) == b'a\\nb\\n'
b = io.BytesIO(); t = tarfile.open(fileobj=b, mode='w'); i = tarfile.TarInfo('hello'); i.size = 5; t.addfile(i, io.BytesIO(b'world')); t.close()
assert x.put_archive('/v', b.getvalue())
chunks, stat = x.get_archive('/v/hello')
assert stat['size'] == 5 and tarfile.open(fileobj=io.BytesIO(b''.join(chunks))).extractfile('hello').read() == b'world'
x.rename('pc2'); x.update(mem_limit='128m', memswap_limit='256m')
x.pause(); x.reload(); assert x.status == 'paused'; x.unpause()
assert x.stats(stream=False)['name'] == '/pc2' and x.top()['Titles'][0] == 'UID'
n2 = c.networks.create('py2')
n2.connect(x, aliases=['al']); n2.reload()
assert [y.name for y in n2.containers] == ['pc2']
refused(403, n2.remove)
n2.disconnect(x); n2.remove()
refused(409, lambda: c.volumes.get('pvol').remove())
x.restart(timeout=0); x.kill(); assert x.wait()['StatusCode'] == 137
assert [y.name for y in c.containers.list(all=True, filters={'name': 'pc2'})] == ['pc2']
x.remove(v=True, force=True)
assert {y['Name'] for y in c.df()['Volumes']} == {'pvol', 'mvol'}
assert c.volumes.prune(filters={'all': True})['VolumesDeleted'] == ['mvol', 'pvol']
assert c.networks.prune()['NetworksDeleted'] == ['py']
print('done')
`

test('docker-py: volumes, networks and containers', async () => {
  const { stdout, stderr, code } = await runCommand('/usr/bin/python3', ['-c', script, daemon.host], {
    timeoutMs: 90_000,
  })
  assert.equal(code, 0, stderr)
  assert.equal(stdout, 'done\n')
})
