/** Where the runtime keeps its files. All of them may be lost on reboot, when the containers end too.
 *
 *  ```
 *  <exec-root>/
 *    c/<id>/            bundle of a container
 *      config.json      OCI runtime configuration
 *      pid conmon.pid   pids of the first process and of its monitor
 *      attach           conmon's SOCK_SEQPACKET socket (its path must fit in 107 bytes)
 *      ctl winsz        fifos that conmon reads: window size, log reopening
 *      oom              created by conmon when the kernel killed a process for memory
 *      runtime          name of the OCI runtime, when it is not the default
 *      update.json      limits, while the OCI runtime applies them
 *      exec-*           while an exec starts: the process (with runc), the socket for its terminal
 *    exits/<id>         exit code, written by conmon; its mtime is the time of the exit
 *    <runtime>/<id>/    the OCI runtime's own state
 *  ``` */
import { basename, join } from 'node:path'

/** The bundle of a container. */
export function bundlePath(execRoot: string, id: string): string {
  return join(execRoot, 'c', id)
}

/** Where conmon writes exit files, each named by its container's id. */
export function exitsPath(execRoot: string): string {
  return join(execRoot, 'exits')
}

/** The state directory of an OCI runtime. Each program has its own. */
export function runtimeRootPath(execRoot: string, program: string): string {
  return join(execRoot, basename(program))
}

/** Paths of the files in a bundle. */
export function bundleFiles(bundle: string) {
  return {
    config: join(bundle, 'config.json'),
    pid: join(bundle, 'pid'),
    conmonPid: join(bundle, 'conmon.pid'),
    attach: join(bundle, 'attach'),
    control: join(bundle, 'ctl'),
    windowSize: join(bundle, 'winsz'),
    oom: join(bundle, 'oom'),
    runtime: join(bundle, 'runtime'),
    update: join(bundle, 'update.json'),
  } as const
}
