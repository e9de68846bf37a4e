import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerInspect, ContainerSummary } from '../../api/index.ts'
import type { ContainerBackend, CreateContainerRequest } from '../../contract/index.ts'
import { startTestApi, type TestApi } from '../testing/fake-backends.ts'

/** A backend that notes its calls as `name(arguments)` and does nothing. */
function recording(calls: string[], answers: Partial<ContainerBackend> = {}): Partial<ContainerBackend> {
  const note =
    (name: string) =>
    (...parameters: readonly unknown[]) => {
      calls.push(`${name}(${parameters.map((value) => JSON.stringify(value)).join()})`)
      return Promise.resolve()
    }
  const names = [
    'start',
    'stop',
    'restart',
    'kill',
    'pause',
    'unpause',
    'rename',
    'remove',
    'removeLink',
    'resize',
  ] as const
  return { ...Object.fromEntries(names.map((name) => [name, note(name)])), ...answers }
}

interface ActionCase {
  readonly request: string
  readonly status: number
  readonly call?: string
  readonly message?: string
}

const actions: readonly ActionCase[] = [
  { request: 'POST /containers/x/start', status: 204, call: 'start("x")' },
  { request: 'POST /containers/x/start?detachKeys=ctrl-a', status: 204, call: 'start("x")' },
  { request: 'POST /containers/x/stop', status: 204, call: 'stop("x",{})' },
  { request: 'POST /containers/x/stop?t=0', status: 204, call: 'stop("x",{"timeoutSeconds":0})' },
  {
    request: 'POST /containers/x/stop?t=-1&signal=HUP',
    status: 204,
    call: 'stop("x",{"signal":"HUP","timeoutSeconds":-1})',
  },
  { request: 'POST /v1.41/containers/x/stop?t=3&signal=HUP', status: 204, call: 'stop("x",{"timeoutSeconds":3})' },
  { request: 'POST /containers/x/stop?t=z', status: 400, message: 'strconv.Atoi: parsing "z": invalid syntax' },
  { request: 'POST /containers/x/restart?t=1', status: 204, call: 'restart("x",{"timeoutSeconds":1})' },
  { request: 'POST /containers/x/pause', status: 204, call: 'pause("x")' },
  { request: 'POST /containers/x/unpause', status: 204, call: 'unpause("x")' },
  { request: 'POST /containers/x/kill', status: 204, call: 'kill("x","SIGKILL")' },
  { request: 'POST /containers/x/kill?signal=15', status: 204, call: 'kill("x","15")' },
  { request: 'POST /containers/x/rename?name=/ab', status: 204, call: 'rename("x","/ab")' },
  { request: 'POST /containers/x/rename', status: 400, message: 'Neither old nor new names may be empty' },
  { request: 'POST /containers/x/resize?h=24&w=80', status: 200, call: 'resize("x",{"height":24,"width":80})' },
  { request: 'POST /containers/x/resize?h=a&w=80', status: 400, message: 'invalid resize height "a": invalid syntax' },
  {
    request: 'POST /containers/x/resize?h=1&w=4294967296',
    status: 400,
    message: 'invalid resize width "4294967296": value out of range',
  },
  { request: 'DELETE /containers/web/db?link=1', status: 204, call: 'removeLink("web/db")' },
  { request: 'DELETE /containers/x', status: 204, call: 'remove("x",{"force":false,"volumes":false})' },
  {
    request: 'DELETE /containers/x?force=1&v=true',
    status: 204,
    call: 'remove("x",{"force":true,"volumes":true})',
  },
]

for (const { request, status, call, message } of actions) {
  test(`containers: ${request}`, async () => {
    const calls: string[] = []
    await using api = await startTestApi({ containers: recording(calls) })
    const [method = '', path = ''] = request.split(' ')
    const answer = await api.request(method, path)
    assert.equal(answer.status, status)
    assert.deepEqual(calls, call === undefined ? [] : [call])
    if (message === undefined) assert.equal(answer.body, '')
    else assert.deepEqual(answer.json(), { message })
  })
}

test('start refuses a body', async () => {
  await using api = await startTestApi({})
  const answer = await api.request('POST', '/containers/x/start', { json: { HostConfig: {} } })
  assert.equal(answer.status, 400)
  assert.match(answer.body, /non-empty request body was deprecated since API v1\.22 and removed in v1\.24/)
})

function creating(requests: CreateContainerRequest[]): Promise<TestApi> {
  return startTestApi({
    containers: {
      create: async (request) => {
        requests.push(request)
        return { Id: 'abc', Warnings: [] }
      },
    },
  })
}

test('create passes name, platform and body to the engine', async () => {
  const requests: CreateContainerRequest[] = []
  await using api = await creating(requests)
  const json = { image: 'busybox', Cmd: 'true', Env: null, Unknown: 1, HostConfig: { memory: 5, NetworkMode: 'none' } }
  const answer = await api.request('POST', '/v1.50/containers/create?name=web&platform=linux/arm64', { json })
  assert.equal(answer.status, 201)
  assert.equal(answer.body, '{"Id":"abc","Warnings":[]}\n')
  assert.equal(requests[0]?.name, 'web')
  assert.equal(requests[0]?.platform, 'linux/arm64')
  assert.deepEqual(requests[0]?.config, { Image: 'busybox', Cmd: ['true'] })
  assert.equal(requests[0]?.hostConfig.Memory, 5)
  assert.equal(requests[0]?.hostConfig.NetworkMode, 'none')
})

