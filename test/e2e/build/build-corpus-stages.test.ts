/** What Debian's docker makes of small Dockerfiles, Berth makes of them: stages, RUN, the shape of files. */
import { compareGroup } from '../../build-corpus/compare.ts'

compareGroup('stages')
