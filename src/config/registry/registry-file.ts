/** Reads `registry.yml`. First the structure and the type of every setting (`registryFields`) are checked, then how
 *  settings work together. Paths are relative to the file's folder. Every error is an `invalidArgument` with file,
 *  line and setting. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import { errnoOf, invalidArgument, isKind, messageOf } from '../../base/index.ts'
import { registriesConfig } from '../registries-config.ts'
import {
  choice,
  duration,
  fieldError,
  flag,
  list,
  map,
  object,
  optional,
  type Place,
  size,
  text,
  whole,
  withDefault,
} from './fields.ts'
import type { RegistryAddress, RegistryAuth, RegistryConfig, RegistryPlace, RegistryProxy } from './registry-config.ts'

const actions = choice('pull', 'push', 'delete', '*')

const rule = object({
  users: list(text),
  groups: list(text),
  anonymous: withDefault(flag, false),
  repositories: list(pattern),
  actions: list(actions),
  catalog: withDefault(flag, false),
})

/** All settings. */
const registryFields = object({
  listen: withDefault(list(address), [{ host: '127.0.0.1', port: 5000 }]),
  tls: optional(object({ certificate: text, key: text, clientCa: optional(text) })),
  storage: object({
    folder: optional(text),
    s3: optional(
      object({
        bucket: text,
        region: withDefault(text, 'us-east-1'),
        endpoint: optional(url),
        forcePathStyle: optional(flag),
        prefix: optional(text),
        accessKeyId: optional(text),
        secretAccessKey: optional(text),
        sessionToken: optional(text),
      }),
    ),
    delete: withDefault(flag, true),
  }),
  readonly: withDefault(flag, false),
  auth: optional(
    object({
      realm: withDefault(text, 'Berth registry'),
      htpasswd: optional(text),
      groups: map(list(text)),
      rules: optional(list(rule)),
      tokens: optional(
        object({
          service: withDefault(text, 'berth-registry'),
          issuer: withDefault(text, 'berth-registry'),
          realm: optional(url),
          key: optional(text),
          expires: withDefault(duration, 300_000),
          refreshExpires: withDefault(duration, 30 * 86_400_000),
        }),
      ),
      external: optional(
        object({ realm: url, service: text, issuer: text, certificates: optional(text), jwks: optional(text) }),
      ),
    }),
  ),
  limits: object({
    manifestSize: withDefault(size, 4 * 1024 ** 2),
    uploads: withDefault(whole(1, 100_000), 512),
    idle: withDefault(duration, 60_000),
    headerSize: withDefault(size, 32 * 1024),
  }),
  proxy: optional(
    object({
      remote: url,
      username: optional(text),
      password: optional(text),
      passwordFile: optional(text),
      ttl: withDefault(duration, 7 * 86_400_000),
      maxSize: withDefault(size, 0),
      spool: withDefault(text, '/var/tmp'),
    }),
  ),
  gc: object({ interval: withDefault(duration, 0), grace: withDefault(duration, 3_600_000) }),
  log: object({
    access: withDefault(flag, true),
    format: withDefault(choice('json', 'text'), 'text'),
    level: withDefault(choice('debug', 'info', 'warn', 'error'), 'info'),
  }),
  metrics: withDefault(flag, true),
  http: object({
    relativeUrls: withDefault(flag, true),
    publicUrl: optional(url),
    headers: map(text),
    drain: withDefault(duration, 10_000),
  }),
  catalog: object({ pageSize: withDefault(whole(1, 10_000), 1000) }),
})

/** The settings of a file, each checked on its own. */
export type RegistrySettings = ReturnType<typeof registryFields>

/** Reads a file. Throws `invalidArgument`. */
export function loadRegistryConfig(path: string): RegistryConfig {
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (cause) {
    throw invalidArgument(errnoOf(cause) === 'ENOENT' ? `${path}: no such file` : `${path}: ${messageOf(cause)}`, {
      cause,
    })
  }
  return parseRegistryConfig(content, path)
}

/** Reads the text of a file. `path` is for messages and relative paths. Throws `invalidArgument`. */
export function parseRegistryConfig(content: string, path: string): RegistryConfig {
  return withLines(content, path, (value) => resolveSettings(registryFields(value, []), dirname(resolve(path))))
}

/** The first step of `parseRegistryConfig` alone, for files that show alternatives. Throws `invalidArgument`. */
export function parseRegistrySettings(content: string, path: string): RegistrySettings {
  return withLines(content, path, (value) => registryFields(value, []))
}

