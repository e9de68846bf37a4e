/** Where the operands of each command come from. */
import { anyOf, type CompletionPoint, files, nothing, type Source, words } from './candidate.ts'
import {
  containers,
  contexts,
  images,
  networks,
  ownContexts,
  ownNetworks,
  registries,
  running,
  stopped,
  volumes,
} from './live-names.ts'

/** `source` for the first operand, `then` for the others. */
function first(source: Source, then: Source | typeof files = nothing): Source | typeof files {
  return positional([source], then)
}

/** One source for each position, then `then`. */
function positional(sources: readonly Source[], then: Source | typeof files = nothing): Source {
  return (point) => {
    const source = sources[point.operands.length] ?? (then === files ? nothing : then)
    return source(point)
  }
}

const all = containers()

/** Stopped containers or, with `--force`, all. */
const removable: Source = (point) => (point.hasFlag('force') ? all : stopped)(point)

/** `CONTAINER:`, which precedes a path. */
const placeOfCopy: Source = async (point) =>
  point.word.includes(':') || point.word.startsWith('.') || point.word.startsWith('/')
    ? []
    : (await all(point)).map(({ value, ...rest }) => ({ ...rest, value: `${value}:` }))

const everything = anyOf(all, images, networks, volumes)

/** The sources by the first of a command's names. A command that is missing here has no operands. */
const sources: Readonly<Record<string, Source | typeof files>> = {
  'container attach': first(running),
  'container commit': first(all, images),
  'container cp': placeOfCopy,
  'container create': first(images, files),
  'container diff': first(all),
  'container enter': first(running),
  'container exec': first(running),
  'container export': first(all),
  'container inspect': all,
  'container kill': running,
  'container logs': first(all),
  'container pause': running,
  'container port': first(running),
  'container rename': first(all),
  'container restart': all,
  'container rm': removable,
  'container run': first(images, files),
  'container start': stopped,
  'container stats': running,
  'container stop': running,
  'container top': first(running),
  'container unpause': containers('paused'),
  'container update': all,
  'container wait': all,
  'context export': first(contexts, files),
  'context import': files,
  'context inspect': contexts,
  'context rm': ownContexts,
  'context update': first(ownContexts),
  'context use': first(contexts),
  'image history': first(images),
  'image import': files,
  'image inspect': images,
  'image ls': first(images),
  'image pull': nothing,
  'image push': first(images),
  'image rm': images,
  'image save': images,
  'image tag': positional([images, images]),
  'builder build': files,
  'network connect': positional([networks, all]),
  'network disconnect': positional([networks, all]),
  'network inspect': networks,
  'network rm': ownNetworks,
  'volume backup': first(volumes, files),
  'volume inspect': volumes,
  'volume restore': first(volumes, files),
  'volume rm': volumes,
  build: files,
  completion: first(words('bash', 'fish', 'powershell', 'zsh')),
  inspect: (point: CompletionPoint) => everything(point),
  login: first(registries),
  logout: first(registries),
}

/** The source for the next operand of a command. */
export function operandSource(name: string): Source | typeof files {
  return Object.hasOwn(sources, name) ? (sources[name] ?? nothing) : nothing
}
