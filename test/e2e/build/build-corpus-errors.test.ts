/** What Debian's docker says of wrong Dockerfiles, Berth says of them, with the line. */
import { compareGroup } from '../../build-corpus/compare.ts'

compareGroup('errors')
