import { resolveUser } from '../../runtime/index.ts'
import { readUserFiles } from './user-files.ts'

/** `user[:group]` of `--chown`, by the stage's own user database. A user's number without a group is its group too.
 *  Throws `invalidArgument` for names that it does not know. */
export function resolveOwner(text: string, rootfs: string): { readonly uid: number; readonly gid: number } {
  const [user = '', group = ''] = text.split(':')
  const { uid, gid } = resolveUser(text, readUserFiles(rootfs))
  return group === '' && /^\d+$/.test(user) ? { uid, gid: uid } : { uid, gid }
}
