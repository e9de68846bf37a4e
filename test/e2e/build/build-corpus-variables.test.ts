/** Small Dockerfiles give the same result as with Debian's docker: variables. */
import { compareGroup } from '../../build-corpus/compare.ts'

compareGroup('variables')
