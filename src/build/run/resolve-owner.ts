import { resolveUser } from '../../runtime/index.ts'
import { readUserFiles } from './user-files.ts'

/** Resolves `user[:group]` of `--chown` with the stage's own user database. A numeric user without a group is also the
 *  group's number. Throws `invalidArgument` for names that the database does not have. */
export function resolveOwner(text: string, rootfs: string): { readonly uid: number; readonly gid: number } {
  const [user = '', group = ''] = text.split(':')
  const { uid, gid } = resolveUser(text, readUserFiles(rootfs))
  return group === '' && /^\d+$/.test(user) ? { uid, gid: uid } : { uid, gid }
}
