/** What became of a case: an image, or an error. */
import type { CorpusCase } from './corpus-case.ts'
import type { ImageFacts } from './image-facts.ts'

export type ExpectedResult = { readonly image: ImageFacts } | { readonly error: ExpectedError }

export interface ExpectedError {
  /** What the builder said last, without what stands around it. */
  readonly message: string
  /** Of the Dockerfile, where it was told. */
  readonly line?: number
}

/** The same arguments for every engine; RUN has no network unless a case says otherwise. */
export function buildArguments({ args = [] }: CorpusCase, context: string): readonly string[] {
  const own = args.map((arg) => arg.replace('{context}', context))
  return [...(own.includes('--network') ? [] : ['--network', 'none']), ...own, context]
}

/** Of what a failed build said. */
export function failureOf(stderr: string): ExpectedError {
  const lines = stderr.trim().split('\n')
  const said = lines.findLast((line) => /failed to (?:solve|build)|error|ERROR/i.test(line)) ?? lines.at(-1) ?? ''
  const message = said
    .replace(/^#\d+ ERROR: /, '')
    .replace(/ not found: not found$/, ': not found')
    .replace(/^(?:ERROR: )?(?:failed to build: )?failed to solve(?: with frontend \S+)?: /, '')
    .replace(/^(?:rpc error: code = \w+ desc = |failed to create LLB definition: |failed to read dockerfile: )+/, '')
  const line = Number(
    /parse error (?:on )?line (\d+)/i.exec(stderr)?.[1] ?? /Dockerfile:(\d+)\n-{5,}/.exec(stderr)?.[1] ?? 0,
  )
  return { message, ...(line === 0 ? {} : { line }) }
}
