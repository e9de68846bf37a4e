/** A store with one image, the starting point of tests of lists, removal and prune. */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runOrThrow } from '../command.ts'
import { TestDaemon } from '../daemons/daemon.ts'
import { until } from '../wait.ts'
import { writeBusyboxArchive } from './test-image.ts'

export class LocalImages implements AsyncDisposable {
  readonly daemon: TestDaemon
  /** For the test's own files. */
  readonly directory: string
  /** The archive for `load`. */
  readonly archive: string
  /** The id of busybox:latest. */
  readonly id: string
  readonly short: string

  private constructor(daemon: TestDaemon, directory: string, archive: string, id: string) {
    this.daemon = daemon
    this.directory = directory
    this.archive = archive
    this.id = id
    this.short = id.slice(7, 19)
  }

  static async start(): Promise<LocalImages> {
    const directory = mkdtempSync('/tmp/b-')
    const archive = join(directory, 'busybox.tar')
    const id = await writeBusyboxArchive({ path: archive, config: { Cmd: ['sh'], Labels: { kind: 'base' } } })
    return new LocalImages(await TestDaemon.start(), directory, archive, id)
  }

  /** Removes every image except busybox:latest. */
  async reset(): Promise<void> {
    const { daemon } = this
    const containers = (await daemon.ok(['ps', '-aq'])).split('\n').filter((one) => one !== '')
    if (containers.length > 0) await daemon.ok(['rm', '-fv', ...containers])
    await until(async () => (await daemon.ok(['image', 'prune', '-af'])) !== '' && (await this.stored()) === 0, {
      what: 'an empty store',
    })
    await daemon.ok(['load', '-qi', this.archive])
  }

  /** How many blobs there are. */
  async stored(): Promise<number> {
    return (await runOrThrow('find', [join(this.daemon.dataRoot, 'content/blobs'), '-type', 'f']))
      .split('\n')
      .filter((line) => line !== '').length
  }

  /** Output, errors and exit code of a command, with ids replaced by words. */
  async transcript(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.daemon.docker(args)
    const text = (stdout + stderr).replaceAll(this.id, 'ID').replaceAll(this.short, 'SHORT')
    return `${text.replace(/[0-9a-f]{64}/g, 'HEX').replace(/container [0-9a-f]{12}/g, 'container C')}${code}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]()
    rmSync(this.directory, { recursive: true, force: true })
  }
}
