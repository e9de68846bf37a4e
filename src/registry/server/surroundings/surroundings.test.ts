import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AccessDecision, type Authorizer, openAccess } from '../model/authorizer.ts'
import type { ExtensionAnswer, ExtensionRequest, RegistryExtension } from '../model/registry-extension.ts'
import type { RequestRecord } from '../model/registry-observer.ts'
import { AccessLog } from './access-log.ts'
import { HealthExtension } from './health-extension.ts'
import { RegistryMetrics } from './registry-metrics.ts'
import { SearchExtension } from './search-extension.ts'

const record: RequestRecord = {
  method: 'GET',
  route: 'manifest',
  path: '/v2/team/app/manifests/latest',
  repository: 'team/app',
  status: 200,
  startedAt: new Date('2026-03-04T05:06:07.890Z'),
  durationMs: 12.3456,
  receivedBytes: 0,
  sentBytes: 512,
  user: 'alice',
  remoteAddress: '127.0.0.1',
  userAgent: 'docker/28.0',
  httpVersion: '1.1',
}

function linesOf(format: 'json' | 'text', ...records: readonly RequestRecord[]): readonly string[] {
  const lines: string[] = []
  const log = new AccessLog(format, (line) => lines.push(line))
  for (const one of records) log.requestFinished(one)
  return lines
}

test('AccessLog writes the combined format', () => {
  assert.deepEqual(linesOf('text', record, { ...record, user: undefined, userAgent: '', status: 499 }), [
    '127.0.0.1 - alice [04/Mar/2026:05:06:07 +0000] "GET /v2/team/app/manifests/latest HTTP/1.1" 200 512 "-" "docker/28.0" 0.012\n',
    '127.0.0.1 - - [04/Mar/2026:05:06:07 +0000] "GET /v2/team/app/manifests/latest HTTP/1.1" 499 512 "-" "-" 0.012\n',
  ])
})

test('AccessLog escapes text with which clients could end a field or a line', () => {
  const [line = ''] = linesOf('text', { ...record, user: 'a b', path: '/v2/"\n\u001b[2J', userAgent: 'x" 200\r\nü\\' })
  assert.equal(line.indexOf('\n'), line.length - 1)
  assert.ok(line.includes('- a\\x20b ['))
  assert.ok(line.includes('"GET /v2/\\"\\x0a\\x1b[2J HTTP/1.1"'))
  assert.ok(line.includes('"x\\" 200\\x0d\\x0a\\xc3\\xbc\\\\"'))
})

test('AccessLog writes JSON objects', () => {
  const [line = ''] = linesOf('json', record)
  assert.deepEqual(JSON.parse(line), {
    time: '2026-03-04T05:06:07.890Z',
    level: 'info',
    message: 'request',
    method: 'GET',
    route: 'manifest',
    path: '/v2/team/app/manifests/latest',
    repository: 'team/app',
    status: 200,
    durationMs: 12.346,
    receivedBytes: 0,
    sentBytes: 512,
    user: 'alice',
    remoteAddress: '127.0.0.1',
    userAgent: 'docker/28.0',
    httpVersion: '1.1',
  })
})

function ask(extension: RegistryExtension, url: string, method = 'GET'): Promise<ExtensionAnswer> {
  const [path = '', query = ''] = url.split('?')
  assert.ok(extension.paths.includes(path), path)
  const readBody: ExtensionRequest['readBody'] = async () => Buffer.alloc(0)
  const request = { method, path, query: new URLSearchParams(query), headers: {}, remoteAddress: '', isTls: false }
  return extension.answer({ ...request, readBody })
}

const healthy = { check: async () => {} }
const broken = { check: () => Promise.reject(new Error('disk /dev/x is full')) }

test('HealthExtension answers whether the storage works, and reports the reason only to the log', async () => {
  const failures: string[] = []
  assert.equal((await ask(new HealthExtension({ storage: healthy }), '/healthz')).status, 200)
  const bad = await ask(new HealthExtension({ storage: broken, onFailure: (text) => failures.push(text) }), '/healthz')
  assert.deepEqual([bad.status, bad.body], [503, '{"status":"storage unavailable"}\n'])
  assert.deepEqual(failures, ['disk /dev/x is full'])
  assert.equal((await ask(new HealthExtension({ storage: healthy }), '/healthz', 'POST')).status, 405)
})

