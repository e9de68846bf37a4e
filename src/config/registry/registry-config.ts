/** The checked content of `registry.yml`, the configuration of `berth registry serve`: its settings with their
 *  defaults. `registry.sample.yml` in the project's root explains each setting. */

import type { RegistriesConfig } from '../registries-config.ts'

/** An address that the registry listens on. */
export interface RegistryAddress {
  /** '' means all addresses of the machine. */
  readonly host: string
  /** 0 means any free port. */
  readonly port: number
}

/** The paths of PEM files. */
export interface RegistryTls {
  readonly certificateFile: string
  readonly keyFile: string
  /** The authorities that sign client certificates. Absent: clients need no certificate. */
  readonly clientCaFile: string | undefined
}

/** A bucket of an S3-compatible service. */
export interface RegistryBucket {
  readonly bucket: string
  readonly region: string
  /** The URL of the service. Absent: Amazon's. */
  readonly endpoint: string | undefined
  readonly forcePathStyle: boolean
  /** The prefix of every key: '', or a text that ends with a slash. */
  readonly prefix: string
  /** Absent: variables, files and roles of the environment, as all AWS programs use them. */
  readonly credentials:
    | {
        readonly accessKeyId: string
        readonly secretAccessKey: string
        readonly sessionToken: string | undefined
      }
    | undefined
}

/** Where the registry keeps its objects: a folder or a bucket. */
export type RegistryPlace =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 's3'; readonly s3: RegistryBucket }

/** What a user may do in a repository. */
export type RegistryAction = 'pull' | 'push' | 'delete'

/** Gives rights in repositories to users. A user has a right if any rule gives it. */
export interface RegistryRule {
  readonly users: readonly string[]
  readonly groups: readonly string[]
  /** The rule also applies to clients without credentials. */
  readonly anonymous: boolean
  /** Patterns of repository names: `*` within a part, `**` for any number of parts, `${user}` for the user's name. */
  readonly repositories: readonly string[]
  readonly actions: readonly RegistryAction[]
  /** The user may list all repositories. */
  readonly catalog: boolean
}

/** Bearer tokens that the registry issues itself. */
export interface OwnTokens {
  readonly service: string
  readonly issuer: string
  /** The URL where clients get tokens. Absent: `/token` of the address that they called. */
  readonly realm: string | undefined
  /** The PEM file of an EC P-256 key. Absent: the registry makes a key and keeps it in its storage. */
  readonly keyFile: string | undefined
  readonly expiresMs: number
  readonly refreshExpiresMs: number
}

/** Bearer tokens that another program issues. */
export interface ForeignTokens {
  readonly realm: string
  readonly service: string
  readonly issuer: string
  /** A PEM file with the certificates of the keys that sign tokens, or of authorities that sign such certificates. */
  readonly certificatesFile: string | undefined
  /** A file with a JSON Web Key Set. */
  readonly jwksFile: string | undefined
}

/** How clients authenticate. */
export type RegistryAuth =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'users'
      readonly realm: string
      readonly htpasswdFile: string
      readonly groups: Readonly<Record<string, readonly string[]>>
      /** Absent: every user may do everything, and clients without credentials nothing. */
      readonly rules: readonly RegistryRule[] | undefined
      /** Absent: each request carries name and password (Basic). */
      readonly tokens: OwnTokens | undefined
    }
  | { readonly kind: 'foreign'; readonly tokens: ForeignTokens }

/** The registry that this one caches. */
export interface RegistryProxy {
  readonly remote: string
  readonly username: string | undefined
  readonly password: string | undefined
  /** How long an object is kept after its last use; 0: forever. */
  readonly ttlMs: number
  /** The size limit of the cache; 0: no limit. */
  readonly maxSizeBytes: number
  /** The folder of blobs that are still being downloaded. */
  readonly spoolFolder: string
  /** How to reach the remote registry. The proxies may hold credentials and must not be shown or logged. */
  readonly client: Pick<RegistriesConfig, 'proxies' | 'certificateDirectories'>
}

/** All settings of a registry, checked. */
export interface RegistryConfig {
  readonly listen: readonly RegistryAddress[]
  readonly tls: RegistryTls | undefined
  readonly storage: RegistryPlace
  readonly deleteEnabled: boolean
  readonly readonly: boolean
  readonly auth: RegistryAuth
  readonly limits: {
    readonly manifestBytes: number
    /** How many uploads may receive bytes at the same time. */
    readonly uploads: number
    readonly idleMs: number
    readonly headerBytes: number
  }
  readonly proxy: RegistryProxy | undefined
  readonly gc: {
    /** 0: only `berth registry gc` collects. */
    readonly intervalMs: number
    readonly graceMs: number
  }
  readonly log: {
    readonly access: boolean
    readonly format: 'json' | 'text'
    readonly level: 'debug' | 'info' | 'warn' | 'error'
  }
  readonly metrics: boolean
  readonly http: {
    /** The header Location has no scheme and host. */
    readonly relativeUrls: boolean
    /** The beginning of the header Location (`https://registry.example.com`). Absent: taken from the request. */
    readonly publicUrl: string | undefined
    /** Headers of every answer. */
    readonly headers: Readonly<Record<string, string>>
    /** How long running requests may go on when the registry shuts down. */
    readonly drainMs: number
  }
  readonly catalog: { readonly pageSize: number }
}
