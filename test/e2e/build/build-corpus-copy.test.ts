/** What Debian's docker makes of small Dockerfiles, Berth makes of them: COPY, ADD, ignore files. */
import { compareGroup } from '../../build-corpus/compare.ts'

compareGroup('copy')
