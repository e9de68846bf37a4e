/** A context that consists of a few texts: a Dockerfile that arrived alone. */
import { hash } from 'node:crypto'
import { internal } from '../../base/index.ts'
import { ContextTree, type TreeReader } from '../tree/index.ts'
import type { FileContents, FileContext } from './file-context.ts'

/** The context over texts by file names. */
export class TextContext implements FileContext {
  readonly #texts: ReadonlyMap<string, string>

  constructor(texts: ReadonlyMap<string, string>) {
    this.#texts = texts
  }

  /** Empty: the Dockerfile's text can't be copied. */
  async look(): Promise<TreeReader> {
    return new ContextTree()
  }

  async digests(paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
    return new Map(paths.map((path) => [path, hash('sha256', this.#texts.get(path) ?? '', 'hex')]))
  }

  contents(): Promise<FileContents> {
    return Promise.reject(internal('there are no files in this context'))
  }

  async text(path: string): Promise<string | undefined> {
    return this.#texts.get(path)
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
