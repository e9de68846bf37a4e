/** Small Dockerfiles as users write them, put through all phases: parse, plan, evaluate, check. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OciRuntimeDefaults } from '../../oci/index.ts'
import {
  checkDockerfile,
  type EvaluatedStage,
  evaluateGlobals,
  evaluateStage,
  parseDockerfile,
  planStages,
} from './index.ts'

interface Row {
  readonly text: string
  readonly buildArgs?: Readonly<Record<string, string>>
  readonly target?: string
  /** Names of the stages in build order. */
  readonly order?: string
  /** The commands of RUN and the files of COPY, stage by stage. */
  readonly steps?: readonly string[]
  /** The target's configuration. */
  readonly config?: OciRuntimeDefaults
  /** Violated rules with their lines. */
  readonly warnings?: string
  /** Images and contexts that COPY and mounts name. */
  readonly external?: string
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Configurations of the tests' base images. */
const bases: Readonly<Record<string, OciRuntimeDefaults>> = {
  debian: { Env: [path], Cmd: ['bash'] },
  'node:22': { Env: [path, 'NODE_VERSION=22'], Entrypoint: ['entry'], Cmd: ['node'], WorkingDir: '/' },
  'python:3': { Env: [path, 'LANG=C.UTF-8'], Cmd: ['python3'] },
  'nginx:1': {
    Env: [path],
    Cmd: ['nginx'],
    ExposedPorts: { '80/tcp': {} },
    StopSignal: 'SIGQUIT',
    Labels: { maintainer: 'n' },
  },
  onbuild: { Env: [path], WorkingDir: '/app', OnBuild: ['COPY . .', 'RUN make', 'ARG MODE=dev', 'ENV MODE=$MODE'] },
}

