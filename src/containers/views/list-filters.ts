/** The filters of `GET /containers/json`. A container must match every key, and for each key any of its values.
 *  https://docs.docker.com/reference/cli/docker/container/ls/#filter */
import type { Filters, Port } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import { booleanFilter, matchesLabel, namesMatching } from '../../contract/index.ts'
import { type ContainerRecord, createdNs } from '../record/container-record.ts'
import { parseContainerPort } from '../record/port-requests.ts'

/** What filters need besides the record itself. */
export interface FilterLookups {
  /** The container that `before` or `since` names. Throws `notFound`. */
  container(idOrName: string): ContainerRecord
  /** Ids of the images that `ancestor` matches: the named image and all images built on it. */
  imageAndChildren(reference: string): ReadonlySet<string>
  /** The ports that a list shows: published and exposed ones of a running container. */
  ports(record: ContainerRecord): readonly Port[]
  /** Names and ids of the container's networks. */
  networks(record: ContainerRecord): readonly string[]
}

type Test = (record: ContainerRecord) => boolean

/** Combines all filters into one test. Throws `invalidArgument` for a malformed value. */
export function compileFilters(filters: Filters, lookups: FilterLookups): Test {
  const tests = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([key, values]) => compileOne(key, values, lookups))
  return (record) => tests.every((test) => test(record))
}

/** True if the filters ask for containers that do not run, so that these are listed as well. */
export function filtersImplyAll(filters: Filters): boolean {
  return (filters.status?.length ?? 0) > 0
}

function compileOne(key: string, values: readonly string[], lookups: FilterLookups): Test {
  switch (key) {
    case 'id':
      return (record) => values.some((value) => record.id.startsWith(value))
    case 'name':
      return nameTest(values)
    case 'status':
      return (record) => values.includes(record.state.status)
    case 'exited': {
      const codes = new Set(values.map(Number))
      return (record) => record.state.status === 'exited' && codes.has(record.state.exitCode)
    }
    case 'label':
      return (record) => values.every((value) => matchesLabel(record.config.Labels ?? {}, value))
    case 'label!':
      return (record) => !values.some((value) => matchesLabel(record.config.Labels ?? {}, value))
    case 'ancestor': {
      const images = values.map((value) => lookups.imageAndChildren(value))
      return (record) => values.includes(record.image.reference) || images.some((set) => set.has(record.image.id))
    }
    case 'before': {
      const times = values.map((value) => createdNs(lookups.container(value)))
      return (record) => times.every((time) => createdNs(record) < time)
    }
    case 'since': {
      const times = values.map((value) => createdNs(lookups.container(value)))
      return (record) => times.every((time) => createdNs(record) > time)
    }
    case 'volume':
      return (record) =>
        record.mounts.some((mount) => values.includes(mount.name ?? mount.source) || values.includes(mount.destination))
    case 'network':
      return (record) => lookups.networks(record).some((network) => values.includes(network))
    case 'publish':
      return portTest(values, lookups, ({ PublicPort }) => PublicPort)
    case 'expose':
      return portTest(values, lookups, ({ PrivatePort }) => PrivatePort)
    case 'health':
      return (record) => values.includes(record.health?.Status ?? 'none')
    case 'isolation':
      // A filter of Windows; every value is accepted.
      return () => true
    case 'is-task': {
      const isTask = booleanFilter({ 'is-task': values }, 'is-task')
      return () => isTask === false
    }
    default:
      throw invalidArgument(`invalid filter '${key}'`)
  }
}

/** Matches the name with or without a leading slash. */
function nameTest(values: readonly string[]): Test {
  const matches = namesMatching(values)
  return ({ name }) => matches(`/${name}`) || matches(name)
}

function portTest(
  values: readonly string[],
  lookups: FilterLookups,
  numberOf: (port: Port) => number | undefined,
): Test {
  const wanted = new Set(values.flatMap(expandPorts))
  return (record) => lookups.ports(record).some((port) => wanted.has(`${numberOf(port)}/${port.Type}`))
}

function expandPorts(text: string): string[] {
  const [range = '', protocol = 'tcp'] = text.split('/')
  const [first = '', last = first] = range.split('-')
  const from = parseContainerPort(`${first}/${protocol}`).port
  const to = parseContainerPort(`${last}/${protocol}`).port
  if (to < from) throw invalidArgument(`invalid port range: ${text}`)
  return Array.from({ length: to - from + 1 }, (_, step) => `${from + step}/${protocol}`)
}
