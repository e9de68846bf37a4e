/** The table of rooms: every directory below `src`, and exactly the ones that its files import. A room stands below all that
 *  it imports, so reading downward is reading from the kernel to the command line. Other folders are entered through an
 *  `index.ts`: `sys` stands for `sys/index.ts`. `import type` obeys the same rules. docs/architecture.md says what each
 *  folder is for. */

/** A directory below `src` and the directories that it imports. */
export interface Room {
  readonly room: string
  readonly imports: readonly string[]
}

const table = `
base

oci                              base

api

contract                         base api

template                         base

sys/native                       base
sys/files                        base sys/native
sys/processes                    base oci sys/native sys/files
sys/mounts                       base sys/native sys/files sys/processes
sys/cgroups                      base sys/processes sys/mounts
sys/namespaces                   base oci sys/native sys/files sys/processes
sys/netlink                      base sys/native
sys/netfilter                    base sys/native sys/processes sys/namespaces sys/netlink
sys/sockets                      sys/native
sys/terminals                    base sys/native
sys/watch                        sys/native
sys                              base sys/native sys/files sys/processes sys/mounts sys/cgroups sys/namespaces sys/netlink sys/netfilter sys/sockets sys/terminals sys/watch

archive/compression              base sys
archive/tar                      base
archive/tree                     base oci sys archive/compression archive/tar
archive                          base archive/compression archive/tar archive/tree

http/bodies                      base
http/connections                 base sys http/bodies
http                             base http/bodies http/connections

config/options                   base
config                           base oci api config/options
config/client                    base
config/registry                  base config/options config

plugins                          base

grpc/gen
grpc                             base grpc/gen

store                            base sys

events                           base api contract

content                          base oci sys store

snapshots                        base oci sys store

registry/client/transport        base oci http
registry/client/auth             base oci registry/client/transport
registry/client/blobs            base oci registry/client/transport registry/client/auth
registry/client                  base oci registry/client/transport registry/client/auth registry/client/blobs
registry/server/model            base oci http
registry/server/storage          base registry/server/model
registry/server/auth             base registry/server/model registry/server/storage
registry/server/library          base oci registry/server/model registry/server/storage
registry/server/cache            base oci registry/client registry/server/model registry/server/storage registry/server/library
registry/server/gc               base registry/server/model registry/server/storage registry/server/library
registry/server/storage/transfer base sys registry/server/model registry/server/storage
registry/server/http             base sys http registry/server/model registry/server/storage registry/server/library registry/server/storage/transfer
registry/server/routes           base oci registry/server/model registry/server/storage registry/server/library registry/server/http
registry/server/storage/folder   base sys registry/server/model registry/server/storage registry/server/storage/transfer
registry/server/storage/s3       base sys registry/server/model registry/server/storage
registry/server/surroundings     base registry/server/model registry/server/storage registry/server/auth
registry/server                  base registry/server/model registry/server/storage registry/server/auth registry/server/library registry/server/cache registry/server/gc registry/server/http registry/server/routes registry/server/storage/folder registry/server/storage/s3 registry/server/surroundings

network/dns                      base sys
network/record                   base sys store network/dns
network/drivers                  base sys network/record
network/firewall                 base sys network/record network/drivers
network/ipam                     base network/record
network/plan                     base sys network/record network/ipam
network/ports                    base sys network/record network/firewall
network/sandbox                  base sys network/dns network/record network/drivers network/firewall network/ipam network/ports
network/service                  base api contract network/record network/plan
network                          base api contract sys store events network/dns network/record network/drivers network/firewall network/ipam network/plan network/ports network/sandbox network/service

volumes/content                  base sys archive
volumes/drivers                  base sys config plugins volumes/content
volumes/record                   base volumes/drivers
volumes                          base api contract sys plugins store events volumes/content volumes/drivers volumes/record

runtime/bundle                   base oci sys
runtime/programs                 base
runtime/security                 base oci sys runtime/programs
runtime/spec                     base oci sys runtime/security
runtime/oci-runtime              base oci sys runtime/bundle runtime/programs runtime/spec
runtime/conmon                   base sys runtime/bundle runtime/programs runtime/oci-runtime
runtime/exec                     base oci sys runtime/bundle runtime/programs runtime/oci-runtime runtime/conmon
runtime                          base sys runtime/bundle runtime/programs runtime/security runtime/spec runtime/oci-runtime runtime/conmon runtime/exec

logs/drivers                     base template sys config
logs                             base api sys logs/drivers

images/catalog                   base oci api contract store content snapshots
images/gc                        base oci api events content snapshots images/catalog
images/layers                    base oci api contract sys archive content snapshots registry/client images/catalog images/gc
images/archive                   base oci contract archive content images/catalog images/gc images/layers
images/hello
images/make                      base oci contract archive registry/client images/catalog images/gc images/layers images/archive images/hello
images/registry                  base oci api contract events content registry/client images/catalog images/gc images/layers
images                           base oci contract archive store events content snapshots registry/client images/catalog images/gc images/layers images/archive images/make images/registry

containers/live                  base api contract runtime logs
containers/ports                 base sys network runtime
containers/record                base api config events snapshots network volumes runtime images containers/live containers/ports
containers/connections           base api network containers/record
containers/isolation             base oci api sys config runtime containers/record
containers/rootfs                base api sys events volumes runtime containers/record containers/isolation
containers/create                base oci api contract sys config runtime logs images containers/record containers/connections containers/isolation containers/rootfs
containers/spec                  base oci api sys runtime containers/record containers/connections containers/isolation containers/rootfs
containers/streams               base api contract runtime logs containers/live containers/record containers/isolation containers/spec
containers/health                base api sys runtime containers/record containers/spec containers/streams
containers/views                 base api contract sys network images containers/record containers/connections containers/isolation containers/rootfs
containers/run                   base api contract sys network runtime containers/live containers/record containers/connections containers/isolation containers/rootfs containers/spec containers/streams containers/health containers/views
containers/files                 base oci api contract sys archive volumes runtime images containers/record containers/isolation containers/rootfs containers/create containers/run
containers                       api contract network containers/live containers/ports containers/record containers/connections containers/isolation containers/rootfs containers/create containers/spec containers/streams containers/views containers/run containers/files

build/buildkit/gen
build/dockerfile/text            base
build/dockerfile/words           build/dockerfile/text
build/dockerfile/instructions    build/dockerfile/text build/dockerfile/words
build/dockerfile/paths           base
build/dockerfile/parse           build/dockerfile/text build/dockerfile/words build/dockerfile/instructions build/dockerfile/paths
build/dockerfile/stages          base oci build/dockerfile/text build/dockerfile/words build/dockerfile/instructions build/dockerfile/paths build/dockerfile/parse
build/dockerfile/checks          base oci build/dockerfile/text build/dockerfile/instructions build/dockerfile/paths build/dockerfile/parse build/dockerfile/stages
build/dockerfile                 build/dockerfile/text build/dockerfile/instructions build/dockerfile/paths build/dockerfile/parse build/dockerfile/stages build/dockerfile/checks
build/tree                       base sys build/dockerfile
build/cache                      base oci api contract store content snapshots images build/tree
build/workers                    base sys archive build/dockerfile
build/model                      base oci api contract config snapshots registry/client network runtime images build/dockerfile build/cache build/workers
build/buildkit/progress          base oci api grpc build/buildkit/gen build/dockerfile build/model
build/buildkit/history           base oci contract grpc build/buildkit/gen build/buildkit/progress
build/layer                      base oci sys content runtime images build/model
build/context                    base oci api sys archive registry/client images build/dockerfile build/tree build/workers build/model build/layer
build/buildkit/session           base api contract archive grpc build/buildkit/gen build/context
build/export/attestations        base oci api content build/model
build/export/parts               base oci api contract events registry/client images build/model
build/export/layers              base oci archive content images build/model build/export/parts
build/export/cache               base oci api archive registry/client images build/model build/context build/export/parts build/export/layers
build/export/image               oci archive content registry/client images build/model build/export/attestations build/export/parts build/export/layers
build/export/sbom                base sys store build/export/attestations
build/host                       base api contract registry/client images build/model build/context
build/export                     base oci api contract content images build/model build/export/attestations build/export/parts build/export/layers build/export/cache build/export/image build/export/sbom build/host
build/buildkit/request           base oci api contract build/buildkit/gen build/dockerfile build/buildkit/session build/export
build/buildkit/solve             base oci api contract grpc build/buildkit/gen build/dockerfile build/tree build/model build/buildkit/progress build/buildkit/history build/context build/buildkit/session build/buildkit/request build/host build/export
build/buildkit/services          base oci api contract grpc build/buildkit/gen build/buildkit/progress build/buildkit/history build/buildkit/session build/buildkit/request build/buildkit/solve
build/buildkit                   base contract grpc build/buildkit/gen build/buildkit/progress build/buildkit/history build/buildkit/session build/buildkit/solve build/buildkit/services
build/image                      base oci api images build/dockerfile build/model build/context build/host
build/plan                       base oci api images build/dockerfile build/model build/export build/image
build/run                        base oci api sys network runtime build/model build/layer
build/stage                      base oci api sys archive registry/client runtime images build/dockerfile build/tree build/cache build/workers build/model build/layer build/context build/host build/export build/image build/run
build                            base oci api contract sys images build/dockerfile build/cache build/workers build/model build/layer build/context build/host build/export build/buildkit build/image build/plan build/run build/stage

system                           api contract sys config events volumes runtime logs images containers

server/answers                   base api contract http
server/requests                  base api
server/build                     base oci api contract http server/answers server/requests
server/versions                  base api server/requests
server/containers                base api contract http server/answers server/requests server/versions
server/exec                      base api contract server/answers server/requests server/containers
server/images                    base oci api contract http server/answers server/requests server/versions
server/networks                  base contract server/answers server/requests
server/registries                base api contract http server/answers server/requests
server/system                    base api contract http server/answers server/requests server/versions
server/volumes                   base api contract server/answers server/requests
server                           base api contract http config server/answers server/build server/versions server/containers server/exec server/images server/networks server/registries server/system server/volumes

daemon/roots                     base api sys config store snapshots
daemon                           base contract sys http config plugins store events content snapshots network volumes runtime logs images containers build system server daemon/roots

client/transport                 base api
client                           base api client/transport

cli/format                       base template
cli/flags                        base cli/format
cli/terminal                     base api client cli/format
cli/command                      base api template config/client client cli/format cli/flags cli/terminal
cli/build/context                base api sys build/dockerfile cli/terminal cli/command
cli/build/progress               api cli/format cli/flags cli/terminal cli/command
cli/build/ssh                    base cli/terminal cli/command
cli/container/options            base api cli/format cli/flags cli/terminal
cli/login                        base oci api config/client cli/flags cli/command
cli/build                        base oci api archive config/client build/dockerfile client cli/format cli/flags cli/terminal cli/command cli/build/context cli/build/progress cli/build/ssh cli/container/options cli/login
cli/builder                      api cli/format cli/command
cli/container/files              oci cli/command
cli/image                        base oci api client cli/format cli/flags cli/terminal cli/command cli/login
cli/container/lifecycle          base oci api client cli/flags cli/terminal cli/command cli/container/options cli/image
cli/container/process            base api client cli/flags cli/terminal cli/command cli/container/options cli/container/lifecycle
cli/container/views              base api cli/format cli/flags cli/command
cli/context                      base template archive config/client client cli/format cli/flags cli/terminal cli/command
cli/copy                         base api archive cli/format cli/flags cli/terminal cli/command
cli/network                      base api cli/format cli/flags cli/command cli/container/options
cli/registry                     base config config/registry registry/server cli/format cli/flags cli/command
cli/volume                       api cli/format cli/flags cli/command
cli/system                       base api template cli/format cli/terminal cli/command cli/image cli/container/lifecycle cli/container/views cli/network cli/volume
cli/command-tree                 cli/command cli/login cli/build cli/builder cli/container/files cli/image cli/container/lifecycle cli/container/process cli/container/views cli/context cli/copy cli/network cli/registry cli/volume cli/system
cli/plugins                      base config/client cli/flags cli/terminal cli/command
cli/completion                   base api config/client cli/flags cli/terminal cli/command cli/command-tree cli/plugins
cli                              base cli/flags cli/terminal cli/command cli/command-tree cli/plugins cli/completion
cli/bundle                       base cli
`

/** The rooms, each below the ones that it imports. */
export const rooms: readonly Room[] = table
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '')
  .map((line) => {
    const [room = '', ...imports] = line.split(/\s+/)
    return { room, imports }
  })

/** What programs outside import: the entries of package.json. */
export const publicEntries: readonly string[] = [
  'src/daemon/index.ts',
  'src/client/index.ts',
  'src/registry/server/index.ts',
]

/** The lines that a source file or test file may have at most; half of it is a better aim. */
export const maxFileLines = 400

/** Files side by side in one directory of src, bin, bench or test, whatever they contain. */
export const maxFolderFiles = 25

/** Public methods and accessors of one class. */
export const maxPublicMethods = 10
