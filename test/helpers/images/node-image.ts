/** An image with the project's own Node, the host's npm, and busybox. */
import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runOrThrow } from '../command.ts'
import { writeBusyboxArchive } from './test-image.ts'

/** Writes an archive for `docker load`. */
export async function writeNodeArchive(path: string, reference: string): Promise<void> {
  const npm = join(await runOrThrow('npm', ['root', '--global']), 'npm')
  await writeBusyboxArchive({
    path,
    reference,
    config: { Cmd: ['node'] },
    async prepare(rootfs) {
      const node = realpathSync(process.execPath)
      await copy(node, join(rootfs, 'usr/bin/node'))
      for (const library of await librariesOf(node)) {
        await copy(realpathSync(library), join(rootfs, library))
      }
      cpSync(npm, join(rootfs, 'usr/lib/node_modules/npm'), { recursive: true })
      symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(rootfs, 'usr/bin/npm'))
      if (!existsSync(join(rootfs, 'usr/bin/env'))) symlinkSync('../../bin/busybox', join(rootfs, 'usr/bin/env'))
      writeFileSync(join(rootfs, 'etc/nsswitch.conf'), 'hosts: files dns\n')
    },
  })
}

async function copy(from: string, to: string): Promise<void> {
  mkdirSync(dirname(to), { recursive: true })
  await runOrThrow('cp', [from, to])
}

/** The files that the dynamic linker would load, and the linker itself. */
async function librariesOf(program: string): Promise<string[]> {
  const text = await runOrThrow('ldd', [program])
  return [...text.matchAll(/(\/\S+)(?= \(0x)/g)].map(([, path = '']) => path)
}
