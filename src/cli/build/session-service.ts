/** Answers the daemon's requests during a build. Each request has its own channel, and all are served at the same
 *  time. */
import { createHash } from 'node:crypto'
import type { BuildAsk, BuildContextDigest, BuildWalkAsk } from '../../api/index.ts'
import { messageOf } from '../../base/index.ts'
import { IgnoreMatcher } from '../../build/dockerfile/index.ts'
import type { BuildSession } from '../../client/index.ts'
import type { CliContext } from '../command/command.ts'
import type { PlannedBuild } from './build-request.ts'
import { packContents } from './context/context-contents.ts'
import { listContext } from './context/context-list.ts'
import { unpackInto, writeFileOutput } from './output-places.ts'
import { connectAgent } from './ssh/ssh-options.ts'

/** What the daemon may ask for. */
export interface ServiceOptions extends Pick<PlannedBuild, 'directories' | 'agents' | 'places' | 'cachePlaces'> {
  /** The ignore rules of each context's directory, by the context's name. */
  readonly ignore: ReadonlyMap<string, IgnoreMatcher>
  /** The archive that the user piped in. */
  readonly tar: AsyncIterable<Buffer> | undefined
  readonly output: CliContext['output']
}

/** Answers the requests of one build session. */
export class SessionService {
  readonly #session: BuildSession
  readonly #options: ServiceOptions
  readonly #work = new Set<Promise<void>>()
  /** The list whose digest was sent last. If the daemon asks for it, that is its next request. */
  #listed: { readonly of: string; readonly pieces: readonly Buffer[] } | undefined
  #failure: unknown

  constructor(session: BuildSession, options: ServiceOptions) {
    this.#session = session
    this.#options = options
  }

  /** Begins to answer a request. */
  answer(ask: BuildAsk): void {
    const work = this.#serve(ask).catch((error: unknown) => {
      this.#failure ??= error
      this.#session.end(ask.channel, messageOf(error))
    })
    this.#work.add(work)
    void work.finally(() => this.#work.delete(work))
  }

  /** Resolves when all requests are answered: with the first error on this side, or undefined. */
  async settled(): Promise<unknown> {
    await Promise.all(this.#work)
    return this.#failure
  }

  async #serve(ask: BuildAsk): Promise<void> {
    switch (ask.type) {
      case 'walk':
        return await this.#send(ask.channel, ask.digest === true ? [this.#digest(ask)] : this.#list(ask))
      case 'files':
        return await this.#send(ask.channel, packContents(this.#directory(ask.context), ask.paths))
      case 'tar':
        return await this.#send(ask.channel, this.#options.tar ?? [])
      case 'ssh':
        return await this.#forward(ask.channel, ask.id)
      case 'output':
        return await this.#receive(ask)
    }
  }

  #directory(context: string): string {
    const directory = this.#options.directories.get(context)
    if (directory === undefined) throw new Error(`there is no build context ${JSON.stringify(context)} here`)
    return directory
  }

  #walk({ context, roots, patterns }: BuildWalkAsk): ReturnType<typeof listContext> {
    const ignore = this.#options.ignore.get(context) ?? new IgnoreMatcher([])
    return listContext(this.#directory(context), { roots, patterns, ignore })
  }

  #list(ask: BuildWalkAsk): Iterable<Buffer> {
    const known = this.#listed
    this.#listed = undefined
    return known?.of === nameOf(ask) ? known.pieces : this.#walk(ask).pieces()
  }

  #digest(ask: BuildWalkAsk): Buffer {
    const list = this.#walk(ask)
    const sum = createHash('sha256')
    const pieces = [...list.pieces()]
    for (const piece of pieces) sum.update(piece)
    this.#listed = { of: nameOf(ask), pieces }
    const answer: BuildContextDigest = { digest: sum.digest('hex'), links: list.links }
    return Buffer.from(`${JSON.stringify(answer)}\n`)
  }

  async #send(channel: number, pieces: Iterable<Buffer> | AsyncIterable<Buffer>): Promise<void> {
    for await (const piece of pieces) await this.#session.write(channel, piece)
    this.#session.end(channel)
  }

  /** Forwards both directions of a connection to an agent. */
  async #forward(channel: number, id: string): Promise<void> {
    const agent = this.#options.agents.find((one) => one.id === id)
    if (agent === undefined) throw new Error(`unset ssh forward key ${id}`)
    const socket = await connectAgent(agent)
    const questions = (async () => {
      for await (const chunk of this.#session.read(channel)) socket.write(chunk)
      socket.end()
    })()
    // If it breaks off, that concerns the remote program only.
    questions.catch(() => socket.destroy())
    await this.#send(channel, socket as AsyncIterable<Buffer>)
    await questions.catch(() => undefined)
  }

  async #receive({ channel, target, output, form }: Extract<BuildAsk, { type: 'output' }>): Promise<void> {
    const { places, cachePlaces } = this.#options
    const place = target < 0 ? cachePlaces[output] : places[target]?.[output]
    if (place === undefined) throw new Error('there is no place for this output here')
    const chunks = this.#session.read(channel)
    if (form === 'tar') await unpackInto(place, chunks)
    else await writeFileOutput(place, chunks, this.#options.output)
    // Tells the daemon that everything has arrived.
    this.#session.end(channel)
  }
}

function nameOf({ context, roots, patterns }: BuildWalkAsk): string {
  return JSON.stringify([context, roots, patterns])
}
