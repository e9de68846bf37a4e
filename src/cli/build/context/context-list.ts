/** The list of a context's files, encoded as JSON lines. */
import type { BuildContextDigest } from '../../../api/index.ts'
import { type WalkOptions, walkContext } from './context-walk.ts'

/** Lines are joined into pieces of about this size. */
const pieceBytes = 256 * 1024

/** A context's list, in pieces to send. */
export interface ContextList {
  /** The lines, which are made while the caller iterates. */
  pieces(): Generator<Buffer, void, void>
  /** Complete after the last piece. */
  readonly links: BuildContextDigest['links']
}

/** Lists a context as `walkContext` does. */
export function listContext(directory: string, options: WalkOptions): ContextList {
  const roots = options.roots.map((root) => `${root.replace(/^(\.\/)+/, '')}/`)
  let links: BuildContextDigest['links'] = 'none'
  function note(path: string): void {
    if (roots.some((root) => root.startsWith(`${path}/`))) links = 'roots'
    else if (links === 'none') links = 'below'
  }
  function* pieces(): Generator<Buffer, void, void> {
    let text = ''
    for (const line of walkContext(directory, { ...options, onLink: note })) {
      text += line
      text += '\n'
      if (text.length < pieceBytes) continue
      yield Buffer.from(text)
      text = ''
    }
    if (text !== '') yield Buffer.from(text)
  }
  return {
    pieces,
    get links() {
      return links
    },
  }
}
