/** Annotations that `--annotation` and outputs add to an image's documents.
 *  https://docs.docker.com/build/metadata/annotations/#specify-annotation-level */
import { invalidArgument } from '../../../base/index.ts'
import { formatPlatform, type Platform } from '../../../oci/index.ts'

const levels = ['manifest', 'index', 'manifest-descriptor', 'index-descriptor'] as const
/** The document that an annotation goes into. */
export type AnnotationLevel = (typeof levels)[number]

/** The annotations of each document. */
export type Annotations = Readonly<Record<AnnotationLevel, Readonly<Record<string, string>>>>

/** Gives the annotations for one platform. Flags map `[level[platform],…:]key` to a value, attributes map
 *  `annotation[-level][platform].key` to a value. Those for other platforms are left out. Throws `invalidArgument` for
 *  unknown levels. */
export function annotationsFor(
  platform: Platform,
  flags: Readonly<Record<string, string>>,
  attributes: ReadonlyMap<string, string>,
): Annotations {
  const found: Record<AnnotationLevel, Record<string, string>> = {
    manifest: {},
    index: {},
    'manifest-descriptor': {},
    'index-descriptor': {},
  }
  const add = (level: string, key: string, value: string) => {
    const [, name = '', only] = /^([\w-]*)(?:\[([^\]]*)\])?$/.exec(level) ?? []
    if (!isLevel(name)) throw invalidArgument(`unknown annotation type ${JSON.stringify(level)}`)
    if (only === undefined || only === formatPlatform(platform)) found[name][key] = value
  }
  for (const [text, value] of Object.entries(flags)) {
    const prefix = /^((?:manifest|index)[\w,[\]/-]*):(.+)$/.exec(text)
    const [where = 'manifest', key = text] = prefix === null ? [] : prefix.slice(1)
    for (const level of where.split(',')) add(level, key, value)
  }
  for (const [text, value] of attributes) {
    const [, level = '', only = '', key = ''] = /^annotation(?:-([\w-]+))?(\[[^\]]*\])?\.(.+)$/.exec(text) ?? []
    if (key === '') throw invalidArgument(`unknown output option ${JSON.stringify(text)}`)
    add(`${level === '' ? 'manifest' : level}${only}`, key, value)
  }
  return found
}

function isLevel(name: string): name is AnnotationLevel {
  return (levels as readonly string[]).includes(name)
}

/** Gives `{annotations}`, or an empty object when there are none. */
export function withAnnotations(annotations: Readonly<Record<string, string>>): {
  readonly annotations?: Readonly<Record<string, string>>
} {
  return Object.keys(annotations).length === 0 ? {} : { annotations }
}
