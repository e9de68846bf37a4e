/** Faulty Dockerfiles give the same errors, with the line, as with Debian's docker. */
import { compareGroup } from '../../build-corpus/compare.ts'

compareGroup('errors')
