/** What Debian's docker makes of small Dockerfiles, Berth makes of them: stages, RUN, errors. */
import { compareGroup } from '../build-corpus/compare.ts'

compareGroup('build')
