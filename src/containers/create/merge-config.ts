/** Merges the user's configuration with the image's defaults. Pure. */
import type { ContainerConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import type { OciRuntimeDefaults } from '../../oci/index.ts'
import { mergeHealthcheck } from '../record/health.ts'

/** Completes the user's configuration from the image, by Docker's rules: if the user gives an entrypoint, the image's
 *  command is dropped; the user's environment variables, labels and exposed ports win over the image's. */
export function mergeConfig(user: ContainerConfig, image: OciRuntimeDefaults = {}): ContainerConfig {
  const entrypoint = user.Entrypoint ?? undefined
  const userCommand = (user.Cmd?.length ?? 0) > 0 ? user.Cmd : undefined
  const ownEntrypoint = (entrypoint?.length ?? 0) > 0
  const clearedEntrypoint = entrypoint?.length === 1 && entrypoint[0] === ''
  return {
    ...user,
    User: user.User || image.User || '',
    ExposedPorts: union(image.ExposedPorts, user.ExposedPorts),
    Env: mergeEnv(user.Env ?? [], image.Env ?? []),
    Cmd: userCommand ?? (ownEntrypoint ? null : (image.Cmd ?? null)),
    Entrypoint: clearedEntrypoint ? null : ownEntrypoint ? entrypoint : (image.Entrypoint ?? null),
    WorkingDir: user.WorkingDir || image.WorkingDir || '',
    Labels: { ...image.Labels, ...user.Labels },
    Volumes: union(image.Volumes, user.Volumes),
    OnBuild: user.OnBuild ?? null,
    ...healthcheckOf(user, image),
    ...(user.StopSignal || image.StopSignal ? { StopSignal: user.StopSignal || image.StopSignal } : {}),
  }
}

function healthcheckOf(user: ContainerConfig, image: OciRuntimeDefaults): Pick<ContainerConfig, 'Healthcheck'> {
  const Healthcheck = mergeHealthcheck(user.Healthcheck, image.Healthcheck)
  return Healthcheck === undefined ? {} : { Healthcheck }
}

/** The kernel's PATH_MAX, without the byte that ends a path. */
const maxPathBytes = 4095

/** The program and its arguments. Throws `invalidArgument` if there is no program, or if its path is one that the kernel
 *  refuses: the OCI runtime would repeat it in an error message that is longer than the pipe. */
export function commandOf(config: ContainerConfig): { readonly path: string; readonly args: readonly string[] } {
  const [path, ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])]
  if (path === undefined) throw invalidArgument('no command specified')
  const bytes = Buffer.byteLength(path)
  if (bytes > maxPathBytes) {
    throw invalidArgument(`the path of the command is too long: it has ${bytes} bytes, at most ${maxPathBytes}`)
  }
  return { path, args }
}

function mergeEnv(user: readonly string[], image: readonly string[]): readonly string[] {
  const own = new Set(user.map(keyOf))
  return [...user, ...image.filter((entry) => !own.has(keyOf(entry)))]
}

function keyOf(entry: string): string {
  const at = entry.indexOf('=')
  return at < 0 ? entry : entry.slice(0, at)
}

function union(
  image: Readonly<Record<string, object>> | null | undefined,
  user: Readonly<Record<string, object>> | null | undefined,
): Readonly<Record<string, object>> | null {
  const all = { ...image, ...user }
  return Object.keys(all).length === 0 ? null : all
}
