/** Fields of the create body that say what runs, its names and its connections, through the API. A test's title
 *  begins with the fields that it tests. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

type Body = Readonly<Record<string, unknown>>

async function create(config: Body, hostConfig: Body = {}, networking?: Body): Promise<string> {
  const body = {
    Image: 'busybox',
    ...config,
    HostConfig: hostConfig,
    ...(networking ? { NetworkingConfig: networking } : {}),
  }
  const { status, body: answer, text } = await daemon.api<{ Id: string }>('POST', '/containers/create', body)
  assert.equal(status, 201, text)
  return answer.Id
}

async function refused(config: Body, hostConfig: Body = {}): Promise<string> {
  const body = { Image: 'busybox', ...config, HostConfig: hostConfig }
  const { status, body: answer } = await daemon.api<{ message: string }>('POST', '/containers/create', body)
  assert(status >= 400, `${status}`)
  return answer.message
}

interface Ended {
  readonly output: string
  readonly code: number
}

/** Runs a container to its end and removes it. */
async function run(config: Body, hostConfig: Body = {}, networking?: Body): Promise<Ended> {
  const id = await create(config, { NetworkMode: 'none', ...hostConfig }, networking)
  const started = await daemon.api('POST', `/containers/${id}/start`)
  assert.equal(started.status, 204, started.text)
  const { body } = await daemon.api<{ StatusCode: number }>('POST', `/containers/${id}/wait`)
  const output = await daemon.ok(['logs', id])
  await daemon.api('DELETE', `/containers/${id}?v=1`)
  return { output, code: body.StatusCode }
}

const script = (text: string) => ({ Cmd: ['sh', '-c', text] })

async function inspect<T>(id: string, format: string): Promise<T> {
  return JSON.parse(await daemon.ok(['inspect', '-f', `{{json ${format}}}`, id])) as T
}

const remove = (id: string) => daemon.api('DELETE', `/containers/${id}?force=1&v=1`)

/** An image with a configuration of its own. */
async function loadImage(reference: string, config: Body): Promise<void> {
  const archive = join(daemon.root, 'own.tar')
  await writeBusyboxArchive({ path: archive, reference, config })
  await daemon.ok(['load', '-q', '-i', archive])
  rmSync(archive)
}

test('Config.Image, Config.Cmd, Config.Entrypoint: decide what runs; a missing image is refused', async () => {
  assert.equal((await run({ Cmd: ['echo', 'by', 'command'] })).output, 'by command')
  assert.equal((await run({ Entrypoint: ['echo', 'entered'], Cmd: ['with this'] })).output, 'entered with this')
  assert.equal((await run({ Entrypoint: 'pwd' })).output, '/')
  assert.match(await refused({ Image: 'no-such-image' }), /No such image: no-such-image:latest/)
})

test('Config.Env, Config.WorkingDir: the process has these variables and this directory', async () => {
  const { output } = await run({
    ...script('echo $A-$PATH-$PWD'),
    Env: ['A=b c', 'PATH=/bin'],
    WorkingDir: '/new/place',
  })
  assert.equal(output, 'b c-/bin-/new/place')
  assert.match(await refused({ Env: ['=x'] }), /invalid environment variable: =x/)
  assert.match(await refused({ WorkingDir: 'relative' }), /the working directory 'relative' is invalid/)
})

test('Config.Hostname, Config.Domainname: the names that the container has for itself', async () => {
  const names = 'hostname; hostname -d 2>/dev/null; cat /proc/sys/kernel/domainname; tail -n 1 /etc/hosts'
  const { output } = await run(
    { ...script(names), Hostname: 'here', Domainname: 'example.org' },
    { NetworkMode: 'bridge' },
  )
  assert.match(output, /^here\n/)
  assert.match(output, /example\.org/)
  assert.match(output, /here\.example\.org here$/)
  assert.match(await refused({ Hostname: 'a b' }), /invalid hostname: a b/)
})

test("Config.Tty: output is a terminal's", async () => {
  const id = await create({ ...script('tty; echo out; echo err >&2'), Tty: true }, { NetworkMode: 'none' })
  await daemon.ok(['start', '-a', id])
  assert.equal((await daemon.docker(['logs', id])).stdout, '/dev/pts/0\r\nout\r\nerr\r\n')
  await remove(id)
})

