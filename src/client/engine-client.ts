/** The client of the Docker Engine API: one object per noun over one `Transport`. */
import type { Socket } from 'node:net'
import { BuildsClient } from './builds-client.ts'
import { ContainerFilesClient } from './container-files-client.ts'
import { ContainerIoClient } from './container-io-client.ts'
import { ContainerLifecycleClient } from './container-lifecycle-client.ts'
import { ContainersClient } from './containers-client.ts'
import { ExecClient } from './exec-client.ts'
import { ImagesClient } from './images-client.ts'
import { NetworksClient } from './networks-client.ts'
import { RegistriesClient } from './registries-client.ts'
import { SystemClient } from './system-client.ts'
import { Transport, type TransportOptions } from './transport/transport.ts'
import { VolumesClient } from './volumes-client.ts'

/** The calls of the API by noun, over one set of connections. Connections open on first use. */
export class EngineClient {
  readonly transport: Transport
  readonly containers: ContainersClient
  readonly containerLifecycle: ContainerLifecycleClient
  readonly containerIo: ContainerIoClient
  readonly containerFiles: ContainerFilesClient
  readonly exec: ExecClient
  readonly images: ImagesClient
  readonly volumes: VolumesClient
  readonly networks: NetworksClient
  readonly system: SystemClient
  readonly registries: RegistriesClient
  readonly builds: BuildsClient

  constructor(options: TransportOptions) {
    this.transport = new Transport(options)
    this.containers = new ContainersClient(this.transport)
    this.containerLifecycle = new ContainerLifecycleClient(this.transport)
    this.containerIo = new ContainerIoClient(this.transport)
    this.containerFiles = new ContainerFilesClient(this.transport)
    this.exec = new ExecClient(this.transport)
    this.images = new ImagesClient(this.transport)
    this.volumes = new VolumesClient(this.transport)
    this.networks = new NetworksClient(this.transport)
    this.system = new SystemClient(this.transport)
    this.registries = new RegistriesClient(this.transport)
    this.builds = new BuildsClient(this.transport)
  }

  /** The daemon's address, as messages show it. */
  get url(): string {
    return this.transport.url
  }

  /** Opens a new connection to the daemon, without sending anything on it. */
  connect(): Promise<Socket> {
    return this.transport.connect()
  }

  /** Closes every connection. Calls in progress fail. */
  close(): void {
    this.transport.close()
  }
}
