/** Where Berth makes something else of a case than the recorded engine, on purpose. The recorded one is BuildKit of
 *  docker 20.10; where later ones differ from it, Berth goes with these. docs/build.md says it for users. */
import type { ExpectedResult } from './expected-result.ts'
import type { ImageFacts } from './image-facts.ts'

export interface Difference {
  readonly reason: string
  /** Made of what was recorded. */
  readonly expected: (stock: ExpectedResult) => ExpectedResult
}

const words = (reason: string, message: string): Difference => ({ reason, expected: () => ({ error: { message } }) })

const image = (reason: string, change: (facts: ImageFacts) => Partial<ImageFacts>): Difference => ({
  reason,
  expected: (stock) => ('image' in stock ? { image: { ...stock.image, ...change(stock.image) } } : stock),
})

const whole = (reason: string, facts: Omit<ImageFacts, 'platform' | 'files'>): Difference => ({
  reason,
  expected: () => ({
    image: { platform: `linux/${process.arch === 'arm64' ? 'arm64' : 'amd64'}`, files: {}, ...facts },
  }),
})

const baseEnv = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const testEnv = [baseEnv, 'U=', 'S=set', 'P=foobar']

/** Health checks have had a fourth time since docker 25. */
const startInterval = image('the history tells of the start interval', ({ history }) => ({
  history: history.map((line) => line.replace(/^(HEALTHCHECK &\{\[.*\] "[^"]*" "[^"]*" "[^"]*")/, '$1 "0s"')),
}))

/** Places for mounts that RUN made are no part of the image, as in BuildKit since 0.12. */
const noMountPoint = (path: string) =>
  image('places that were made to mount on are taken away', ({ files }) => ({
    files: Object.fromEntries(Object.entries(files).filter(([name]) => name !== path)),
  }))

const newWords = 'later versions say it like this'
const ownWords = 'says which instruction and which context'

export const differences: Readonly<Record<string, Difference>> = {
  'workdir with a slash at its end': image('the path is cleaned, as later versions do', ({ config }) => ({
    config: { ...config, WorkingDir: '/a/b' },
    history: ['WORKDIR /a/b'],
  })),
  'healthcheck shell': startInterval,
  'healthcheck exec': startInterval,
  'healthcheck none': startInterval,
  'healthcheck of base is replaced': startInterval,
  'default -': whole('`${x-y}` came later', {
    config: { Cmd: ['sh'], Env: testEnv, Labels: { v: 'd  set' } },
    history: ['ENV U= S=set P=foobar (empty)', 'LABEL v=d  set (empty)'],
  }),
  'alternative +': whole('`${x+y}` came later', {
    config: { Cmd: ['sh'], Env: testEnv, Labels: { v: ' a a' } },
    history: ['ENV U= S=set P=foobar (empty)', 'LABEL v= a a (empty)'],
  }),
  'arg loses to env': image(
    'ENV always overrides ARG, as documented; the recorded version had it wrong',
    ({ config }) => ({
      config: { ...config, Labels: { l: 'env' } },
      history: ['ENV A=env (empty)', 'ARG A=arg (empty)', 'LABEL l=env (empty)'],
    }),
  ),
  'target by index': whole('a stage may be named by its index, as with the classic builder', {
    config: { Cmd: ['sh'], Env: [baseEnv], Labels: { l: 'a' } },
    history: ['LABEL l=a (empty)'],
  }),
  'run mount tmpfs': noMountPoint('t'),
  'run mount bind': noMountPoint('c'),
  'run mount cache': noMountPoint('cache'),
  'ignored file is not found': words(ownWords, 'COPY failed: "/a.txt" not found in the build context'),
  'error copy missing': words(ownWords, 'COPY failed: "/missing.txt" not found in the build context'),
  'error copy out of context': words(ownWords, 'COPY failed: "/outside" not found in the build context'),
  'error add missing': words(ownWords, 'ADD failed: "/missing.txt" not found in the build context'),
  'error empty': words(newWords, 'the Dockerfile (Dockerfile) cannot be empty'),
  'error copy many to file': words(
    'the recorded version wrote one file over the other; later ones refuse it',
    'When using COPY with more than one source file, the destination must be a directory and end with a /',
  ),
  'error copy chown nobody': words(
    'the recorded version gave the file to root without a word',
    'unable to find user nosuchuser: no matching entries in passwd file',
  ),
  'error copy unknown flag': words(newWords, 'unknown flag: --chwon'),
  'error run fails': words(newWords, 'process "/bin/sh -c exit 7" did not complete successfully: exit code: 7'),
  'error run not found': words(
    'as `run` says it',
    'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: ' +
      'unable to start container process: error during container init: exec: "/nosuchprogram": ' +
      'stat /nosuchprogram: no such file or directory: unknown',
  ),
  'error expose bad port': words(newWords, 'invalid containerPort: abc'),
  'error stopsignal bad': words(newWords, 'invalid signal: NOSUCH'),
  'error stopsignal two': words(newWords, 'invalid signal: 9 10'),
  'error healthcheck retries': words(newWords, '--retries cannot be negative (-1)'),
  'error missing brace': words(newWords, 'failed to process "${B": syntax error: missing \'}\''),
  'error bad modifier': words(newWords, 'failed to process "${B:zz}": unsupported modifier (:z) in substitution'),
  'error target': words(newWords, 'target stage "nosuch" could not be found'),
  'error circle': words('found before anything is built', 'circular dependency detected on stage: a'),
}
