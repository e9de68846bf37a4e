/** The flags of `build`: those of `docker buildx build` and of the classic `docker build`. */
import { invalidArgument } from '../../base/index.ts'
import type { Flag } from '../flags/flag.ts'

const what: readonly Flag[] = [
  { name: 'file', short: 'f', type: 'string', help: 'The Dockerfile, "-" for stdin (default: "PATH/Dockerfile")' },
  { name: 'target', type: 'list', help: 'Stage to build; several are built beside each other' },
  { name: 'build-arg', type: 'list', help: 'Value of an ARG (NAME=VALUE, or NAME for the one of the environment)' },
  {
    name: 'build-context',
    type: 'list',
    help: 'One more context for FROM and COPY --from (NAME=PATH, URL, docker-image://IMAGE, oci-layout://PATH[:TAG], target:STAGE)',
  },
  { name: 'platform', type: 'strings', help: 'Platform to build for (os[/arch[/variant]])' },
  { name: 'label', type: 'list', help: 'Label of the image (KEY=VALUE)' },
  { name: 'annotation', type: 'list', help: 'Annotation of the manifest ([LEVEL:]KEY=VALUE)' },
  {
    name: 'tag',
    short: 't',
    type: 'list',
    help: 'Name of the image (NAME[:TAG]); with several targets TARGET=NAME[:TAG]',
  },
  { name: 'squash', type: 'bool', help: 'Make one layer of those that the build added' },
]

const outputs: readonly Flag[] = [
  { name: 'output', short: 'o', type: 'list', help: 'What becomes of it ("type=local,dest=DIR", "DIR", "-")' },
  { name: 'push', type: 'bool', help: 'Push it: --output type=registry' },
  { name: 'load', type: 'bool', help: 'Keep it as an image of the engine, which is the default: --output type=docker' },
  { name: 'attest', type: 'list', help: 'Attestation to add (type=provenance or sbom)' },
  { name: 'provenance', type: 'string', help: 'Short for --attest type=provenance (true, false, mode=min|max)' },
  { name: 'sbom', type: 'string', help: 'Short for --attest type=sbom (true, false)' },
  { name: 'iidfile', type: 'string', help: "File for the image's id" },
  { name: 'metadata-file', type: 'string', help: 'File for what is known of the result, as JSON' },
  { name: 'quiet', short: 'q', type: 'bool', help: "Say nothing but the image's id" },
  {
    name: 'progress',
    type: 'string',
    help: 'How to show what goes on (auto, plain, tty, rawjson, quiet)',
    shownDefault: 'auto',
    check: checkProgress,
  },
]

const cache: readonly Flag[] = [
  { name: 'no-cache', type: 'bool', help: 'Build every step' },
  { name: 'no-cache-filter', type: 'strings', help: 'Build every step of these stages' },
  { name: 'cache-from', type: 'list', help: 'Cache of others to use ("app:1", "type=local,src=DIR")' },
  { name: 'cache-to', type: 'list', help: 'Where to leave the cache ("type=inline", "type=registry,ref=app:cache")' },
  { name: 'pull', type: 'bool', help: 'Look for newer base images' },
  { name: 'explain', type: 'bool', help: 'Say of each step that was built why it was not in the cache' },
]

const steps: readonly Flag[] = [
  { name: 'secret', type: 'list', help: 'Secret for steps that mount it ("id=NAME[,src=FILE|,env=VARIABLE]")' },
  { name: 'ssh', type: 'list', help: 'SSH agent or keys for steps that mount it ("default[=SOCKET|KEY,KEY]")' },
  {
    name: 'allow',
    type: 'strings',
    help: 'What steps may do beside (network.host, security.insecure, device, device=NAME)',
  },
  { name: 'network', type: 'string', help: 'Network of RUN (default, none, host)', shownDefault: 'default' },
  { name: 'add-host', type: 'list', help: 'Line for /etc/hosts of RUN (HOST:IP)' },
  { name: 'shm-size', type: 'bytes', help: 'Size of /dev/shm' },
  { name: 'ulimit', type: 'ulimit', help: 'Limits of processes (NAME=SOFT[:HARD])', shownDefault: '[]' },
  { name: 'memory', short: 'm', type: 'bytes', help: 'Memory that a RUN may use' },
  { name: 'memory-swap', type: 'bytes', help: 'Memory and swap together; -1: any amount' },
  { name: 'cpus', type: 'decimal', help: 'CPUs that a RUN may use' },
  { name: 'cpu-shares', short: 'c', type: 'int', help: 'Weight among others' },
  { name: 'cpu-period', type: 'int', help: "Period of the scheduler's quota, microseconds" },
  { name: 'cpu-quota', type: 'int', help: 'Share of the period, microseconds' },
  { name: 'cpuset-cpus', type: 'string', help: 'CPUs to run on (0-3, 0,1)' },
  { name: 'cpuset-mems', type: 'string', help: 'Memory nodes to use (0-3, 0,1)' },
  { name: 'cgroup-parent', type: 'string', help: 'Cgroup above that of RUN' },
]

const questions: readonly Flag[] = [
  { name: 'check', type: 'bool', help: 'Check the Dockerfile and build nothing: --call=check' },
  { name: 'call', type: 'string', help: 'What to do (build, check, outline, targets)', shownDefault: 'build' },
]

/** Flags of the classic builder that have no effect, because this builder has no use for them. */
const classic: readonly Flag[] = [
  { name: 'compress', type: 'bool', help: 'Ignored: only what is needed is sent' },
  { name: 'rm', type: 'bool', help: 'Ignored: no containers stay behind', defaultTrue: true },
  { name: 'force-rm', type: 'bool', help: 'Ignored: no containers stay behind' },
  {
    name: 'disable-content-trust',
    type: 'bool',
    help: 'Do not check signatures, which is not supported',
    defaultTrue: true,
  },
  { name: 'isolation', type: 'string', help: 'Only of Windows', check: checkIsolation },
  { name: 'security-opt', type: 'strings', help: 'Not supported', check: refuseSecurityOption },
]

/** All flags of `build`. */
export const buildFlags: readonly Flag[] = [...what, ...outputs, ...cache, ...steps, ...questions, ...classic]

const progressModes = ['auto', 'plain', 'tty', 'rawjson', 'quiet', 'none']

function checkProgress(value: string): string {
  if (value === '' || progressModes.includes(value)) return value
  throw invalidArgument(`invalid progress mode ${value}: expected one of auto, plain, tty, rawjson, quiet`)
}

function checkIsolation(value: string): string {
  if (value === '' || value === 'default') return value
  throw invalidArgument(`isolation ${value} is not supported on Linux`)
}

function refuseSecurityOption(value: string): string {
  throw invalidArgument(`security options for builds are not supported: ${value}`)
}
