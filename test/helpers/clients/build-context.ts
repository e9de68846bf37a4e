/** Directories with files for builds. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A context in a temporary directory; with `using` it is removed at the end of the test. */
export class TestContext implements Disposable {
  readonly root = mkdtempSync('/tmp/b-ctx-')
  readonly path = join(this.root, 'context')

  /** Path → content; a content that begins with `-> ` is a symlink's target. */
  constructor(files: Readonly<Record<string, string>>) {
    mkdirSync(this.path)
    for (const [path, content] of Object.entries(files)) this.put(path, content)
  }

  put(path: string, content: string, mode = 0o644): void {
    const target = join(this.path, path)
    mkdirSync(dirname(target), { recursive: true })
    if (content.startsWith('-> ')) {
      symlinkSync(content.slice(3), target)
      return
    }
    writeFileSync(target, content)
    chmodSync(target, mode)
  }

  /** A path beside the context, for the results of a build. */
  beside(name: string): string {
    return join(this.root, name)
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}
