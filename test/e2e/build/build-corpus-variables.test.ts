/** What Debian's docker makes of small Dockerfiles, Berth makes of them: variables. */
import { compareGroup } from '../../build-corpus/compare.ts'

compareGroup('variables')
