/** The calls of programs that run their own containers through the Engine API, and what these programs rely on in
 *  the answers: cri-dockerd (a Kubernetes node on Docker) and Nomad's docker driver. Sequences and fields are those
 *  of their public sources: https://github.com/Mirantis/cri-dockerd, https://github.com/hashicorp/nomad
 *  (drivers/docker). */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, rmdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runCommand } from '../../helpers/command.ts'
import { openRequest } from '../../helpers/daemons/api.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { until } from '../../helpers/wait.ts'

interface Inspected {
  readonly Id: string
  readonly Image: string
  readonly State: Readonly<Record<string, unknown>> & { readonly Pid: number; readonly ExitCode: number }
  readonly ResolvConfPath: string
  readonly HostsPath: string
  readonly LogPath: string
  readonly SizeRw?: number
  readonly NetworkSettings: { readonly SandboxKey: string; readonly IPAddress: string }
}

type Body = Readonly<Record<string, unknown>>

const cgroupV2 = existsSync('/sys/fs/cgroup/cgroup.controllers')
let daemon: TestDaemon
let registry: TestRegistry
let image: string
/** The cgroup of the pod. */
let parent: string

before(async () => {
  daemon = await TestDaemon.start()
  parent = `/${basename(daemon.root)}-kubepods/besteffort/pod4b8e1c`
  registry = await TestRegistry.start()
  const path = `${daemon.root}/image.tar`
  await writeBusyboxArchive({ path })
  image = await registry.push(path, 'busybox:latest')
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await registry?.[Symbol.asyncDispose]()
  for (const path of globSync([`/sys/fs/cgroup${parent}`, `/sys/fs/cgroup/*${parent}`])) {
    for (const one of [path, join(path, '..'), join(path, '../..')]) rmdirSync(one)
  }
})

