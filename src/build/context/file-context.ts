/** The files that a build can copy from: the client's, an archive's, a repository's. */
import type { AbortOptions } from '../../base/index.ts'
import type { TreeReader } from '../tree/index.ts'
import type { SourceForm } from './wanted-places.ts'

/** Options of a look into a context. */
export interface LookOptions extends AbortOptions {
  /** How the sources are written. Default: paths. */
  readonly form?: SourceForm
}

/** Files to copy from. Paths are relative to the root of the context, with slashes. */
export interface FileContext extends AsyncDisposable {
  /** Gives the files that these sources name and everything below them ('.' for all). The tree may contain more. */
  look(sources: readonly string[], options?: LookOptions): Promise<TreeReader>
  /** Gives a text that identifies the files of these sources without listing them: equal text means equal files.
   *  Undefined when the files must be listed. */
  identity?(sources: readonly string[], options?: LookOptions): Promise<string | undefined>
  /** Content digests of these files, by path. `look` must have returned the files before. */
  digests(paths: readonly string[], options?: AbortOptions): Promise<ReadonlyMap<string, string>>
  /** Gives the contents of these files: as ranges of one file, or each at a path of its own. */
  contents(paths: readonly string[], options?: AbortOptions): Promise<FileContents>
  /** The text of a small file. Undefined when the file does not exist. */
  text(path: string, options?: AbortOptions): Promise<string | undefined>
}

/** Where contents are: at offsets of one file (`spool`), or each at a path. */
export type FileContents =
  | { readonly spool: string; readonly offsets: ReadonlyMap<string, number> }
  | { readonly root: string }

/** Larger Dockerfiles and ignore files are refused. */
export const maxTextBytes = 16 * 1024 * 1024
