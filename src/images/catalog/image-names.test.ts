import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Descriptor, type Digest, digestOf, mediaTypes, parseReference } from '../../oci/index.ts'
import { NameIndex, parseName } from './image-names.ts'

const one: Digest = `sha256:${'1'.repeat(64)}`
const two: Digest = `sha256:${'2'.repeat(64)}`

function descriptor(text: string): Descriptor {
  return { mediaType: mediaTypes.ociManifest, digest: digestOf(text), size: text.length }
}

function indexWith(...names: readonly (readonly [name: string, id: Digest, target: Descriptor])[]): NameIndex {
  const index = new NameIndex()
  for (const [name, id, target] of names) index.add(parseReference(name), id, target)
  return index
}

test('NameIndex.find() and lookUp() understand :latest, and ignore a tag beside a digest', () => {
  const target = descriptor('m')
  const index = indexWith(['a:latest', one, target], [`a@${target.digest}`, one, target])
  assert.equal(index.find(parseReference('a'))?.imageId, one)
  assert.equal(index.lookUp('docker.io/library/a')?.imageId, one)
  assert.equal(index.lookUp(`a:other@${target.digest}`)?.imageId, one)
  assert.equal(index.lookUp('a:other'), undefined)
})

test('NameIndex.lookUp() takes full ids and beginnings of ids for no names', () => {
  const index = indexWith(['a:1', one, descriptor('m')])
  for (const text of [one, one.slice(7), 'sha256:11']) assert.equal(index.lookUp(text), undefined, text)
  for (const text of ['', 'a b', 'A']) assert.throws(() => index.lookUp(text), { kind: 'invalidArgument' }, text)
  assert.equal(parseName('1111')?.repository, 'library/1111')
})

test('NameIndex.of() lists the names of an image, tags before digests', () => {
  const target = descriptor('m')
  const index = indexWith([`a@${target.digest}`, one, target], ['a:2', one, target], ['a:1', one, target])
  assert.deepEqual(
    index.of(one).map(({ reference }) => reference.tag),
    ['1', '2', undefined],
  )
  assert.deepEqual(index.of(two), [])
})

test('NameIndex.add() moves a name, and remove() deletes it, with what it stands for', () => {
  const [before, after] = [descriptor('before'), descriptor('after')]
  const index = indexWith(['a:1', one, before], ['b:1', one, before], ['a:1', two, after])
  assert.equal(index.find(parseReference('a:1'))?.imageId, two)
  assert.equal(index.of(one).length, 1)
  assert.ok(index.isTarget(before.digest))
  index.remove(parseReference('b:1'))
  index.remove(parseReference('b:1'))
  assert.ok(!index.isTarget(before.digest))
  assert.ok(index.isTarget(after.digest))
  assert.deepEqual(
    [...index.all()].map(({ imageId }) => imageId),
    [two],
  )
})