/** The configuration without a file: a folder, served on 127.0.0.1:5000 to every user of this machine. */
export function defaultRegistryConfig(folder: string): RegistryConfig {
  return resolveSettings(registryFields({ storage: { folder } }, []), process.cwd())
}

/** Parses `HOST:PORT`, `[IPV6]:PORT` or `:PORT`. `name` is for the message. Throws `invalidArgument`. */
export function parseRegistryAddress(given: string, name: string): RegistryAddress {
  return address(given, [name])
}

function withLines<T>(content: string, path: string, read: (value: unknown) => T): T {
  const lines = new LineCounter()
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false })
  const [problem] = document.errors
  if (problem !== undefined) {
    throw invalidArgument(`${path}:${lines.linePos(problem.pos[0]).line}: ${problem.message}`, { cause: problem })
  }
  try {
    return read(document.toJS({ maxAliasCount: 100 }))
  } catch (cause) {
    if (!isKind(cause, 'invalidArgument')) throw invalidArgument(`${path}: ${messageOf(cause)}`, { cause })
    throw invalidArgument(`${path}:${lineOf(document, lines, cause.details.place)}: ${cause.message}`, { cause })
  }
}

/** The line of the setting at `place`, or of the nearest one that exists above it. */
function lineOf(document: Document.Parsed, lines: LineCounter, place: unknown): number {
  for (let path = Array.isArray(place) ? [...place] : []; path.length > 0; path.pop()) {
    const node = document.getIn(path, true)
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
  }
  return 1
}

function resolveSettings(settings: RegistrySettings, base: string): RegistryConfig {
  const { tls, limits, gc, http } = settings
  if (settings.listen.length === 0) throw fieldError(['listen'], 'names no address')
  const file = (path: string): string => resolve(base, path)
  const maybeFile = (path: string | undefined): string | undefined => (path === undefined ? undefined : file(path))
  const proxy = resolveProxy(settings.proxy, file)
  return deepFreeze({
    listen: settings.listen,
    tls: tls && {
      certificateFile: file(tls.certificate),
      keyFile: file(tls.key),
      clientCaFile: maybeFile(tls.clientCa),
    },
    storage: resolvePlace(settings.storage, file),
    deleteEnabled: settings.storage.delete,
    readonly: settings.readonly,
    auth: resolveAuth(settings.auth, file, maybeFile),
    limits: {
      manifestBytes: limits.manifestSize,
      uploads: limits.uploads,
      idleMs: limits.idle,
      headerBytes: limits.headerSize,
    },
    proxy,
    gc: { intervalMs: gc.interval, graceMs: gc.grace },
    log: settings.log,
    metrics: settings.metrics,
    http: {
      relativeUrls: http.relativeUrls,
      publicUrl: http.publicUrl?.replace(/\/$/, ''),
      headers: http.headers,
      drainMs: http.drain,
    },
    catalog: settings.catalog,
  })
}

function resolvePlace({ folder, s3 }: RegistrySettings['storage'], file: (path: string) => string): RegistryPlace {
  if (s3 === undefined) return { kind: 'folder', folder: file(folder ?? 'registry-data') }
  if (folder !== undefined) throw fieldError(['storage', 's3'], 'is given beside storage.folder: only one is possible')
  const { accessKeyId, secretAccessKey, sessionToken, prefix = '' } = s3
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    throw fieldError(['storage', 's3'], 'accessKeyId and secretAccessKey are given together or not at all')
  }
  return {
    kind: 's3',
    s3: {
      bucket: s3.bucket,
      region: s3.region,
      endpoint: s3.endpoint,
      // Services other than Amazon's rarely have one host name per bucket.
      forcePathStyle: s3.forcePathStyle ?? s3.endpoint !== undefined,
      prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
      credentials:
        accessKeyId === undefined || secretAccessKey === undefined
          ? undefined
          : { accessKeyId, secretAccessKey, sessionToken },
    },
  }
}

