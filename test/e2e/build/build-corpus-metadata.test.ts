/** What Debian's docker makes of small Dockerfiles, Berth makes of them: configuration. */
import { compareGroup } from '../../build-corpus/compare.ts'

compareGroup('metadata')
