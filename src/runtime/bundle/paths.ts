/** Where the runtime keeps its files. Everything is state: lost on reboot, together with the containers.
 *
 *  ```
 *  <exec-root>/
 *    c/<id>/            bundle of a container
 *      config.json      OCI runtime configuration
 *      pid conmon.pid   of the first process, of its monitor
 *      attach           conmon's SOCK_SEQPACKET socket (its path must fit in 107 bytes)
 *      ctl winsz        fifos that conmon reads: window size, log reopening
 *      oom              made by conmon when the kernel killed for memory
 *      update.json      limits that the runtime is being told
 *      exec-*           of execs that are being started: the process (with runc), the socket for its terminal
 *    exits/<id>         exit code, written by conmon; its mtime is the time of the exit
 *    <runtime>/<id>/    the OCI runtime's own state
 *  ``` */
import { basename, join } from 'node:path'

export function bundlePath(execRoot: string, id: string): string {
  return join(execRoot, 'c', id)
}

export function exitsPath(execRoot: string): string {
  return join(execRoot, 'exits')
}

/** The state directory of an OCI runtime; different programs don't share one. */
export function runtimeRootPath(execRoot: string, program: string): string {
  return join(execRoot, basename(program))
}

/** Files of a bundle. */
export function bundleFiles(bundle: string) {
  return {
    config: join(bundle, 'config.json'),
    pid: join(bundle, 'pid'),
    conmonPid: join(bundle, 'conmon.pid'),
    attach: join(bundle, 'attach'),
    control: join(bundle, 'ctl'),
    oom: join(bundle, 'oom'),
    runtime: join(bundle, 'runtime'),
    update: join(bundle, 'update.json'),
  } as const
}