function resolveAuth(
  auth: RegistrySettings['auth'],
  file: (path: string) => string,
  maybeFile: (path: string | undefined) => string | undefined,
): RegistryAuth {
  if (auth === undefined) return { kind: 'none' }
  const { external, htpasswd, groups, rules, tokens } = auth
  if (external !== undefined) {
    if (htpasswd !== undefined || tokens !== undefined || rules !== undefined) {
      throw fieldError(['auth', 'external'], 'decides alone: htpasswd, tokens and rules are not possible beside it')
    }
    const { realm, service, issuer } = external
    if (external.certificates === undefined && external.jwks === undefined) {
      throw fieldError(['auth', 'external'], 'needs certificates or jwks')
    }
    const certificatesFile = maybeFile(external.certificates)
    return { kind: 'foreign', tokens: { realm, service, issuer, certificatesFile, jwksFile: maybeFile(external.jwks) } }
  }
  if (htpasswd === undefined) throw fieldError(['auth'], 'needs htpasswd or external')
  for (const [index, one] of (rules ?? []).entries()) checkRule(one, ['auth', 'rules', index], groups)
  return {
    kind: 'users',
    realm: auth.realm,
    htpasswdFile: file(htpasswd),
    groups,
    rules: rules?.map((one) => ({
      ...one,
      actions: one.actions.flatMap((action) => (action === '*' ? (['pull', 'push', 'delete'] as const) : [action])),
    })),
    tokens: tokens && {
      service: tokens.service,
      issuer: tokens.issuer,
      realm: tokens.realm,
      keyFile: maybeFile(tokens.key),
      expiresMs: tokens.expires,
      refreshExpiresMs: tokens.refreshExpires,
    },
  }
}

function checkRule(
  { users, groups, anonymous, repositories, actions: allowed, catalog }: ReturnType<typeof rule>,
  place: Place,
  known: Readonly<Record<string, readonly string[]>>,
): void {
  if (users.length === 0 && groups.length === 0 && !anonymous) {
    throw fieldError(place, 'needs users, groups or anonymous')
  }
  if (repositories.length === 0 && !catalog) throw fieldError(place, 'needs repositories or catalog')
  if (repositories.length > 0 && allowed.length === 0) throw fieldError(place, 'needs actions')
  const unknown = groups.findIndex((name) => !Object.hasOwn(known, name))
  if (unknown !== -1)
    throw fieldError([...place, 'groups', unknown], `there is no group ${groups[unknown]} in auth.groups`)
}

function resolveProxy(proxy: RegistrySettings['proxy'], file: (path: string) => string): RegistryProxy | undefined {
  if (proxy === undefined) return undefined
  const { remote, username, passwordFile, ttl, maxSize, spool } = proxy
  if (proxy.password !== undefined && passwordFile !== undefined) {
    throw fieldError(['proxy', 'passwordFile'], 'is given beside password: only one is possible')
  }
  const password = proxy.password ?? (passwordFile === undefined ? undefined : readSecret(file(passwordFile)))
  if ((username === undefined) !== (password === undefined)) {
    throw fieldError(['proxy'], 'username and password are given together or not at all')
  }
  const { proxies, certificateDirectories } = registriesConfig({})
  const client = { proxies, certificateDirectories }
  return { remote, username, password, ttlMs: ttl, maxSizeBytes: maxSize, spoolFolder: file(spool), client }
}

function readSecret(path: string): string {
  try {
    return readFileSync(path, 'utf8').trimEnd()
  } catch (cause) {
    throw fieldError(['proxy', 'passwordFile'], `cannot be read: ${messageOf(cause)}`)
  }
}

function address(value: unknown, place: Place): RegistryAddress {
  const given = text(typeof value === 'number' ? String(value) : value, place)
  const [, bracketed, plain, port] = /^(?:(?:\[([^\]]*)\]|([^:]*)):)?(\d{1,5})$/.exec(given) ?? []
  if (port === undefined || Number(port) > 65535) throw fieldError(place, 'must be HOST:PORT, :PORT or [IPV6]:PORT')
  return { host: bracketed ?? plain ?? '', port: Number(port) }
}

function url(value: unknown, place: Place): string {
  const given = text(value, place)
  const parsed = URL.parse(given)
  if (parsed === null || !/^https?:$/.test(parsed.protocol))
    throw fieldError(place, 'must begin with https:// or http://')
  if (parsed.username !== '' || parsed.password !== '') throw fieldError(place, 'must not contain a name or a password')
  return given
}

function pattern(value: unknown, place: Place): string {
  const given = text(value, place)
  if (!/^(?:[a-z0-9._/-]|\*|\$\{user\})+$/.test(given) || given.startsWith('/') || given.endsWith('/')) {
    throw fieldError(place, 'must be a repository name, which may contain *, ** and ${user}')
  }
  return given
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}
