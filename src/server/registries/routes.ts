import type { AuthConfig, Filters } from '../../api/index.ts'
import { invalidArgument, messageOf } from '../../base/index.ts'
import { booleanFilter, decodeFilters, type RegistryBackend } from '../../contract/index.ts'
import { parseInteger } from '../../http/index.ts'
import { type Call, pathParameter, type Route } from '../answers/route.ts'
import { authMembers, decodeRegistryAuth } from '../requests/registry-auth.ts'
import { readBody } from '../requests/shape.ts'

const searchFilters: ReadonlySet<string> = new Set(['is-automated', 'is-official', 'stars'])

/** `/auth`, `/distribution/{name}/json` and `/images/search`. */
export function registryRoutes(backend: RegistryBackend): readonly Route[] {
  return [
    { method: 'POST', pattern: '/auth', handle: (call) => login(backend, call) },
    {
      method: 'GET',
      pattern: '/distribution/{name...}/json',
      handle: async (call) => {
        const { exchange } = call
        const options = { auth: authOf(call), signal: exchange.signal }
        exchange.sendJson(200, await backend.inspect(pathParameter(call, 'name'), options))
      },
    },
    { method: 'GET', pattern: '/images/search', handle: (call) => search(backend, call) },
  ]
}

async function login(backend: RegistryBackend, { exchange }: Call): Promise<void> {
  const body = await exchange.readJson({ anyType: true })
  if (body === undefined || body === null) throw invalidArgument('invalid JSON: got EOF while reading request body')
  const auth = readBody('registry.AuthConfig', body, authMembers)
  exchange.sendJson(200, await backend.login(auth, { signal: exchange.signal }))
}

async function search(backend: RegistryBackend, call: Call): Promise<void> {
  const { exchange, query } = call
  const filters = checkSearchFilters(decodeFilters(query.text('filters'), searchFilters))
  const options = { limit: readLimit(query.text('limit')), filters, auth: authOf(call), signal: exchange.signal }
  exchange.sendJson(200, await backend.search(query.text('term'), options))
}

function readLimit(text: string): number {
  if (text === '') return 0
  const limit = explained('invalid limit specified', text)
  if (limit < 0) throw invalidArgument('invalid limit specified')
  return limit
}

/** Refuses wrong values with Docker's texts. */
function checkSearchFilters(filters: Filters): Filters {
  booleanFilter(filters, 'is-automated')
  booleanFilter(filters, 'is-official')
  for (const stars of filters.stars ?? []) explained(`invalid filter 'stars=${stars}'`, stars)
  return filters
}

/** A number. The error of other text begins with `what`, followed by Go's text. */
function explained(what: string, text: string): number {
  try {
    return parseInteger(text)
  } catch (cause) {
    throw invalidArgument(`${what}: ${messageOf(cause)}`, { cause })
  }
}

function authOf({ exchange }: Call): AuthConfig | undefined {
  return decodeRegistryAuth(exchange.headers['x-registry-auth'])
}