async function call<T>(method: string, path: string, status: number, body?: Body): Promise<T> {
  const answer = await daemon.api<T>(method, path, body)
  assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`)
  return answer.body
}

const inspect = (id: string) => call<Inspected>('GET', `/containers/${id}/json?size=1`, 200)

async function create(name: string, body: Body): Promise<string> {
  return (await call<{ Id: string }>('POST', `/containers/create?name=${name}`, 201, body)).Id
}

async function start(id: string): Promise<Inspected> {
  await call('POST', `/containers/${id}/start`, 204)
  return await inspect(id)
}

/** As their clients do: create, start attached, inspect until it has ended. */
async function exec(id: string, cmd: readonly string[]): Promise<{ readonly output: string; readonly code: number }> {
  const body = { Cmd: cmd, AttachStdout: true, AttachStderr: true }
  const { Id } = await call<{ Id: string }>('POST', `/containers/${id}/exec`, 201, body)
  const { text } = await daemon.api('POST', `/exec/${Id}/start`, { Detach: false, Tty: false })
  const ended = async () => await call<{ Running: boolean; ExitCode: number }>('GET', `/exec/${Id}/json`, 200)
  await until(async () => !(await ended()).Running, { what: () => 'the exec to end' })
  // Frames: eight bytes before each text.
  return { output: text.replace(/[\x01\x02]\0{3}[\s\S]{4}/g, ''), code: (await ended()).ExitCode }
}

const list = (filters: Readonly<Record<string, readonly string[]>>, all = true) =>
  call<readonly { Id: string; Status: string; State: string; Labels: Record<string, string> }[]>(
    'GET',
    `/containers/json?all=${all}&filters=${encodeURIComponent(JSON.stringify(filters))}`,
    200,
  )

describe('cri-dockerd', () => {
  const pod = 'k8s_POD_web_default_4b8e1c_0'
  const name = 'k8s_app_web_default_4b8e1c_0'
  let least: number
  let sandbox: Inspected
  let app: Inspected

  before(async () => {
    // If the machine cannot go below its own value, neither can a container.
    const lowers = (await runCommand('sh', ['-c', 'echo -998 >/proc/self/oom_score_adj'])).code === 0
    least = lowers ? -998 : Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
  })
  test('version and info have what cri-dockerd checks on a node', async () => {
    const version = await call<{ ApiVersion: string }>('GET', '/version', 200)
    assert.match(version.ApiVersion, /^\d+\.\d+$/) // The client appends `.0` to make a semantic version.
    const info = await call<Body & { SecurityOptions: string[]; DockerRootDir: string }>('GET', '/info', 200)
    assert.match(String(info.CgroupDriver), /^(cgroupfs|systemd)$/)
    assert.match(String(info.CgroupVersion), /^[12]$/)
    assert.equal(info.LoggingDriver, 'json-file')
    assert.ok(info.SecurityOptions.some((option) => /^name=seccomp,profile=/.test(option)))
    assert.equal(
      info.SecurityOptions.some((option) => option.includes('name=userns')),
      false,
    )
    assert.ok(statSync(info.DockerRootDir).isDirectory())
  })

  test('a pull shows progress, digests, and an error status for a missing image', async () => {
    await call('GET', `/images/${image}/json`, 404)
    const [repository, tag] = [image.slice(0, image.lastIndexOf(':')), 'latest']
    const pulled = await openRequest(daemon.socket, 'POST', `/images/create?fromImage=${repository}&tag=${tag}`)
    let progress = ''
    for await (const chunk of pulled) progress += chunk
    for (const line of progress.trim().split('\n')) assert.equal('error' in (JSON.parse(line) as object), false, line)
    const shown = await call<{ Id: string; RepoTags: string[]; RepoDigests: string[]; Size: number }>(
      'GET',
      `/images/${image}/json`,
      200,
    )
    assert.deepEqual(shown.RepoTags, [image])
    assert.match(shown.RepoDigests[0] ?? '', new RegExp(`^${repository}@sha256:`))
    const missing = await daemon.api<{ message: string }>('POST', `/images/create?fromImage=${repository}&tag=none`)
    assert.deepEqual([missing.status, /not found|manifest unknown/.test(missing.body.message)], [404, true])
    const images = await call<readonly { Size: number; SharedSize: number }[]>(
      'GET',
      '/images/json?all=1&shared-size=1',
      200,
    )
    assert.ok(images.every(({ Size, SharedSize }) => Size >= SharedSize))
  })

  test("the sandbox has shareable IPC, no network of its own, sysctls, and the pod's group", async () => {
    const body = {
      Hostname: 'web',
      Image: image,
      Cmd: ['sleep', '10000'],
      Labels: {
        'io.kubernetes.pod.name': 'web',
        'io.kubernetes.docker.type': 'podsandbox',
        'annotation.kubernetes.io/config.source': 'api',
      },
      HostConfig: {
        IpcMode: 'shareable',
        NetworkMode: 'none',
        CgroupParent: parent,
        OomScoreAdj: least,
        CpuShares: 2,
        MemorySwap: 0,
        Sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' },
        SecurityOpt: ['seccomp=unconfined'],
        PortBindings: {},
        ShmSize: 64 << 20,
      },
    }
    const id = await create(pod, body)
    const again = await daemon.api<{ message: string }>('POST', `/containers/create?name=${pod}`, body)
    assert.equal(again.status, 409)
    // The client finds the container to remove in this way.
    assert.equal(/Conflict. (?:.)+ is already in use by container "?([0-9a-z]+)"?/.exec(again.body.message)?.[1], id)
    sandbox = await start(id)
    assert.equal(sandbox.State.Running, true)
    assert.equal(sandbox.NetworkSettings.IPAddress, '')
    assert.ok(existsSync(`/proc/${sandbox.State.Pid}/ns/net`))
    const group = cgroupV2 ? `/sys/fs/cgroup${parent}/${id}` : `/sys/fs/cgroup/memory${parent}/${id}`
    assert.ok(existsSync(group), group)
    assert.equal(readFileSync(`/proc/${sandbox.State.Pid}/oom_score_adj`, 'utf8').trim(), String(least))
    assert.deepEqual(
      (await list({ label: ['io.kubernetes.docker.type=podsandbox'], status: ['running'] }, false)).map(
        (one) => one.Id,
      ),
      [id],
    )
  })

  test('the sandbox uses the names file that cri-dockerd writes', async () => {
    // With O_TRUNC, as the client does: the mounted file stays the same one.
    writeFileSync(sandbox.ResolvConfPath, 'nameserver 10.96.0.10\nsearch default.svc.cluster.local\noptions ndots:5\n')
    assert.match((await exec(sandbox.Id, ['cat', '/etc/resolv.conf'])).output, /^nameserver 10\.96\.0\.10\nsearch def/)
  })

  test('a container of the pod has the namespaces, names and group of the sandbox', async () => {
    const shared = `container:${sandbox.Id}`
    const hosts = join(daemon.root, 'etc-hosts')
    writeFileSync(hosts, '127.0.0.1 localhost\n10.0.0.9 web\n')
    const id = await create(name, {
      Image: (await call<{ Id: string }>('GET', `/images/${image}/json`, 200)).Id,
      Entrypoint: ['sh', '-c'],
      Cmd: ['echo out; echo err >&2; nc -l -p 8080 -e echo answered; exec sleep 10000'],
      Env: ['KUBERNETES_PORT=tcp://10.96.0.1:443'],
      WorkingDir: '',
      OpenStdin: false,
      StdinOnce: false,
      Tty: false,
      Healthcheck: { Test: ['NONE'] },
      Labels: {
        'io.kubernetes.docker.type': 'container',
        'io.kubernetes.sandbox.id': sandbox.Id,
        'io.kubernetes.container.logpath': join(daemon.root, 'app.log'),
      },
      HostConfig: {
        Binds: [`${hosts}:/etc/hosts`],
        RestartPolicy: { Name: 'no' },
        NetworkMode: shared,
        IpcMode: shared,
        PidMode: shared,
        CgroupParent: parent,
        OomScoreAdj: 1000,
        Memory: 64 << 20,
        MemorySwap: 64 << 20,
        CpuShares: 2,
        CpuQuota: 50_000,
        CpuPeriod: 100_000,
        Devices: [],
        SecurityOpt: ['seccomp=unconfined'],
        MaskedPaths: ['/proc/kcore'],
        ReadonlyPaths: ['/proc/sys'],
        ConsoleSize: [0, 0],
        GroupAdd: [],
      },
    })
    app = await start(id)
    for (const kind of ['net', 'ipc', 'pid']) {
      const of = async ({ State }: Inspected) =>
        (await runCommand('readlink', [`/proc/${State.Pid}/ns/${kind}`])).stdout
      assert.equal(await of(app), await of(sandbox), kind)
    }
    const seen = (await exec(id, ['sh', '-c', 'cat /etc/resolv.conf /etc/hosts; hostname; ls /proc/1/exe; id -u']))
      .output
    assert.match(seen, /nameserver 10\.96\.0\.10[\s\S]*10\.0\.0\.9 web\n[\s\S]*web\n/)
    assert.equal((await exec(id, ['sh', '-c', 'exit 7'])).code, 7)
    const [row] = await list({ label: [`io.kubernetes.sandbox.id=${sandbox.Id}`] })
    assert.deepEqual([row?.Id, /^Up /.test(row?.Status ?? '')], [id, true])
  })

  test('kubelet can read the log behind its symlink, and rotation works', async () => {
    const link = join(daemon.root, 'app.log')
    symlinkSync(app.LogPath, link)
    await until(() => readFileSync(link, 'utf8').includes('err'), { what: () => 'both lines' })
    // The CRI's log format, which kubelet tries before Docker's.
    const lines = readFileSync(link, 'utf8').trimEnd().split('\n')
    for (const line of lines)
      assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d) (stdout|stderr) F \w+$/)
    assert.deepEqual(lines.map((line) => line.split(' ').slice(1).join(' ')).toSorted(), [
      'stderr F err',
      'stdout F out',
    ])
    const config = {
      LogConfig: { Type: 'json-file', Config: { 'max-size': '20k', 'max-file': '2' } },
      NetworkMode: 'none',
    }
    const flood = ['sh', '-c', 'i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i+1)); done; exec sleep 10000']
    const loud = await start(await create('loud', { Image: image, Cmd: flood, HostConfig: config }))
    // conmon opens the new file a moment after the old one got its other name.
    const hasTurned = () => existsSync(`${loud.LogPath}.1`) && existsSync(loud.LogPath)
    await until(hasTurned, { what: () => 'the log to turn over' })
    // A reader that follows the name, like kubelet, finds a new file there; the API shows both.
    assert.ok(statSync(loud.LogPath).size < statSync(`${loud.LogPath}.1`).size)
    const { text } = await daemon.api('GET', `/containers/${loud.Id}/logs?stdout=1`)
    assert.equal(text.match(/line \d+/g)?.length, 2000)
    await call('DELETE', `/containers/${loud.Id}?v=1&force=1`, 204)
  })

  test('port forwarding enters the sandbox by its pid; stats and sizes are numbers', async () => {
    const target = ['-t', String(sandbox.State.Pid), '-n', 'busybox', 'nc', '127.0.0.1', '8080']
    await until(async () => /answered/.test((await runCommand('nsenter', target, { input: '' })).stdout), {
      what: () => 'an answer through the network namespace of the sandbox',
    })
    const stats = await call<{
      cpu_stats: { cpu_usage: { total_usage: number } }
      memory_stats: { usage: number; limit: number }
      read: string
    }>('GET', `/containers/${app.Id}/stats?stream=false`, 200)
    assert.ok(stats.cpu_stats.cpu_usage.total_usage > 0 && stats.memory_stats.usage > 0)
    assert.equal(stats.memory_stats.limit, 64 << 20)
    assert.equal(typeof (await inspect(app.Id)).SizeRw, 'number')
    await call('POST', `/containers/${app.Id}/update`, 200, { CpuShares: 4, Memory: 80 << 20, MemorySwap: 80 << 20 })
    assert.match(String((await inspect(app.Id)).State.StartedAt), /^\d{4}-\d\d-\d\dT.*Z$/)
  })

  test("at the end status, container, sandbox and the pod's groups are removed", async () => {
    await call('POST', `/containers/${app.Id}/stop?t=10`, 204)
    const { State: state } = await inspect(app.Id)
    assert.deepEqual([state.Running, state.ExitCode, state.OOMKilled, state.Error], [false, 143, false, ''])
    assert.ok(Date.parse(String(state.FinishedAt)) >= Date.parse(String(state.StartedAt)))
    const [row] = await list({ label: [`io.kubernetes.sandbox.id=${sandbox.Id}`] })
    assert.match(row?.Status ?? '', /^Exited \(143\)/)
    await call('DELETE', `/containers/${app.Id}?v=1&force=1`, 204)
    rmSync(join(daemon.root, 'app.log'))
    await call('POST', `/containers/${sandbox.Id}/stop?t=0`, 204)
    await call('POST', `/containers/${sandbox.Id}/stop?t=0`, 304)
    await call('DELETE', `/containers/${sandbox.Id}?v=1&force=1`, 204)
    await call('DELETE', `/containers/${sandbox.Id}?v=1&force=1`, 404)
    for (const path of globSync([`/sys/fs/cgroup${parent}/*/`, `/sys/fs/cgroup/*${parent}/*/`])) assert.fail(path)
  })
})

describe('Nomad', () => {
  test('a group with its own network: the pause container, its namespace, a task that joins it', async () => {
    const pause = await start(
      await create('nomad_init_1', { Image: image, Cmd: ['sleep', '10000'], HostConfig: { NetworkMode: 'none' } }),
    )
    // CNI plugins get the namespace's file.
    const key = pause.NetworkSettings.SandboxKey
    const links = await runCommand('nsenter', [`--net=${key}`, 'ip', '-o', 'link'])
    assert.deepEqual([links.code, links.stdout.trim().split('\n').length], [0, 1], links.stderr)
    const labels = { 'com.hashicorp.nomad.alloc_id': 'a1' }
    const id = await create('web-a1', {
      Image: image,
      Cmd: ['sh', '-c', 'echo up; read x; sleep 10000'],
      OpenStdin: true,
      Labels: labels,
      HostConfig: {
        NetworkMode: `container:${pause.Id}`,
        Memory: 64 << 20,
        MemoryReservation: 32 << 20,
        CpuShares: 500,
        PidsLimit: 100,
        Binds: [`${daemon.root}:/alloc`],
        LogConfig: { Type: 'json-file', Config: { 'max-file': '2', 'max-size': '2m' } },
      },
    })
    const task = await start(id)
    const follow = await openRequest(daemon.socket, 'GET', `/containers/${id}/logs?follow=1&stdout=1&stderr=1&since=1`)
    const first = await new Promise<Buffer>((resolve) => follow.once('data', resolve))
    assert.equal(first.toString('latin1'), '\x01\0\0\0\0\0\0\x03up\n')
    const waiting = call<{ StatusCode: number }>('POST', `/containers/${id}/wait?condition=not-running`, 200)
    const [row] = await list({ label: ['com.hashicorp.nomad.alloc_id'] })
    assert.deepEqual([row?.Id, row?.State, row?.Labels], [id, 'running', labels])
    await call('POST', `/containers/${id}/kill?signal=SIGKILL`, 204)
    assert.equal((await waiting).StatusCode, 137)
    follow.destroy()
    const used = await daemon.api<{ message: string }>('DELETE', `/images/${image}`)
    assert.equal(used.status, 409, used.text)
    await call('DELETE', `/containers/${task.Id}?force=1&v=1`, 204)
    await call('DELETE', `/containers/${pause.Id}?force=1`, 204)
    assert.equal(existsSync(key), false)
  })
})
