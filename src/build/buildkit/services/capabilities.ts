/** The features that clients may use, by BuildKit's names. */

/** Capabilities of `LLBBridge`. */
export const frontendCapabilities = [
  ...['solve.base', 'return', 'returnmap', 'proto.refarray'],
  ...['importcaches', 'reference.output', 'frontend.caps', 'frontend.inputs'],
  ...['readfile', 'readdir', 'statfile', 'resolveimage', 'resolveimage.resolvemode'],
  ...['gateway.solve.metadata', 'gateway.solve.evaluate', 'gateway.evaluate', 'gateway.warnings'],
].map((id) => ({ id, enabled: true }))

/** Capabilities of LLB sources and exporters. */
export const llbCapabilities = [
  ...['source.image', 'source.image.resolvemode', 'source.local', 'source.local.unique', 'source.local.sessionid'],
  ...['source.local.includepatterns', 'source.local.followpaths', 'source.local.excludepatterns'],
  ...['source.local.sharedkeyhint', 'source.git', 'source.git.fullurl', 'source.http', 'source.http.checksum'],
  ...['source.http.perm', 'source.http.uidgid', 'source.ocilayout'],
  ...['exec.meta.base', 'exec.meta.network', 'exec.meta.security', 'exec.meta.proxyenv', 'exec.meta.ulimit'],
  ...['exec.mount.bind', 'exec.mount.cache', 'exec.mount.cache.sharing', 'exec.mount.selector', 'exec.mount.tmpfs'],
  ...['exec.mount.secret', 'exec.mount.ssh', 'exec.cgroup.parent', 'file.base', 'constraints', 'platform'],
  ...['meta.ignorecache', 'meta.description', 'meta.exportcache', 'exporter.image.attestations'],
  ...['exporter.sourcedateepoch', 'exporter.multiple'],
].map((id) => ({ id, enabled: true }))
