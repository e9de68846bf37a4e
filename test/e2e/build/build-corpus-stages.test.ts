/** Small Dockerfiles give the same result as with Debian's docker: stages, RUN, the shape of files. */
import { compareGroup } from '../../build-corpus/compare.ts'

compareGroup('stages')