test('RegistryMetrics counts requests, bytes, times, uploads', async () => {
  const metrics = new RegistryMetrics(healthy)
  metrics.requestStarted()
  metrics.requestStarted()
  metrics.requestStarted()
  metrics.requestFinished(record)
  metrics.requestFinished({ ...record, method: 'FOO"\n', route: 'other', status: 405, durationMs: 400_000 })
  metrics.uploadsChanged(3)
  metrics.manifestUsed({ action: 'pull', repository: 'a', digest: 'x' })
  const { status, headers, body = '' } = await ask(metrics, '/metrics')
  assert.equal(status, 200)
  assert.match(headers?.['Content-Type'] ?? '', /^text\/plain; version=0\.0\.4/)
  for (const line of [
    '# TYPE berth_registry_requests_total counter',
    'berth_registry_requests_total{method="GET",route="manifest",status="200"} 1',
    'berth_registry_requests_total{method="other",route="other",status="405"} 1',
    'berth_registry_request_duration_seconds_bucket{method="GET",route="manifest",le="0.01"} 0',
    'berth_registry_request_duration_seconds_bucket{method="GET",route="manifest",le="0.025"} 1',
    'berth_registry_request_duration_seconds_bucket{method="other",route="other",le="300"} 0',
    'berth_registry_request_duration_seconds_bucket{method="other",route="other",le="+Inf"} 1',
    'berth_registry_request_duration_seconds_count{method="GET",route="manifest"} 1',
    'berth_registry_sent_bytes_total{method="GET",route="manifest"} 512',
    'berth_registry_requests_in_progress 1',
    'berth_registry_uploads_in_progress 3',
    'berth_registry_manifests_total{action="pull"} 1',
    'berth_registry_gc_runs_total 0',
    'berth_registry_storage_up 1',
  ]) {
    assert.ok(body.split('\n').includes(line), `${line}\nis not in\n${body}`)
  }
  for (const line of body.trimEnd().split('\n')) {
    assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [\d.e+-]+)$/)
  }
  assert.match((await ask(new RegistryMetrics(broken), '/metrics')).body ?? '', /^berth_registry_storage_up 0$/m)
})

const repositories = ['alpine', 'library/redis', 'team/redis-ui', 'team/web']
/** A storage whose pages have one entry each. */
const objects = {
  list: async (prefix: string, { after = '' }: { readonly after?: string | undefined } = {}) => {
    const keys = repositories.map((name) => prefix + name.replaceAll('/', '+')).filter((key) => key > after)
    const [key] = keys
    const found = key === undefined ? [] : [{ key, sizeBytes: 0, modifiedAt: new Date() }]
    return { objects: found, next: keys.length > 1 ? key : undefined }
  },
}

function searchWith(decision: AccessDecision): SearchExtension {
  const authorizer: Authorizer = { authorize: async () => decision }
  return new SearchExtension({ objects, authorizer })
}

const namesOf = ({ body = '' }: ExtensionAnswer): readonly string[] =>
  (JSON.parse(body).results as { name: string }[]).map(({ name }) => name)

for (const [url, names, total, pages] of [
  ['/v1/search?q=redis', ['library/redis', 'team/redis-ui'], 2, 1],
  ['/v1/search?q=REDIS&n=1', ['library/redis'], 2, 2],
  ['/v1/search?q=redis&n=1&page=2', ['team/redis-ui'], 2, 2],
  ['/v1/search?q=redis&n=1&page=3', [], 2, 2],
  ['/v1/search?q=library/alp', ['alpine'], 1, 1],
  ['/v1/search?q=', repositories, 4, 1],
  ['/v1/search', repositories, 4, 1],
  ['/v1/search?q=nothing', [], 0, 0],
  ['/v1/search?q=a&n=1000', ['alpine', 'library/redis', 'team/redis-ui', 'team/web'], 4, 1],
] as const) {
  test(`SearchExtension answers ${url}`, async () => {
    const answer = await ask(new SearchExtension({ objects, authorizer: openAccess }), url)
    assert.equal(answer.status, 200)
    assert.deepEqual(namesOf(answer), names)
    const { num_results, num_pages, query } = JSON.parse(answer.body ?? '')
    assert.deepEqual(
      [num_results, num_pages, query],
      [total, pages, new URLSearchParams(url.split('?')[1]).get('q') ?? ''],
    )
  })
}

test('SearchExtension shows only repositories that the client may pull', async () => {
  const some = searchWith({ kind: 'allow', user: 'alice', canSee: (name) => name.startsWith('team/') })
  const answer = await ask(some, '/v1/search?q=e')
  assert.deepEqual([namesOf(answer), answer.user], [['team/redis-ui', 'team/web'], 'alice'])
  const refused = await ask(searchWith({ kind: 'challenge', challenge: 'Basic realm="x"' }), '/v1/search?q=e')
  assert.deepEqual([refused.status, refused.headers?.['WWW-Authenticate']], [401, 'Basic realm="x"'])
  assert.equal((await ask(searchWith({ kind: 'deny' }), '/v1/search')).status, 403)
})

test('SearchExtension answers the ping of old clients and refuses invalid requests', async () => {
  const search = new SearchExtension({ objects, authorizer: openAccess })
  const ping = await ask(search, '/v1/_ping')
  assert.deepEqual([ping.status, ping.headers?.['X-Docker-Registry-Standalone']], [200, 'true'])
  assert.equal((await ask(search, '/v1/search?n=0')).status, 400)
  assert.equal((await ask(search, '/v1/search?page=x')).status, 400)
  assert.equal((await ask(search, '/v1/search', 'DELETE')).status, 405)
})