test('Config.OpenStdin, Config.StdinOnce, Config.AttachStdin: standard input works, and ends with the client', async () => {
  assert.equal((await run({ Cmd: ['cat'] })).output, '')
  const once = await create(
    { Cmd: ['cat'], OpenStdin: true, StdinOnce: true, AttachStdin: true },
    { NetworkMode: 'none' },
  )
  assert.equal((await daemon.docker(['start', '-ai', once], { input: 'given' })).stdout, 'given')
  await until(async () => (await inspect<boolean>(once, '.State.Running')) === false)
  const open = await create(
    { Cmd: ['sh', '-c', 'read a; echo $a; read b; echo $b'], OpenStdin: true },
    { NetworkMode: 'none' },
  )
  await daemon.ok(['start', open])
  for (const line of ['one\n', 'two\n']) {
    assert.equal(await inspect<boolean>(open, '.State.Running'), true)
    const client = daemon.spawnDocker(['attach', '--sig-proxy=false', open])
    client.write(line)
    await until(async () => (await daemon.docker(['logs', open])).stdout.endsWith(line))
    client.kill('SIGKILL')
    await client.ended
  }
  await until(async () => (await daemon.docker(['logs', open])).stdout === 'one\ntwo\n')
  for (const id of [once, open]) await remove(id)
})

test('Config.AttachStdout, Config.AttachStderr: shown to clients; the attach request itself chooses the streams', async () => {
  const id = await create(
    { ...script('echo out; echo err >&2'), AttachStdout: true, AttachStderr: false },
    { NetworkMode: 'none' },
  )
  assert.deepEqual(await inspect(id, '.Config.AttachStdout'), true)
  assert.deepEqual(await inspect(id, '.Config.AttachStderr'), false)
  const { stdout, stderr } = await daemon.docker(['start', '-a', id])
  assert.deepEqual([stdout, stderr], ['out\n', 'err\n'])
  await remove(id)
})

test('Config.Labels: shown, and usable as a filter', async () => {
  const id = await create({ Cmd: ['true'], Labels: { color: 'red' } })
  assert.equal(await daemon.ok(['ps', '-aq', '--no-trunc', '--filter', 'label=color=red']), id)
  assert.deepEqual(await inspect(id, '.Config.Labels'), { color: 'red' })
  await remove(id)
})

test('Config.Volumes: an anonymous volume at the path', async () => {
  const id = await create(
    { ...script('grep -c " /data " /proc/mounts; touch /data/f'), Volumes: { '/data': {} } },
    { NetworkMode: 'none' },
  )
  assert.equal(await daemon.ok(['start', '-a', id]), '1')
  const [mount] = await inspect<{ Type: string; Name: string; Destination: string }[]>(id, '.Mounts')
  assert.deepEqual([mount?.Type, mount?.Destination], ['volume', '/data'])
  await daemon.ok(['volume', 'inspect', mount?.Name ?? ''])
  await remove(id)
})

test('Config.Healthcheck: runs inside; its result is in the state', async () => {
  const check = { Test: ['CMD-SHELL', 'test -e /healthy'], Interval: 100_000_000, Retries: 1, Timeout: 5_000_000_000 }
  const id = await create({ ...script('sleep 1000'), Healthcheck: check }, { NetworkMode: 'none' })
  await daemon.ok(['start', id])
  await until(async () => (await inspect<string>(id, '.State.Health.Status')) === 'unhealthy')
  await daemon.ok(['exec', id, 'touch', '/healthy'])
  await until(async () => (await inspect<string>(id, '.State.Health.Status')) === 'healthy')
  await remove(id)
  assert.match(await refused({ Healthcheck: { Interval: 1 } }), /Interval in Healthcheck cannot be less than 1ms/)
})

test('Config.StopSignal, Config.StopTimeout: the signal that stop sends, and how long stop waits', async () => {
  const listen = script('trap "echo usr1; exit 5" USR1; trap "" TERM; echo ready; while :; do sleep 0.1; done')
  const id = await create({ ...listen, StopSignal: 'SIGUSR1' }, { NetworkMode: 'none' })
  await daemon.ok(['start', id])
  await until(async () => (await daemon.docker(['logs', id])).stdout.includes('ready'))
  await daemon.ok(['stop', id])
  assert.deepEqual([await inspect(id, '.State.ExitCode'), await daemon.ok(['logs', id])], [5, 'ready\nusr1'])
  const deaf = await create({ ...listen, StopTimeout: 0 }, { NetworkMode: 'none' })
  await daemon.ok(['start', deaf])
  await until(async () => (await daemon.docker(['logs', deaf])).stdout.includes('ready'))
  await daemon.ok(['stop', deaf])
  assert.equal(await inspect(deaf, '.State.ExitCode'), 137)
  for (const each of [id, deaf]) await remove(each)
  assert.match(await refused({ StopSignal: 'SIGNONE' }), /signal: SIGNONE/i)
})

