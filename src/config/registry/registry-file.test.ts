import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { defaultRegistryConfig, parseRegistryConfig, parseRegistrySettings } from './registry-file.ts'

const samplePath = join(import.meta.dirname, '../../../registry.sample.yml')
const sample = readFileSync(samplePath, 'utf8')
/** The sample with all settings on. In the sample, prose has exactly one space behind the #; settings have none or
 *  more. */
const allOn = sample.replace(/^#(?=\S| {2,}\S)/gm, '')

function without(text: string, ...blocks: readonly string[]): string {
  return blocks.reduce((rest, block) => {
    const lines = rest.split('\n')
    const start = lines.findIndex((line) => line.trim().startsWith(`${block}:`))
    const indent = lines[start]?.search(/\S/) ?? 0
    const inside = (line: string): boolean =>
      line.trim() === '' || line.trim().startsWith('#') || line.search(/\S/) > indent
    const length = lines.slice(start + 1).findIndex((line) => !inside(line))
    return lines.toSpliced(start, length === -1 ? lines.length : length + 1).join('\n')
  }, text)
}

test('registry.sample.yml without changes is the default', () => {
  const { storage, ...rest } = parseRegistryConfig(sample, '/srv/registry.yml')
  const { storage: _, ...defaults } = defaultRegistryConfig('/x')
  assert.deepEqual(rest, defaults)
  assert.deepEqual(storage, { kind: 'folder', folder: '/srv/registry-data' })
})

test('registry.sample.yml with all settings on has every setting and no other', () => {
  const settings = parseRegistrySettings(allOn, samplePath)
  const missing: string[] = []
  const walk = (value: unknown, path: string): void => {
    if (value === undefined) missing.push(path)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`)
  }
  walk(settings, '')
  assert.deepEqual(missing, [])
  for (const key of settingNames()) assert.match(allOn, new RegExp(`^[ -]*${key}:`, 'm'), key)
})

/** The names of all settings, taken from the error message for an unknown one. */
function settingNames(): string[] {
  const names = (place: string, text: string): string[] => {
    try {
      parseRegistrySettings(text, 'f')
    } catch (error) {
      return /takes (.*)$/.exec((error as Error).message)?.[1]?.split(', ') ?? []
    }
    throw new Error(place)
  }
  return [
    ...names('', 'nope: 1'),
    ...['tls', 'storage', 'auth', 'limits', 'proxy', 'gc', 'log', 'http', 'catalog'].flatMap((part) =>
      names(part, `${part}: {nope: 1}`),
    ),
    ...names('s3', 'storage: {s3: {nope: 1}}'),
    ...['tokens', 'external'].flatMap((part) => names(part, `auth: {${part}: {nope: 1}}`)),
    ...names('rules', 'auth: {rules: [{nope: 1}]}'),
  ]
}

test('parseRegistryConfig() reads a cache and the way to its registry', () => {
  const { proxy } = parseRegistryConfig(
    'proxy: {remote: "https://a.example/", username: u, password: p, ttl: 2d, spool: spool}',
    '/srv/r.yml',
  )
  const { client, ...rest } = proxy ?? {}
  assert.deepEqual(rest, {
    remote: 'https://a.example/',
    username: 'u',
    password: 'p',
    ttlMs: 172_800_000,
    maxSizeBytes: 0,
    spoolFolder: '/srv/spool',
  })
  assert.deepEqual(client?.certificateDirectories, ['/etc/berth/certs.d', '/etc/docker/certs.d'])
})

test('registry.sample.yml is valid with each of its alternatives', () => {
  const folder = parseRegistryConfig(without(allOn, 's3', 'external', 'passwordFile'), samplePath)
  assert.equal(folder.auth.kind, 'users')
  assert.equal(folder.auth.kind === 'users' && folder.auth.tokens?.expiresMs, 300_000)
  assert.equal(folder.storage.kind, 'folder')
  const bucket = parseRegistryConfig(
    without(allOn, 'folder', 'htpasswd', 'rules', 'tokens', 'passwordFile'),
    samplePath,
  )
  assert.equal(bucket.auth.kind, 'foreign')
  assert.deepEqual(bucket.storage.kind === 's3' && bucket.storage.s3.prefix, 'registry/')
})

const auth = 'auth: {htpasswd: users, groups: {dev: [a]}, rules: [RULE]}'

for (const [text, message] of [
  ['lissten: 1', 'f:1: lissten: there is no such setting; the file takes listen,'],
  ['storage:\n  s4: {}', 'f:2: storage.s4: there is no such setting; storage takes folder, s3, delete'],
  ['storage: {folder: a, s3: {bucket: b}}', 'f:1: storage.s3: is given beside storage.folder'],
  ['storage: {s3: {bucket: b, accessKeyId: x}}', 'f:1: storage.s3: accessKeyId and secretAccessKey are given together'],
  ['storage: {s3: {}}', 'f:1: storage.s3.bucket: is missing'],
  ['listen: [127.0.0.1]', 'f:1: listen[0]: must be HOST:PORT'],
  ['listen: 127.0.0.1:70000', 'f:1: listen: must be HOST:PORT'],
  ['listen: []', 'f:1: listen: names no address'],
  ['a: [', 'f:1: Flow sequence'],
  ['readonly: yes', 'f:1: readonly: must be true or false'],
  ['readonly: true\nreadonly: true', 'f:2: Map keys must be unique'],
  ['- 1', 'f:1: the file: must be a group of settings (key: value)'],
  ['tls: {certificate: a}', 'f:1: tls.key: is missing'],
  ['tls: {certificate: 1, key: a}', 'f:1: tls.certificate: must be a text'],
  ['limits: {idle: 10}', 'f:1: limits.idle: must be a length of time'],
  ['limits: {idle: 10x}', 'f:1: limits.idle: must be a length of time'],
  ['limits: {manifestSize: lots}', 'f:1: limits.manifestSize: must be a size'],
  ['limits: {uploads: 0}', 'f:1: limits.uploads: must be a whole number from 1 to 100000'],
  ['log: {format: xml}', 'f:1: log.format: must be json or text'],
  ['proxy: {remote: docker.io}', 'f:1: proxy.remote: must begin with https://'],
  ['proxy: {remote: "https://a:b@c"}', 'f:1: proxy.remote: must not contain a name or a password'],
  ['proxy: {remote: "https://c", username: a}', 'f:1: proxy: username and password are given together'],
  ['proxy: {remote: "https://c", username: a, passwordFile: /nonexistent}', 'f:1: proxy.passwordFile: cannot be read'],
  ['auth: {}', 'f:1: auth: needs htpasswd or external'],
  ['auth: {external: {realm: "http://a", service: b, issuer: c}}', 'f:1: auth.external: needs certificates or jwks'],
  [
    'auth: {htpasswd: a, external: {realm: "http://a", service: b, issuer: c, jwks: d}}',
    'f:1: auth.external: decides alone',
  ],
  [
    auth.replace('RULE', '{repositories: [a], actions: [pull]}'),
    'f:1: auth.rules[0]: needs users, groups or anonymous',
  ],
  [auth.replace('RULE', '{users: [a], actions: [pull]}'), 'f:1: auth.rules[0]: needs repositories or catalog'],
  [auth.replace('RULE', '{users: [a], repositories: [a]}'), 'f:1: auth.rules[0]: needs actions'],
  [
    auth.replace('RULE', '{users: [a], repositories: [A], actions: [pull]}'),
    'f:1: auth.rules[0].repositories[0]: must be a repository',
  ],
  [
    auth.replace('RULE', '{users: [a], repositories: [a], actions: [read]}'),
    'f:1: auth.rules[0].actions[0]: must be pull, push, delete or *',
  ],
  [
    auth.replace('RULE', '{groups: [dev, ops], repositories: [a], actions: [pull]}'),
    'f:1: auth.rules[0].groups[1]: there is no group ops',
  ],
] as const) {
  test(`parseRegistryConfig() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(
      () => parseRegistryConfig(text, 'f'),
      (error: Error) => {
        assert.ok(error.message.startsWith(message), `${error.message}\nis not\n${message}`)
        return true
      },
    )
  })
}

test('parseRegistryConfig() reads addresses, sizes and times in all their forms', () => {
  const config = parseRegistryConfig(
    'listen: [":5000", "[::1]:443", "host:1", 8080]\nlimits: {manifestSize: 1k, headerSize: 99, idle: 1h30m}\ngc: {interval: 0}',
    '/etc/r.yml',
  )
  assert.deepEqual(config.listen, [
    { host: '', port: 5000 },
    { host: '::1', port: 443 },
    { host: 'host', port: 1 },
    { host: '', port: 8080 },
  ])
  assert.deepEqual(config.limits, { manifestBytes: 1024, uploads: 512, idleMs: 5_400_000, headerBytes: 99 })
  assert.equal(config.gc.intervalMs, 0)
})

test('parseRegistryConfig() accepts an empty file', () => {
  assert.deepEqual(parseRegistryConfig('', '/srv/r.yml'), defaultRegistryConfig('/srv/registry-data'))
})
