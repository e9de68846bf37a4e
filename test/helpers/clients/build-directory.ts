/** A directory with a Dockerfile and files, and builds of it through the API. */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestDaemon } from '../daemons/daemon.ts'

/** A file's text; `{ link }` a symlink; `{ mode, text }` a file with permissions. */
export type BuildFile = string | Buffer | { readonly link: string } | { readonly mode: number; readonly text: string }

/** The result of a build. */
export interface BuildAnswer {
  readonly status: number
  /** The messages of the stream, or the body of the error. */
  readonly messages: readonly Readonly<Record<string, unknown>>[]
  /** All `stream` texts. */
  readonly output: string
  /** The image's id. */
  readonly id: string
  readonly error: string
}

export class BuildDirectory implements Disposable {
  readonly path: string

  constructor(files: Readonly<Record<string, BuildFile>>) {
    this.path = mkdtempSync('/tmp/b-ctx-')
    this.write(files)
  }

  write(files: Readonly<Record<string, BuildFile>>): void {
    for (const [name, file] of Object.entries(files)) {
      const path = join(this.path, name)
      mkdirSync(dirname(path), { recursive: true })
      rmSync(path, { force: true })
      if (typeof file === 'string' || Buffer.isBuffer(file)) writeFileSync(path, file)
      else if ('link' in file) symlinkSync(file.link, path)
      else {
        writeFileSync(path, file.text)
        chmodSync(path, file.mode)
      }
    }
  }

  /** The directory as a tar archive. */
  tar(options: readonly string[] = []): Buffer {
    return execFileSync('tar', ['-C', this.path, ...options, '-c', '.'], { maxBuffer: 1 << 30 })
  }

  /** `POST /build` with these parameters. */
  async build(daemon: TestDaemon, query: Readonly<Record<string, string>> = {}): Promise<BuildAnswer> {
    return await postBuild(daemon, query, this.tar())
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** Sends a context; reads the whole stream. */
export async function postBuild(
  daemon: TestDaemon,
  query: Readonly<Record<string, string>>,
  body: Buffer,
): Promise<BuildAnswer> {
  const parameters = new URLSearchParams(query).toString()
  const { status, text } = await daemon.api('POST', `/build?${parameters}`, body)
  const messages = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  const ids = messages.map(({ aux, type, id }) => (type === 'aux' ? id : (aux as { ID?: string } | undefined)?.ID))
  const failed = messages.find((one) => one.error !== undefined || one.type === 'error' || status >= 400)
  return {
    status,
    messages,
    output: messages.map(({ stream }) => stream ?? '').join(''),
    id: String(ids.findLast((id) => id !== undefined) ?? ''),
    error: String(failed?.error ?? failed?.message ?? ''),
  }
}
