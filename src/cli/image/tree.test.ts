import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { startFakeEngine } from '../testing/fake-engine.ts'
import { CapturedOutput, dockerPath, runBerth, runDocker } from '../testing/run-cli.ts'

const skip = dockerPath() === undefined ? 'the official docker CLI is not on the PATH' : false

const id = (digit: string) => `sha256:${digit.repeat(64)}`
const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: id('a'), size: 400 }

function platform(digit: string, Platform: object, Containers: readonly string[], Available = true) {
  const Size = { Total: Number(`0x${digit}`) * 1_234_567, Content: Number(`0x${digit}`) * 234_567 }
  const ImageData = { Platform, Containers, Size: { Unpacked: Size.Total - Size.Content } }
  return { ID: id(digit), Descriptor: descriptor, Available, Size, Kind: 'image', ImageData }
}

function image(digit: string, RepoTags: readonly string[], Created: number, more: object = {}) {
  const digests = RepoTags.length === 0 ? [] : [`x@${id('9')}`]
  const sizes = { Size: 187_654_321, SharedSize: -1, Containers: -1 }
  return { Id: id(digit), ParentId: '', RepoTags, RepoDigests: digests, Created, Labels: null, ...sizes, ...more }
}

const attestation = {
  ...platform('7', {}, []),
  Kind: 'attestation',
  ImageData: undefined,
  AttestationData: { For: id('5') },
}
const images = [
  image('1', ['old:1'], 1000),
  image('2', ['one:1', 'a-much-longer-name.example.org:5000/team/project/image:latest', 'b:2'], 3000, {
    Manifests: [
      platform('5', { os: 'linux', architecture: 'amd64' }, ['c']),
      platform('6', { os: 'linux', architecture: 'arm', variant: 'v7' }, [], false),
      attestation,
    ],
  }),
  image('3', [], 2000, { Manifests: [platform('8', { os: 'linux', architecture: 'amd64' }, [])] }),
  image('4', ['a-last-name-that-is-too-long.example.org:5000/team/project/image:latest'], 500, { Containers: 2 }),
]

async function withImages(list: readonly object[], look: (host: string) => Promise<void>): Promise<void> {
  const engine = await startFakeEngine({ 'GET /images/json': list })
  try {
    await look(`unix://${engine.socketPath}`)
  } finally {
    await engine.close()
  }
}

async function dockerOnTerminal(args: readonly string[], columns: number): Promise<string> {
  const shell = `stty cols ${columns}; exec docker ${args.join(' ')}`
  const env = { ...process.env, DOCKER_CONFIG: '/nonexistent', DOCKER_CLI_HINTS: 'false' }
  const { stdout } = await promisify(execFile)('script', ['-qec', shell, '/dev/null'], { env })
  return stdout.replaceAll('\r\n', '\n')
}

test('images --tree draws as docker does, at any width', { skip }, async () => {
  for (const list of [images, images.slice(0, 1), []]) {
    await withImages(list, async (host) => {
      for (const columns of [20, 50, 80]) {
        for (const all of [[], ['-a']]) {
          const args = ['-H', host, 'images', '--tree', ...all]
          const output = new CapturedOutput({ isTerminal: true, columns })
          await runBerth(args, { output })
          assert.equal(
            output.text,
            await dockerOnTerminal(args, columns),
            `${columns} columns, ${list.length} images ${all}`,
          )
        }
      }
    })
  }
})

test('images --tree in a pipe is plain text', { skip }, async () => {
  await withImages(images, async (host) => {
    const args = ['-H', host, 'images', '--tree', '-a']
    // docker's titles contain colors even in a pipe.
    const theirs = (await runDocker(args)).stdout.replaceAll(/\x1b\[[0-9;]*m/g, '')
    assert.equal((await runBerth(args)).stdout, theirs)
  })
})