const rows: Readonly<Record<string, Row>> = {
  'nothing but a base': { text: 'FROM debian', order: '0', config: { Env: [path], Cmd: ['bash'] } },
  'nothing at all': { text: 'FROM scratch', config: { Env: [path], WorkingDir: '/' } },
  'a static program': {
    text: 'FROM debian AS build\nRUN cc -static -o /hello hello.c\nFROM scratch\nCOPY --from=build /hello /\nENTRYPOINT ["/hello"]',
    order: 'build 1',
    steps: ['RUN /bin/sh -c cc -static -o /hello hello.c', 'COPY build: /hello > /'],
    config: { Env: [path], WorkingDir: '/', Entrypoint: ['/hello'] },
  },
  'a web application': {
    text: `# syntax=docker/dockerfile:1
ARG NODE=22
FROM node:\${NODE} AS base
WORKDIR /app
ENV NODE_ENV=production PATH=/app/bin:$PATH

FROM base AS deps
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci

FROM base AS lint
RUN npm run lint

FROM base
COPY --from=deps /app/node_modules ./node_modules
COPY . .
USER node
EXPOSE 3000
CMD ["node", "server.js"]
`,
    order: 'base deps 3',
    steps: [
      'COPY package.json package-lock.json > /app/',
      'RUN /bin/sh -c npm ci',
      'COPY deps: /app/node_modules > /app/node_modules',
      'COPY . > /app/',
    ],
    config: {
      Env: [path.replace('PATH=', 'PATH=/app/bin:'), 'NODE_VERSION=22', 'NODE_ENV=production'],
      Entrypoint: ['entry'],
      WorkingDir: '/app',
      User: 'node',
      ExposedPorts: { '3000/tcp': {} },
      Cmd: ['node', 'server.js'],
      ArgsEscaped: true,
    },
  },
  'a target in the middle': {
    text: 'FROM debian AS a\nRUN a\nFROM a AS b\nRUN b\nFROM b AS c\nRUN c',
    target: 'b',
    order: 'a b',
    steps: ['RUN /bin/sh -c a', 'RUN /bin/sh -c b'],
  },
  'a Python program': {
    text: 'FROM python:3\nWORKDIR /src\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache pip install -r requirements.txt\nCOPY . .\nENTRYPOINT ["python", "-m", "app"]',
    steps: ['COPY requirements.txt > /src/', 'RUN /bin/sh -c pip install -r requirements.txt', 'COPY . > /src/'],
    config: { Env: [path, 'LANG=C.UTF-8'], WorkingDir: '/src', Entrypoint: ['python', '-m', 'app'] },
  },
  'a static site': {
    text: 'FROM nginx:1\nCOPY site/ /usr/share/nginx/html/\nCOPY <<EOF /etc/nginx/conf.d/x.conf\nserver { listen 80; }\nEOF\nLABEL org.opencontainers.image.title="A site"',
    steps: ['COPY site/ > /usr/share/nginx/html/', 'COPY <<EOF > /etc/nginx/conf.d/x.conf'],
    config: {
      Env: [path],
      Cmd: ['nginx'],
      ExposedPorts: { '80/tcp': {} },
      StopSignal: 'SIGQUIT',
      Labels: { maintainer: 'n', 'org.opencontainers.image.title': 'A site' },
    },
  },
  'a service with packages': {
    text: `FROM debian
RUN apt-get update \\
    # the tools
    && apt-get install -y --no-install-recommends \\
       curl \\
       # and this
       ca-certificates \\
    && rm -rf /var/lib/apt/lists/*
HEALTHCHECK --interval=5m --timeout=3s \\
  CMD curl -f http://localhost/ || exit 1
VOLUME /data
STOPSIGNAL SIGINT
`,
    steps: [
      'RUN /bin/sh -c apt-get update     && apt-get install -y --no-install-recommends        curl        ca-certificates     && rm -rf /var/lib/apt/lists/*',
    ],
    config: {
      Env: [path],
      Cmd: ['bash'],
      Healthcheck: { Test: ['CMD-SHELL', 'curl -f http://localhost/ || exit 1'], Interval: 300e9, Timeout: 3e9 },
      Volumes: { '/data': {} },
      StopSignal: 'SIGINT',
    },
  },
  'a parent with triggers': {
    text: 'FROM onbuild\nCMD ["run"]',
    buildArgs: { MODE: 'test' },
    steps: ['COPY . > /app/', 'RUN /bin/sh -c make'],
    config: { Env: [path, 'MODE=test'], WorkingDir: '/app', Cmd: ['run'], ArgsEscaped: true },
  },
  'a stage with triggers': {
    text: 'FROM debian AS out\nRUN make\nFROM debian AS parent\nONBUILD COPY --from=out /o /o\nFROM parent',
    order: 'out parent 2',
    steps: ['RUN /bin/sh -c make', 'COPY out: /o > /o'],
    config: { Env: [path], Cmd: ['bash'] },
  },
  'triggers are not handed on': {
    text: 'FROM debian\nONBUILD RUN x\nONBUILD EXPOSE 80',
    config: { Env: [path], Cmd: ['bash'], OnBuild: ['RUN x', 'EXPOSE 80'] },
  },
  'version by build argument': {
    text: 'ARG PY=2\nFROM python:${PY}\nARG PY\nLABEL py=$PY',
    buildArgs: { PY: '3' },
    config: { Env: [path, 'LANG=C.UTF-8'], Cmd: ['python3'], Labels: { py: '3' } },
  },
  'a global argument is not seen in a stage': {
    text: 'ARG V=1\nFROM scratch\nLABEL v="$V"',
    config: { Env: [path], WorkingDir: '/', Labels: { v: '' } },
    warnings: 'UndefinedVar 3',
  },
  'default and alternative': {
    text: 'FROM scratch\nARG A\nARG B=b\nENV X=${A:-x} Y=${B:+y} Z=${B-z}',
    config: { Env: [path, 'X=x', 'Y=y', 'Z=b'], WorkingDir: '/' },
  },
  'parts of a version': {
    text: 'FROM scratch\nARG V=v1.22.3-rc1\nARG N=${V#v}\nENV MAJOR=${N%%.*} MINOR=${N%.*} PLAIN=${N%-*} UNDER=${N//./_} FIRST=${N/./_}',
    config: {
      Env: [path, 'MAJOR=1', 'MINOR=1.22', 'PLAIN=1.22.3', 'UNDER=1_22_3-rc1', 'FIRST=1_22.3-rc1'],
      WorkingDir: '/',
    },
  },
  'one instruction sees what was before it': {
    text: 'FROM scratch\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc',
    config: { Env: [path, 'abc=bye', 'def=hello', 'ghi=bye'], WorkingDir: '/' },
  },
  'quotes in ENV': {
    text: 'FROM scratch\nENV N="John Doe" D=Rex\\ The\\ Dog \\\n    C=fluffy',
    config: { Env: [path, 'N=John Doe', 'D=Rex The Dog', 'C=fluffy'], WorkingDir: '/' },
  },
  'the old ENV': {
    text: 'FROM scratch\nENV ONE TWO= THREE=world',
    config: { Env: [path, 'ONE=TWO= THREE=world'], WorkingDir: '/' },
    warnings: 'LegacyKeyValueFormat 2',
  },
  'labels of all sorts': {
    text: 'FROM scratch\nLABEL "com.example.vendor"="ACME Incorporated"\nLABEL a=\'$b\' c="x \\\ny"',
    config: {
      Env: [path],
      WorkingDir: '/',
      Labels: { 'com.example.vendor': 'ACME Incorporated', a: '$b', c: 'x y' },
    },
  },
  'directories one below the other': {
    text: 'FROM scratch\nWORKDIR /a\nWORKDIR b\nWORKDIR c\nCOPY x y/',
    steps: ['COPY x > /a/b/c/y/'],
    config: { Env: [path], WorkingDir: '/a/b/c' },
  },
  'a directory from variables': {
    text: 'FROM scratch\nENV D=/p\nWORKDIR $D/${SUB:-s}',
    config: { Env: [path, 'D=/p'], WorkingDir: '/p/s' },
  },
  'a shell of its own': {
    text: 'FROM debian\nSHELL ["/bin/bash", "-eo", "pipefail", "-c"]\nRUN a | b\nCMD c\n',
    steps: ['RUN /bin/bash -eo pipefail -c a | b'],
    config: {
      Env: [path],
      Shell: ['/bin/bash', '-eo', 'pipefail', '-c'],
      Cmd: ['/bin/bash', '-eo', 'pipefail', '-c', 'c'],
      ArgsEscaped: true,
    },
  },
  'an entry point resets the parent command': {
    text: 'FROM node:22\nENTRYPOINT ["e"]',
    config: { Env: [path, 'NODE_VERSION=22'], Entrypoint: ['e'], WorkingDir: '/' },
  },
  'an entry point keeps a command of its stage': {
    text: 'FROM node:22\nCMD ["c"]\nENTRYPOINT ["e"]',
    config: {
      Env: [path, 'NODE_VERSION=22'],
      Entrypoint: ['e'],
      WorkingDir: '/',
      Cmd: ['c'],
      ArgsEscaped: true,
    },
  },
  'a script in a here-document': {
    text: 'FROM debian\nRUN <<EOF\nset -e\necho $HOME\nEOF\nRUN <<PY\n#!/usr/bin/python3\nprint(1)\nPY\nRUN <<EOT bash\n  x\nEOT\n',
    steps: ['RUN /bin/sh -c set -e\necho $HOME\n', 'RUN /dev/pipes/PY', 'RUN /bin/sh -c <<EOT bash\n  x\nEOT'],
  },
  'two files in one RUN': {
    text: 'FROM debian\nRUN <<F1 cat > f1 && <<F2 cat > f2\nI am\nfirst\nF1\nsecond\nF2\n',
    steps: ['RUN /bin/sh -c <<F1 cat > f1 && <<F2 cat > f2\nI am\nfirst\nF1\nsecond\nF2'],
  },
  'files in COPY': {
    text: 'FROM scratch\nCOPY <<robots.txt <<humans.txt /w/\nno\nrobots.txt\nyes\nhumans.txt\n',
    steps: ['COPY <<robots.txt <<humans.txt > /w/'],
  },
  'mounts of all types': {
    text: `FROM debian AS tools
FROM debian
RUN --mount=type=bind,from=tools,source=/bin,target=/tools \\
    --mount=type=cache,target=/c,sharing=locked \\
    --mount=type=tmpfs,target=/t,size=1m \\
    --mount=type=secret,id=key,env=KEY \\
    --mount=type=ssh \\
    --network=none make`,
    order: 'tools 1',
    steps: ['RUN /bin/sh -c make'],
  },
  'an image as source': {
    text: 'FROM debian\nCOPY --from=nginx:1 /etc/nginx /n\nRUN --mount=from=python:3,target=/p x',
    steps: ['COPY nginx:1: /etc/nginx > /n', 'RUN /bin/sh -c x'],
    external: 'nginx:1 python:3',
  },
  'a stage by index': {
    text: 'FROM debian\nRUN a\nFROM scratch\nCOPY --from=0 /a /b',
    order: '0 1',
    steps: ['RUN /bin/sh -c a', 'COPY 0: /a > /b'],
  },
  'flags of COPY': {
    text: 'FROM scratch\nARG U=1000\nCOPY --chown=$U:$U --chmod=u=rwX,go=rX --link --exclude=*.md --parents src/**/x.c ./y /d/',
    steps: ['COPY src/**/x.c ./y > /d/'],
  },
  'names with white space': {
    text: 'FROM scratch\nCOPY ["a file", "another one", "/a dir/"]',
    steps: ['COPY a file another one > /a dir/'],
  },
  'ADD from everywhere': {
    text: `FROM scratch
ADD a.tar.gz /a/
ADD --checksum=sha256:${'0'.repeat(64)} https://example.com/b.tgz /b/
ADD --keep-git-dir=true https://example.com/r.git#v1:docs /c`,
    steps: ['ADD a.tar.gz > /a/', 'ADD https://example.com/b.tgz > /b/', 'ADD https://example.com/r.git#v1:docs > /c'],
  },
  'ports of all sorts': {
    text: 'FROM scratch\nARG P=9000\nEXPOSE 80 53/udp 8000-8001 $P',
    config: {
      Env: [path],
      WorkingDir: '/',
      ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {}, '9000/tcp': {} },
    },
  },
  'volumes twice': {
    text: 'FROM scratch\nVOLUME ["/a", "/b"]\nVOLUME /b /c',
    config: { Env: [path], WorkingDir: '/', Volumes: { '/a': {}, '/b': {}, '/c': {} } },
  },
  'no health check any more': {
    text: 'FROM debian AS a\nHEALTHCHECK CMD x\nFROM a\nHEALTHCHECK NONE',
    config: { Env: [path], Cmd: ['bash'], Healthcheck: { Test: ['NONE'] } },
  },
  'a backtick to escape': {
    text: '# escape=`\n\nFROM scratch\nENV D=c:\\dir `\n    E="a`"b"\nCOPY x c:\\\n',
    config: { Env: [path, 'D=c:\\dir', 'E=a"b'], WorkingDir: '/' },
    steps: ['COPY x > /c:\\'],
  },
  'lines of another system': {
    text: '\uFEFF# c\r\nFROM debian\r\nRUN a \\\r\n  b\r\nCMD ["x"]\r\n',
    steps: ['RUN /bin/sh -c a   b'],
    config: { Env: [path], Cmd: ['x'], ArgsEscaped: true },
  },
  'all in lower case': {
    text: 'from debian as one\nrun a\nfrom one\ncmd ["b"]',
    order: 'one 1',
    config: { Env: [path], Cmd: ['b'], ArgsEscaped: true },
  },
  'platforms as arguments': {
    text: 'FROM --platform=$BUILDPLATFORM debian AS x\nARG TARGETOS TARGETARCH\nLABEL t=$TARGETOS/$TARGETARCH',
    config: { Env: [path], Cmd: ['bash'], Labels: { t: 'linux/arm64' } },
  },
  'a stage chosen by architecture': {
    text: 'FROM debian AS build_amd64\nRUN amd\nFROM debian AS build_arm64\nRUN arm\nFROM build_${TARGETARCH}',
    order: 'build_arm64 2',
    steps: ['RUN /bin/sh -c arm'],
  },
  'a variable escaped': {
    text: 'FROM scratch\nENV A=1\nLABEL x=\\$A y="\\${A}" z=\'${A}\'',
    config: { Env: [path, 'A=1'], WorkingDir: '/', Labels: { x: '$A', y: '${A}', z: '${A}' } },
  },
  'the whole of bad taste': {
    text: 'FROM debian as Base\nMAINTAINER me\nENV PASSWORD x\nWORKDIR rel\nrun a \\\n\n b\nEXPOSE 1:80/TCP\nCMD a\nCMD b\nFROM --platform=$TARGETPLATFORM debian AS base',
    warnings:
      'StageNameCasing 1 FromAsCasing 1 MaintainerDeprecated 2 LegacyKeyValueFormat 3 SecretsUsedInArgOrEnv 3 WorkdirRelativePath 4 ConsistentInstructionCasing 5 NoEmptyContinuation 5 ExposeProtoCasing 8 ExposeInvalidFormat 8 JSONArgsRecommended 9 MultipleInstructionsDisallowed 9 JSONArgsRecommended 10 DuplicateStageName 11 RedundantTargetPlatform 11',
  },
  'quiet by directive': {
    text: '# check=skip=all\nFROM debian as Base\nMAINTAINER me',
    warnings: '',
  },
  'a comment with a hash in a command': {
    text: "FROM debian\nRUN echo 'some # of cool things'\n# RUN b\n  # RUN c\n",
    steps: ["RUN /bin/sh -c echo 'some # of cool things'"],
  },
  'proxies go nowhere but to RUN': {
    text: 'FROM scratch\nLABEL p=${HTTP_PROXY:-none}',
    buildArgs: { HTTP_PROXY: 'http://u:p@x' },
    config: { Env: [path], WorkingDir: '/', Labels: { p: 'none' } },
  },
  'a proxy that is declared': {
    text: 'FROM scratch\nARG HTTP_PROXY\nLABEL p=${HTTP_PROXY:-none}',
    buildArgs: { HTTP_PROXY: 'http://x' },
    config: { Env: [path], WorkingDir: '/', Labels: { p: 'http://x' } },
  },
}