test('Config.OnBuild, Config.Shell, Config.ArgsEscaped: for builds and Windows; kept and shown, without effect', async () => {
  await loadImage('triggers:latest', { Cmd: ['echo', 'ran'], OnBuild: ['RUN false'], Shell: ['/no/such', '-c'] })
  assert.equal((await run({ Image: 'triggers' })).output, 'ran')
  const id = await create({ ...script('echo ran'), OnBuild: ['RUN false'], Shell: ['/no/such'], ArgsEscaped: true })
  assert.deepEqual(await inspect(id, '.Config.OnBuild'), ['RUN false'])
  assert.deepEqual(await inspect(id, '.Config.Shell'), ['/no/such'])
  await remove(id)
  await daemon.ok(['rmi', 'triggers'])
})

test('Config.ExposedPorts, HostConfig.PortBindings, HostConfig.PublishAllPorts: ports are reachable from the host', async () => {
  const serve = { Cmd: ['httpd', '-f', '-p', '80', '-h', '/etc'], ExposedPorts: { '80/tcp': {} } }
  for (const hostConfig of [
    { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] } },
    { PublishAllPorts: true },
  ]) {
    const id = await create(serve, hostConfig)
    await daemon.ok(['start', id])
    const port = (await inspect<{ HostPort: string }[]>(id, '(index .NetworkSettings.Ports "80/tcp")'))[0]?.HostPort
    await until(async () => (await fetch(`http://127.0.0.1:${port}/hostname`).catch(() => undefined))?.status === 200)
    await remove(id)
  }
  assert.match(
    await refused({}, { PortBindings: { '80/tcp': [{ HostPort: '99999' }] } }),
    /invalid port specification|99999/,
  )
})

test('Config.MacAddress, EndpointsConfig.MacAddress: the device has this address', async () => {
  const mac = '02:42:ac:11:aa:bb'
  const look = script('cat /sys/class/net/eth0/address')
  assert.equal((await run({ ...look, MacAddress: mac }, { NetworkMode: 'bridge' })).output, mac)
  const networking = { EndpointsConfig: { bridge: { MacAddress: mac } } }
  assert.equal((await run(look, { NetworkMode: 'bridge' }, networking)).output, mac)
  assert.match(await refused({ MacAddress: 'x' }), /x is not a valid mac address/)
})

test('EndpointsConfig.IPAMConfig, EndpointsConfig.Aliases, EndpointsConfig.GwPriority, EndpointsConfig.DriverOpts: apply on a user-defined network', async () => {
  const subnet = `10.${150 + (process.pid % 100)}.7.0/24`
  await daemon.ok(['network', 'create', '--subnet', subnet, 'fields'])
  const address = subnet.replace('0/24', '77')
  const settings = {
    IPAMConfig: { IPv4Address: address },
    Aliases: ['other-name'],
    GwPriority: 5,
    DriverOpts: { 'com.docker.network.endpoint.ifname': 'named0' },
  }
  const target = await create(
    script('sleep 1000'),
    { NetworkMode: 'fields' },
    { EndpointsConfig: { fields: settings } },
  )
  await daemon.ok(['start', target])
  assert.match(
    await daemon.ok(['exec', target, 'ip', '-4', '-o', 'addr', 'show', 'named0']),
    new RegExp(`inet ${address}/24`),
  )
  assert.equal(await inspect(target, '.NetworkSettings.Networks.fields.GwPriority'), 5)
  const asked = await run(script('ping -c 1 other-name'), { NetworkMode: 'fields' })
  assert.match(asked.output, new RegExp(`${address.replaceAll('.', '\\.')}.*1 packets received`, 's'))
  await remove(target)
  await daemon.ok(['network', 'rm', 'fields'])
})

test('EndpointsConfig.Links: another container by a name that the user chooses', async () => {
  await daemon.ok(['network', 'create', 'linked'])
  const target = await create(script('sleep 1000'), { NetworkMode: 'linked' })
  await daemon.ok(['start', target])
  const networking = { EndpointsConfig: { linked: { Links: [`${target.slice(0, 12)}:nick`] } } }
  assert.match(
    (await run(script('ping -c 1 nick'), { NetworkMode: 'linked' }, networking)).output,
    /1 packets received/,
  )
  await remove(target)
  await daemon.ok(['network', 'rm', 'linked'])
})

test('HostConfig.NetworkMode: none, host and another container work; an unknown one is refused', async () => {
  const devices = script('ls /sys/class/net | tr "\\n" " "')
  assert.equal((await run(devices, { NetworkMode: 'none' })).output.trim(), 'lo')
  assert.match((await run(devices, { NetworkMode: 'bridge' })).output, /eth0/)
  assert.match((await run(devices, { NetworkMode: 'host' })).output, new RegExp(await daemon.bridgeInterface()))
  const id = await create({}, { NetworkMode: 'no-such-network' })
  assert.match((await daemon.docker(['start', id])).stderr, /network no-such-network not found/)
  await remove(id)
})

