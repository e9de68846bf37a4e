/** Connects the user's terminal or pipes to an attached process. */
import type { AttachedStream } from '../../client/index.ts'
import { DetachFilter, parseDetachKeys } from './detach-keys.ts'
import type { Input } from './input.ts'
import type { Output } from './output.ts'

/** The user's side of a session. */
export interface SessionStreams {
  readonly output: Output
  readonly errors: Output
  /** Undefined: no input is sent. */
  readonly input: Input | undefined
}

/** How a session runs. */
export interface SessionOptions {
  readonly tty: boolean
  /** The detach keys in the CLI's notation; empty for the default. */
  readonly detachKeys: string
}

/** How a session ended: the process closed its output, or the user typed the detach keys. */
export type SessionEnd = 'ended' | 'detached'

/** Passes input and output on until the output ends. Restores the terminal before it resolves. */
export async function runSession(
  stream: AttachedStream,
  streams: SessionStreams,
  options: SessionOptions,
): Promise<SessionEnd> {
  const { input, output, errors } = streams
  const detached = Promise.withResolvers<SessionEnd>()
  const restore = options.tty ? await input?.makeRaw() : undefined
  const stop = input === undefined ? undefined : passInput(stream, input, options, () => detached.resolve('detached'))
  try {
    const ended = stream.readOutput((kind, chunk) => (kind === 'stderr' ? errors : output).write(chunk))
    return await Promise.race([ended.then((): SessionEnd => 'ended'), detached.promise])
  } finally {
    stop?.()
    restore?.()
    stream.close()
  }
}

function passInput(stream: AttachedStream, input: Input, options: SessionOptions, onDetach: () => void): () => void {
  const filter = options.tty ? new DetachFilter(parseDetachKeys(options.detachKeys)) : undefined
  const take = (chunk: Buffer): void => {
    const { data, detached } = filter?.feed(chunk) ?? { data: chunk, detached: false }
    if (data.length > 0 && !stream.write(data)) {
      input.pause()
      void stream.drained().then(() => input.resume())
    }
    if (detached) onDetach()
  }
  return input.read(take, () => stream.endInput())
}
