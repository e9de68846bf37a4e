/** Files that a build can copy from: the client's, an archive's, a repository's. */
import type { AbortOptions } from '../../base/index.ts'
import type { TreeReader } from '../tree/index.ts'
import type { SourceForm } from './wanted-places.ts'

export interface LookOptions extends AbortOptions {
  /** Default: paths. */
  readonly form?: SourceForm
}

export interface FileContext extends AsyncDisposable {
  /** Facts of what these sources mean, with all below it ('.' for everything); more may be in it. */
  look(sources: readonly string[], options?: LookOptions): Promise<TreeReader>
  /** What the files are that `sources` of a COPY mean, without a look at them: the same text, the same files. Undefined
   *  where that takes a look. */
  identity?(sources: readonly string[], options?: LookOptions): Promise<string | undefined>
  /** Digests of the contents of these files, which `look` has told of. */
  digests(paths: readonly string[], options?: AbortOptions): Promise<ReadonlyMap<string, string>>
  /** Where the contents of these files are: in one file at offsets, or each at a path. */
  contents(paths: readonly string[], options?: AbortOptions): Promise<FileContents>
  /** A small file's text; undefined when there is none. */
  text(path: string, options?: AbortOptions): Promise<string | undefined>
}

export type FileContents =
  | { readonly spool: string; readonly offsets: ReadonlyMap<string, number> }
  | { readonly root: string }

/** Larger Dockerfiles and ignore files are not read. */
export const maxTextBytes = 16 * 1024 * 1024
