/** Routes of API 1.51 that Berth does not serve. Each is answered with an error that names it. */
import { BerthError, notFound, notImplemented } from '../../base/index.ts'
import { type Call, pathParameter, type Route } from './route.ts'

type Method = Route['method']

/** The error text of dockerd for everything that needs a swarm. */
export const notSwarmManager =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.'

const unbuilt: readonly (readonly [method: Method, pattern: string, what: string])[] = [
  ['GET', '/containers/{id}/checkpoints', 'checkpoint'],
  ['POST', '/containers/{id}/checkpoints', 'checkpoint'],
  ['DELETE', '/containers/{id}/checkpoints/{checkpoint}', 'checkpoint'],
  ['GET', '/plugins/privileges', 'plugin'],
  ['POST', '/plugins/pull', 'plugin install'],
  ['POST', '/plugins/create', 'plugin create'],
  ['POST', '/swarm/init', 'swarm'],
  ['POST', '/swarm/join', 'swarm'],
]

/** Routes that dockerd answers with "not a swarm manager" outside of a swarm, which clients understand. */
const swarmOnly: readonly (readonly [method: Method, pattern: string])[] = [
  ['GET', '/swarm'],
  ['POST', '/swarm/leave'],
  ['POST', '/swarm/update'],
  ['GET', '/swarm/unlockkey'],
  ['POST', '/swarm/unlock'],
  ...swarmCollection('services'),
  ...swarmCollection('nodes'),
  ...swarmCollection('secrets'),
  ...swarmCollection('configs'),
  ['GET', '/services/{id}/logs'],
  ['GET', '/tasks'],
  ['GET', '/tasks/{id}'],
  ['GET', '/tasks/{id}/logs'],
  ['PUT', '/volumes/{name...}'],
]

/** Routes of one plugin. There is no plugin; `docker inspect` asks and expects a 404. */
const ofPlugins: readonly (readonly [method: Method, pattern: string])[] = [
  ['GET', '/plugins/{name...}/json'],
  ['POST', '/plugins/{name...}/enable'],
  ['POST', '/plugins/{name...}/disable'],
  ['POST', '/plugins/{name...}/upgrade'],
  ['POST', '/plugins/{name...}/push'],
  ['POST', '/plugins/{name...}/set'],
  ['DELETE', '/plugins/{name...}'],
]

/** All routes that are not served. */
export const unbuiltRoutes: readonly Route[] = [
  ...unbuilt.map(([method, pattern, what]) => unbuiltRoute(method, pattern, what)),
  ...swarmOnly.map(([method, pattern]): Route => {
    return { method, pattern, handle: () => Promise.reject(new BerthError('unavailable', notSwarmManager)) }
  }),
  ...ofPlugins.map(([method, pattern]): Route => {
    const handle = (call: Call) => Promise.reject(notFound(`plugin "${pathParameter(call, 'name')}" not found`))
    return { method, pattern, handle }
  }),
]

/** A route that answers 501. */
function unbuiltRoute(method: Method, pattern: string, what: string): Route {
  return { method, pattern, handle: () => Promise.reject(notImplementedHere(what)) }
}

/** The error for something that Berth does not implement. */
export function notImplementedHere(what: string): BerthError {
  return notImplemented(`${what} is not implemented in this version of Berth`)
}

function swarmCollection(noun: string): (readonly [Method, string])[] {
  return [
    ['GET', `/${noun}`],
    ['POST', `/${noun}/create`],
    ['GET', `/${noun}/{id}`],
    ['DELETE', `/${noun}/{id}`],
    ['POST', `/${noun}/{id}/update`],
  ]
}
