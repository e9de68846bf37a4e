/** The one table of allowed imports between the folders of `src`. A folder may import those listed for
 *  it and itself, nothing else; `import type` obeys the same rule. A subfolder may have a row of its own, and be allowed
 *  where its folder is not. Levels as in docs/architecture.md. */

/** `contract` is for folders that serve the API, so it is not among these. */
const level0 = ['base', 'oci', 'api', 'template'] as const
const level1 = ['sys', 'archive', 'http', 'config', 'store', 'events', 'plugins', 'grpc'] as const
const level2 = ['content', 'snapshots', 'registry', 'network', 'volumes', 'runtime', 'logs'] as const
const level3 = ['images', 'containers', 'build', 'system'] as const

const below2 = [...level0, ...level1]
const below3 = [...below2, ...level2]

export const allowedImports: Readonly<Record<string, readonly string[]>> = {
  // Pure: no I/O.
  base: [],
  oci: ['base'],
  api: ['base'],
  template: ['base'],
  // What the API server asks of an engine: pure.
  contract: ['api', 'base'],
  // Doors to the kernel, to formats and to files.
  sys: level0,
  archive: [...level0, 'sys'],
  http: [...level0, 'sys'],
  config: [...level0, 'sys'],
  store: [...level0, 'sys'],
  events: [...level0, 'contract', 'sys'],
  plugins: level0,
  grpc: level0,
  // The field's nouns: none knows another.
  content: below2,
  snapshots: below2,
  registry: below2,
  'registry/server': [...below2, 'content'],
  network: [...below2, 'contract'],
  volumes: [...below2, 'contract'],
  runtime: below2,
  logs: below2,
  // Where they meet.
  images: [...below3, 'contract'],
  containers: [...below3, 'contract', 'images'],
  build: [...below3, 'contract', 'images'],
  system: [...below3, 'contract', 'images', 'containers'],
  // The Dockerfile language: pure.
  'build/dockerfile': level0,
  // The server knows the contract and imports no implementation.
  server: [...below2, 'contract'],
  // The composition root.
  daemon: [...below3, ...level3, 'contract', 'server'],
  // Beside them.
  client: ['api', 'http', 'base'],
  cli: ['client', 'api', 'config', 'oci', 'template', 'base'],
  // Packs and unpacks local files.
  'cli/copy': ['archive', 'client', 'api', 'config', 'base'],
  // Knows the language of Dockerfiles, not the builder; walks and packs local files.
  'cli/build': ['build/dockerfile', 'archive', 'sys', 'client', 'api', 'config', 'oci', 'base'],
  'cli/context': ['archive', 'client', 'template', 'config', 'base'],
  'cli/registry': ['registry', 'config', 'base'],
}

/** What a source file may have at most; half of it is a better aim. */
export const maxFileLines = 400
