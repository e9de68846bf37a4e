/** Small Dockerfiles give the same result as with Debian's docker: COPY, ADD, ignore files. */
import { compareGroup } from '../../build-corpus/compare.ts'

compareGroup('copy')
