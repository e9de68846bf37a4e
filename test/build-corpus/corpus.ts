import { buildCases } from './build-cases.ts'
import { copyCases } from './copy-cases.ts'
import type { CorpusCase } from './corpus-case.ts'
import { metadataCases } from './metadata-cases.ts'
import { variableCases } from './variable-cases.ts'

/** All cases, by the names of their groups. */
export const corpus: Readonly<Record<string, readonly CorpusCase[]>> = {
  metadata: metadataCases,
  variables: variableCases,
  copy: copyCases,
  stages: buildCases.filter(({ name }) => !name.startsWith('error ')),
  errors: buildCases.filter(({ name }) => name.startsWith('error ')),
}
