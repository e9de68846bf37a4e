/** Small Dockerfiles give the same result as with Debian's docker: configuration. */
import { compareGroup } from '../../build-corpus/compare.ts'

compareGroup('metadata')
