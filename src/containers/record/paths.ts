/** Where containers keep their files.
 *
 *  ```
 *  <data-root>/containers/<id>/     kept while the container exists
 *    container.log                  what it printed (see logs/)
 *    forwarded/position             how far the log was delivered to a log server
 *    hosts hostname resolv.conf     mounted over the image's
 *  <exec-root>/c/<id>/rootfs        where the overlay is mounted while it runs (bundle: see runtime/)
 *  <exec-root>/view                 see view.ts
 *  ``` */
import { join } from 'node:path'

/** Builds the paths of containers' files. Does no I/O. */
export class ContainerPaths {
  /** Parent of all containers' directories, below the data root. */
  readonly root: string
  readonly #execRoot: string

  constructor(dataRoot: string, execRoot: string) {
    this.root = join(dataRoot, 'containers')
    this.#execRoot = execRoot
  }

  /** Directory of all bundles. */
  get bundles(): string {
    return join(this.#execRoot, 'c')
  }

  /** Directory that is kept while the container exists. */
  home(id: string): string {
    return join(this.root, id)
  }

  /** The container's current log file. */
  log(id: string): string {
    return join(this.root, id, 'container.log')
  }

  /** The file that says how much of the log was delivered to a log server. */
  logPosition(id: string): string {
    return join(this.root, id, 'forwarded', 'position')
  }

  /** The file that is mounted over `/etc/hosts`. */
  hosts(id: string): string {
    return join(this.root, id, 'hosts')
  }

  /** The file that is mounted over `/etc/hostname`. */
  hostname(id: string): string {
    return join(this.root, id, 'hostname')
  }

  /** The file that is mounted over `/etc/resolv.conf`. */
  resolvConf(id: string): string {
    return join(this.root, id, 'resolv.conf')
  }

  /** The container's OCI bundle; a start makes it, and the cleanup after the run removes it. */
  bundle(id: string): string {
    return join(this.#execRoot, 'c', id)
  }

  /** Mount point for the short moment in which a container's files are opened. */
  get view(): string {
    return join(this.#execRoot, 'view')
  }

  /** Mount point of the container's root directory, inside its bundle. */
  rootfs(id: string): string {
    return join(this.#execRoot, 'c', id, 'rootfs')
  }
}