test('HostConfig.Dns, HostConfig.DnsOptions, HostConfig.DnsSearch, HostConfig.ExtraHosts: appear in resolv.conf and hosts', async () => {
  const { output } = await run(script('cat /etc/resolv.conf /etc/hosts'), {
    NetworkMode: 'bridge',
    Dns: ['192.0.2.53'],
    DnsOptions: ['ndots:3'],
    DnsSearch: ['example.org'],
    ExtraHosts: ['elsewhere:192.0.2.9'],
  })
  assert.match(output, /nameserver 192\.0\.2\.53/)
  assert.match(output, /options ndots:3/)
  assert.match(output, /search example\.org/)
  assert.match(output, /192\.0\.2\.9\telsewhere/)
  assert.match(await refused({}, { ExtraHosts: ['nonsense'] }), /bad format for add-host: "nonsense"/)
})

test('HostConfig.Links: another container by a name; a missing one is refused', async () => {
  const target = await create(script('sleep 1000'), { NetworkMode: 'bridge' })
  await daemon.ok(['start', target])
  const linked = { NetworkMode: 'bridge', Links: [`${target.slice(0, 12)}:nick`] }
  assert.match((await run(script('ping -c 1 nick'), linked)).output, /1 packets received/)
  await remove(target)
  assert.match(await refused({}, { Links: ['no-such-container:b'] }), /no-such-container/)
})

test('HostConfig.LogConfig: chooses driver and options', async () => {
  assert.equal((await daemon.docker(['logs', await ended({ LogConfig: { Type: 'none' } })])).code, 1)
  const small = await ended({ LogConfig: { Type: 'json-file', Config: { 'max-size': '1k' } } })
  assert.match(await daemon.ok(['logs', small]), /said/)
  assert.match(await refused({}, { LogConfig: { Type: 'no-such-driver' } }), /no-such-driver/)
  assert.match(
    await refused({}, { LogConfig: { Type: 'json-file', Config: { color: 'red' } } }),
    /unknown log opt 'color'/,
  )
})

async function ended(hostConfig: Body): Promise<string> {
  const id = await create(script('echo said'), { NetworkMode: 'none', ...hostConfig })
  await daemon.ok(['start', id])
  await daemon.ok(['wait', id])
  return id
}

test('HostConfig.RestartPolicy: restarts the container as often as requested', async () => {
  const policy = { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 }, NetworkMode: 'none' }
  const id = await create(script('echo once; exit 3'), policy)
  await daemon.ok(['start', id])
  await until(async () => (await daemon.docker(['logs', id])).stdout === 'once\nonce\nonce\n')
  assert.equal(await inspect(id, '.RestartCount'), 2)
  await remove(id)
  assert.match(await refused({}, { RestartPolicy: { Name: 'never' } }), /unknown policy 'never'/)
})

test('HostConfig.AutoRemove: removes the container at its end; refused with a restart policy', async () => {
  const id = await create(script('true'), { NetworkMode: 'none', AutoRemove: true })
  await daemon.ok(['start', id])
  await until(async () => (await daemon.api('GET', `/containers/${id}/json`)).status === 404)
  assert.match(
    await refused({}, { AutoRemove: true, RestartPolicy: { Name: 'always' } }),
    /can't create 'AutoRemove' container/,
  )
})

test('HostConfig.CapAdd, HostConfig.CapDrop: change the capabilities of the process; unknown names are refused', async () => {
  const set = async (hostConfig: Body) =>
    BigInt(`0x${(await run(script("awk '/^CapEff/ {print $2}' /proc/self/status"), hostConfig)).output}`)
  const [chown, netAdmin] = [1n << 0n, 1n << 12n]
  const usual = await set({})
  assert.equal(await set({ CapDrop: ['CHOWN'] }), usual & ~chown)
  assert.equal(await set({ CapAdd: ['CAP_NET_ADMIN'] }), usual | netAdmin)
  assert.equal(await set({ CapDrop: ['ALL'] }), 0n)
  assert.match(await refused({}, { CapAdd: ['CAP_MAGIC'] }), /unknown capability: "CAP_MAGIC"/)
  assert.match(await refused({}, { CapDrop: ['CAP_MAGIC'] }), /unknown capability: "CAP_MAGIC"/)
})

test('HostConfig.ContainerIDFile: shown in inspect; the client writes the file', async () => {
  const id = await create({}, { ContainerIDFile: '/tmp/no-such-file' })
  assert.equal(await inspect(id, '.HostConfig.ContainerIDFile'), '/tmp/no-such-file')
  await remove(id)
})
