/** The query of `POST /build?version=2` as options of BuildKit's frontend. Every parameter is
 *  honored or refused by name. */
import { invalidArgument, notImplemented } from '../../base/index.ts'
import type { SessionBuild } from '../../contract/index.ts'
import type { Query } from '../../http/index.ts'
import { readJson, readList, readMap, refuseUnsupported, splitHosts } from './classic-request.ts'

/** Parameters of the classic builder that BuildKit does not have. */
const unusable = ['memory', 'memswap', 'cpushares', 'cpuperiod', 'cpuquota', 'cpusetcpus', 'cpusetmems'] as const

/** Reads the query. Throws `invalidArgument` for a malformed value and `notImplemented` for an unsupported one. */
export function readSessionRequest(query: Query): Omit<SessionBuild, 'archive' | 'signal' | 'onTrace'> {
  refuseUnsupported(query)
  for (const name of unusable)
    if (!['', '0'].includes(query.text(name))) throw notImplemented(`${name} of a build with a session`)
  if (query.flag('squash')) throw notImplemented('squash of a build with a session')
  const sessionId = query.text('session')
  if (sessionId === '') throw invalidArgument('a build of version 2 needs a session')
  const network = query.text('networkmode')
  return {
    sessionId,
    attrs: attrsOf(query),
    exports: exportsOf(query),
    cacheExports: [],
    entitlements: network === 'host' ? ['network.host'] : [],
  }
}

function attrsOf(query: Query): Record<string, string> {
  const remote = query.text('remote')
  const attrs: Record<string, string> = {
    filename: query.text('dockerfile') || 'Dockerfile',
    'image-resolve-mode': query.flag('pull') ? 'pull' : 'default',
    'add-hosts': csv(query.all('extrahosts').flatMap(splitHosts).map(toHost)),
    'cache-from': csv(readList(query, 'cachefrom')),
    ulimit: csv(readUlimits(query)),
  }
  if (!['', 'client-session', 'upload-request'].includes(remote)) attrs.context = remote
  const plain = [
    ['target', 'target'],
    ['platform', 'platform'],
    ['networkmode', 'force-network-mode'],
    ['shmsize', 'shm-size'],
    ['cgroupparent', 'cgroup-parent'],
  ] as const
  for (const [parameter, name] of plain) {
    const value = query.text(parameter)
    if (value !== '' && value !== '0') attrs[name] = value
  }
  if (query.flag('nocache')) attrs['no-cache'] = ''
  for (const [name, value] of Object.entries(readMap(query, 'buildargs'))) attrs[`build-arg:${name}`] = value
  for (const [name, value] of Object.entries(readMap(query, 'labels'))) attrs[`label:${name}`] = value
  return attrs
}

function exportsOf(query: Query): SessionBuild['exports'] {
  const outputs = (readJson(query, 'outputs') ?? []) as readonly { Type?: string; Attrs?: Record<string, string> }[]
  if (!Array.isArray(outputs)) throw invalidArgument('outputs is not a list')
  if (outputs.length > 1) throw invalidArgument('multiple outputs not supported')
  const names = query.all('t').filter((tag) => tag !== '')
  const [{ Type: type = '', Attrs: attrs = {} } = {}] = outputs
  if (type === 'cacheonly') return []
  const name = names.length === 0 || ['local', 'tar'].includes(type) ? {} : { name: names.join(',') }
  return [{ type: type || 'moby', attrs: { ...name, ...attrs } }]
}

function readUlimits(query: Query): readonly string[] {
  const list = (readJson(query, 'ulimits') ?? []) as readonly { Name?: string; Soft?: number; Hard?: number }[]
  return list.map(({ Name = '', Soft = 0, Hard = Soft }) => `${Name}=${Soft}:${Hard}`)
}

/** Turns `name:ip` into BuildKit's form. */
function toHost(text: string): string {
  return text.replace(/^([^:=]+):/, '$1=')
}

function csv(values: readonly string[]): string {
  return values.map((value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',')
}