for (const [name, query, body, status, message] of [
  ['no body', '', undefined, 400, 'invalid JSON: got EOF while reading request body'],
  ['an empty object', '', {}, 400, 'config cannot be empty in order to create a container'],
  ['only a HostConfig', '', { HostConfig: {} }, 400, 'config cannot be empty in order to create a container'],
  ['a bad name', '?name=a!', { Image: 'a' }, 400, /^Invalid container name \(a!\)/],
  [
    'a wrong type',
    '',
    { Image: 'a', HostConfig: { Memory: '1g' } },
    400,
    /cannot unmarshal string .* HostConfig\.Memory/,
  ],
  ['an option for Windows', '', { Image: 'a', HostConfig: { CpuCount: 2 } }, 400, /^HostConfig\.CpuCount 2: it is for/],
] as const) {
  test(`create refuses ${name}`, async () => {
    const requests: CreateContainerRequest[] = []
    await using api = await creating(requests)
    const options = body === undefined ? {} : { json: body }
    const answer = await api.request('POST', `/containers/create${query}`, options)
    assert.equal(answer.status, status)
    const { message: text } = answer.json() as { message: string }
    if (typeof message === 'string') assert.equal(text, message)
    else assert.match(text, message)
    assert.equal(requests.length, 0)
  })
}

test('list passes options and decoded filters', async () => {
  const seen: unknown[] = []
  const summary = { Id: 'a', SizeRw: 1, SizeRootFs: 2 } as ContainerSummary
  await using api = await startTestApi({
    containers: {
      list: async (options) => {
        seen.push(options)
        return [summary]
      },
    },
  })
  const filters = encodeURIComponent('{"status":{"running":true},"label":["a=b"],"exited":["1"]}')
  assert.deepEqual((await api.request('GET', `/containers/json?all=1&limit=3&filters=${filters}`)).json(), [
    { Id: 'a' },
  ])
  assert.deepEqual((await api.request('GET', '/containers/json?size=1')).json(), [summary])
  assert.deepEqual(seen[0], {
    all: true,
    size: false,
    limit: 3,
    filters: { status: ['running'], label: ['a=b'], exited: ['1'] },
  })
  for (const [text, message] of [
    ['{"foo":["a"]}', "invalid filter 'foo'"],
    ['{"status":["foo"]}', "invalid filter 'status=foo'"],
    ['{"health":["ill"]}', 'unrecognized filter value for health: ill'],
    ['{"exited":["x"]}', `invalid filter 'exited=x': strconv.Atoi: parsing "x": invalid syntax`],
    ['{"is-task":["x","y"]}', "invalid filter 'is-task=[x y]'"],
    ['{"health":["x"]}', 'unrecognized filter value for health: x'],
  ] as const) {
    const answer = await api.request('GET', `/containers/json?filters=${encodeURIComponent(text)}`)
    assert.deepEqual([answer.status, answer.json()], [400, { message }])
  }
})

test("inspect shows every field, the requested MAC address, and to old clients the container's own names as aliases", async () => {
  const container = {
    Id: 'a',
    Config: { Image: 'busybox', Tty: true },
    HostConfig: { Memory: 5, Sysctls: {}, StorageOpt: {}, Tmpfs: { '/t': '' } },
    NetworkSettings: { MacAddress: '02:42:00:00:00:01', Networks: { own: { Aliases: ['b'] }, bridge: {} } },
  } as unknown as ContainerInspect
  await using api = await startTestApi({ containers: { inspect: async () => container } })
  const shown = (await api.request('GET', '/containers/x/json')).json() as ContainerInspect
  assert.equal(shown.Config.Image, 'busybox')
  assert.equal(shown.Config.OpenStdin, false)
  assert.equal(shown.Config.Env, null)
  assert.ok(!('MacAddress' in shown.Config) && !('Healthcheck' in shown.Config))
  assert.equal(shown.HostConfig.Memory, 5)
  assert.equal(shown.HostConfig.ShmSize, 0)
  // Go leaves out maps that are empty.
  assert.ok(!('Sysctls' in shown.HostConfig) && !('StorageOpt' in shown.HostConfig))
  assert.deepEqual(shown.HostConfig.Tmpfs, { '/t': '' })
  assert.deepEqual(shown.HostConfig.RestartPolicy, { Name: 'no', MaximumRetryCount: 0 })
  const old = (await api.request('GET', '/v1.43/containers/x/json')).json() as ContainerInspect
  // The network shows an address that the client did not ask for; the configuration does not.
  assert.ok(!('MacAddress' in old.Config))
  assert.deepEqual(old.NetworkSettings.Networks, { own: { Aliases: ['b', 'a'] }, bridge: {} })
  assert.deepEqual(shown.NetworkSettings.Networks.own?.Aliases, ['b'])
})
