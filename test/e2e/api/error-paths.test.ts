/** Docker's answers to wrong requests: bodies that are not JSON, members of a wrong type, unknown ids, wrong states,
 *  contradictions. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { RequestBody } from '../../helpers/daemons/api.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon
let running: string
let created: string

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  running = await daemon.ok(['run', '-d', '--network', 'none', '--name', 'running', 'busybox', 'sleep', '1000'])
  created = await daemon.ok(['create', '--network', 'none', '--name', 'created', 'busybox', 'true'])
})
after(() => daemon?.[Symbol.asyncDispose]())

type Case = readonly [method: string, path: string, body: RequestBody | undefined, status: number, message: string]

async function check(cases: readonly Case[]): Promise<void> {
  for (const [method, path, body, status, message] of cases) {
    const answer = await daemon.api<{ message?: string }>(method, path, body)
    assert.deepEqual(
      { status: answer.status, message: answer.body?.message },
      { status, message },
      `${method} ${path} ${JSON.stringify(body)}`,
    )
  }
}

test('bodies that are not JSON, or are another JSON value, are refused', async () => {
  const bad = (text: string, message: string): Case => ['POST', '/containers/create', text, 400, message]
  await check([
    bad('{', 'invalid JSON: unexpected EOF'),
    bad('{a:1}', "invalid JSON: invalid character 'a' looking for beginning of object key string"),
    bad('{"Image":"busybox"} x', 'unexpected content after JSON'),
    bad('null', 'config cannot be empty in order to create a container'),
    bad('{}', 'config cannot be empty in order to create a container'),
    [
      'POST',
      `/containers/${running}/exec`,
      '[]',
      400,
      'invalid JSON: json: cannot unmarshal array into Go value of type container.ExecOptions',
    ],
    ['POST', `/containers/${running}/exec`, '{}', 400, 'No exec command specified'],
  ])
  assert.equal((await daemon.api('POST', `/containers/${created}/update`, '{}')).status, 200)
})

test('members of a wrong type are refused at every depth', async () => {
  const wrong = (config: Record<string, unknown>, field: string, what: string, type: string): Case => [
    'POST',
    '/containers/create',
    { Image: 'busybox', ...config },
    400,
    `invalid JSON: json: cannot unmarshal ${what} into Go struct field ${field} of type ${type}`,
  ]
  await check([
    wrong({ Labels: { a: 1 } }, 'ContainerCreateRequest.Labels', 'number', 'string'),
    wrong({ Healthcheck: { Test: 'x' } }, 'ContainerCreateRequest.Healthcheck.Test', 'string', '[]string'),
    wrong({ Healthcheck: { Interval: '1s' } }, 'ContainerCreateRequest.Healthcheck.Interval', 'string', 'int64'),
    wrong({ HostConfig: { Memory: 1e20 } }, 'HostConfig.Memory', 'number 100000000000000000000', 'int64'),
    wrong(
      { HostConfig: { LogConfig: { Config: { 'max-size': 5 } } } },
      'HostConfig.LogConfig.Config',
      'number',
      'string',
    ),
    wrong({ HostConfig: { Ulimits: ['nofile=1'] } }, 'HostConfig.Ulimits', 'string', 'struct'),
    wrong({ HostConfig: { Mounts: [{ ReadOnly: 'x' }] } }, 'HostConfig.Mounts.ReadOnly', 'string', 'bool'),
    wrong({ HostConfig: { PortBindings: { '80/tcp': {} } } }, 'HostConfig.PortBindings', 'object', '[]struct'),
  ])
})

test('unknown ids, wrong states and wrong names are refused', async () => {
  const nameRule = 'only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed'
  await check([
    [
      'POST',
      '/containers/nosuch/kill?signal=FOO',
      undefined,
      400,
      'cannot kill container: nosuch: invalid signal: FOO',
    ],
    [
      'POST',
      '/containers/running/kill?signal=99',
      undefined,
      400,
      'cannot kill container: running: the linux daemon does not support signal 99',
    ],
    [
      'POST',
      '/containers/created/kill',
      undefined,
      409,
      `cannot kill container: created: container ${created} is not running`,
    ],
    ['POST', '/containers/nosuch/rename?name=-x', undefined, 404, 'No such container: nosuch'],
    [
      'POST',
      '/containers/running/rename?name=-x',
      undefined,
      400,
      `Error when allocating new name: Invalid container name (/-x), ${nameRule}`,
    ],
    ['POST', '/containers/create?name=/', { Image: 'busybox' }, 400, `Invalid container name (/), ${nameRule}`],
    ['POST', '/containers/nosuch/update', { Memory: 1 }, 404, 'No such container: nosuch'],
    ['POST', '/containers/nosuch/attach?detachKeys=foo', undefined, 400, 'Invalid detach keys (foo) provided'],
    [
      'PUT',
      '/containers/running/archive?path=/etc/passwd',
      Buffer.from('x'),
      400,
      'extraction point is not a directory',
    ],
    [
      'DELETE',
      '/containers/created?link=1',
      undefined,
      500,
      'Conflict, cannot remove the default link name of the container',
    ],
    ['GET', '/events?since=5&until=1', undefined, 400, '`since` time (5) cannot be after `until` time (1)'],
  ])
  assert.equal((await daemon.api('GET', '/containers/created/json')).status, 200)
})

test('requests that contradict themselves or the host are refused', async () => {
  const create = (HostConfig: Record<string, unknown>, message: string, more = {}): Case => [
    'POST',
    '/containers/create',
    { Image: 'busybox', ...more, HostConfig },
    400,
    message,
  ]
  await check([
    create({ CpusetMems: '900' }, 'Requested memory nodes are not available - requested 900, available: 0'),
    create({ ExtraHosts: ['foo:bar'] }, 'invalid IP address in add-host: "bar"'),
    create({ CgroupnsMode: 'foo' }, 'invalid cgroup namespace mode: foo'),
    create({ Isolation: 'foo' }, `invalid isolation: "foo" - linux only supports 'default'`),
    create(
      { NetworkMode: 'container:running' },
      'conflicting options: port exposing and the container type network mode',
      { ExposedPorts: { '80/tcp': {} } },
    ),
  ])
})