for (const [title, row] of Object.entries(rows)) {
  test(`Dockerfile: ${title}`, () => {
    const dockerfile = parseDockerfile(row.text)
    const scope = evaluateGlobals(dockerfile, {
      buildPlatform: { os: 'linux', architecture: 'amd64' },
      targetPlatform: { os: 'linux', architecture: 'arm64' },
      buildArgs: row.buildArgs ?? {},
    })
    const plan = planStages(dockerfile, { scope, ...(row.target === undefined ? {} : { target: row.target }) })
    const done = new Map<number, EvaluatedStage>()
    for (const { stage, base } of plan.stages) {
      const parent = base.kind === 'stage' ? done.get(base.index) : undefined
      const config = base.kind === 'external' ? bases[base.name] : parent?.image.config
      assert.ok(base.kind === 'scratch' || config !== undefined, `base of stage ${stage.index}`)
      const args = parent === undefined ? {} : { args: parent.args }
      const { escape: escaper } = dockerfile.directives
      done.set(stage.index, evaluateStage(stage, { scope, escape: escaper, base: { config, ...args } }))
    }
    const names = plan.stages.map(({ stage }) => stage.name ?? stage.index).join(' ')
    if (row.order !== undefined) assert.equal(names, row.order)
    if (row.steps !== undefined) assert.deepEqual([...done.values()].flatMap(stepsOf), row.steps)
    if (row.config !== undefined)
      assert.deepEqual(done.get(plan.targets[0]?.stage.index ?? -1)?.image.config, row.config)
    const external = new Set(plan.stages.flatMap((one) => one.external))
    assert.equal([...external].join(' '), row.external ?? '')
    const { warnings } = checkDockerfile(dockerfile, { scope, baseConfigs: (name) => bases[name] })
    if (row.warnings === undefined) return
    assert.equal(warnings.map(({ rule, range }) => `${rule} ${range.start.line}`).join(' '), row.warnings)
  })
}

function stepsOf({ steps }: EvaluatedStage): readonly string[] {
  return steps.flatMap(({ instruction, command = [] }) => {
    if (instruction.kind === 'RUN') return [`RUN ${command.join(' ')}`]
    if (instruction.kind !== 'COPY' && instruction.kind !== 'ADD') return []
    const sources = instruction.sources.map((one) => (one.kind === 'path' ? one.path : `<<${one.name}`)).join(' ')
    const from = instruction.kind === 'COPY' && instruction.from !== undefined ? `${instruction.from.text}: ` : ''
    return [`${instruction.kind} ${from}${sources} > ${instruction.destination.text}`]
  })
}
