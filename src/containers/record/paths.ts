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

  home(id: string): string {
    return join(this.root, id)
  }

  log(id: string): string {
    return join(this.root, id, 'container.log')
  }

  logPosition(id: string): string {
    return join(this.root, id, 'forwarded', 'position')
  }

  hosts(id: string): string {
    return join(this.root, id, 'hosts')
  }

  hostname(id: string): string {
    return join(this.root, id, 'hostname')
  }

  resolvConf(id: string): string {
    return join(this.root, id, 'resolv.conf')
  }

  bundle(id: string): string {
    return join(this.#execRoot, 'c', id)
  }

  /** Mount point for the short moment in which a container's files are opened. */
  get view(): string {
    return join(this.#execRoot, 'view')
  }

  rootfs(id: string): string {
    return join(this.#execRoot, 'c', id, 'rootfs')
  }
}
